import type { ToldDeath, Way } from '../way.ts'

const folder = '/run/whokilled-ways'
const pidfile = `${folder}/worker.pid`

/** A worker with a pidfile starts, $W, and can be waited for. */
const worker = `mkdir -p ${folder}; PIDFILE=${pidfile} worker & W=$!; role worker $W`
/** The worker has crashed, its pidfile is left, and a victim gets its pid. */
const reused = (...victim: string[]) =>
  `wait $W; with-pid $W ${victim.join(' ') || 'victim wait'} & role victim $W; sleep 0.2`
/** A script of that name, which runs as a job of its own: $J. */
const script = (name: string, text: string, args = '') => `cat > ${name} <<'END'\n${text}\nEND
own-session sh ${name} ${args} & J=$!; role killer $J`
const tidyUp = `wait; sleep 0.3; rm -rf ${folder}`

/** Killed by number, for sure; `meant` ends the sentence. */
const killedBy = (killer: string, meant: string, facts: Partial<ToldDeath> = {}): ToldDeath => ({
  cause: 'signal',
  confidence: 'certain',
  exit: 'SIGKILL',
  killer: 'killer',
  summary: `victim was killed with ${facts.exit ?? 'SIGKILL'} by ${killer} (pid <killer>, uid 0)${meant}.`,
  ...facts,
})

const meantForWorker = {
  wrongPid: { previousOwner: 'worker', pidfile, confidence: 'certain' },
  evidence: ['stale-pidfile'],
}
const stillNamed = `; it was meant for worker, which had pid <victim> until <time> before and was still named in ${pidfile}, written <time> before`
const remembered = '; it was most likely meant for worker, which had pid <victim> until <time> before'
const noMistake = { wrongPid: null, evidenceNot: ['stale-pidfile'] }

/** A signal that hit another process than it was meant for, and ones that only look like it. */
export const wrongPid: readonly Way[] = [
  {
    name: 'stale-pidfile-stop-script',
    title: 'a stop script with a stale pidfile: TERM, wait, KILL',
    script: `${worker}; ${reused('victim ignore-term')}
${script(
  'stop-worker',
  `PID=$(cat ${pidfile})
kill -0 $PID && kill $PID
for i in 1 2 3; do kill -0 $PID 2> /dev/null || exit 0; sleep 0.1; done
kill -9 $PID`,
)}
${tidyUp}`,
    told: {
      victim: killedBy('sh stop-worker', `, <time> after it had ignored its SIGTERM${stillNamed}`, {
        ...meantForWorker,
        signals: ['SIGTERM from killer, ignored'],
      }),
    },
  },
  {
    name: 'stale-pidfile-kill-cat',
    title: '`kill $(cat worker.pid)` with a stale pidfile',
    script: `${worker}; ${reused()}
own-session sh -c 'kill -9 $(cat ${pidfile})' & role killer $!
${tidyUp}`,
    told: {
      victim: killedBy("sh -c 'kill -9 $(cat /run/whokilled-ways/worker.pid)'", stillNamed, meantForWorker),
    },
  },
  {
    name: 'stale-pidfile-start-stop-daemon',
    title: '`start-stop-daemon --stop --pidfile` with a stale pidfile',
    script: `${worker}; ${reused()}
own-session start-stop-daemon --stop --pidfile ${pidfile} > /dev/null & role killer $!
${tidyUp}`,
    told: {
      victim: killedBy(`start-stop-daemon --stop --pidfile ${pidfile}`, stillNamed, {
        ...meantForWorker,
        exit: 'SIGTERM',
      }),
    },
  },
  {
    name: 'stale-pidfile-pkill',
    title: '`pkill -F worker.pid` with a stale pidfile',
    script: `${worker}; ${reused()}
own-session pkill -KILL -F ${pidfile} & role killer $!
${tidyUp}`,
    told: { victim: killedBy(`pkill -KILL -F ${pidfile}`, stillNamed, meantForWorker) },
  },
  {
    name: 'stale-pidfile-emptied',
    title: 'a stop script that empties the stale pidfile at once',
    script: `${worker}; ${reused()}
${script('stop-worker', `read -r PID < ${pidfile}; : > ${pidfile}; kill -9 $PID`)}
${tidyUp}`,
    told: { victim: killedBy('sh stop-worker', stillNamed, meantForWorker) },
    bpftrace: {
      why: 'it reads a pidfile a moment after it was opened, and then it is empty; that the worker had written it was seen',
      told: {
        victim: {
          wrongPid: { previousOwner: 'worker', pidfile, confidence: 'likely' },
          summary: `victim was killed with SIGKILL by sh stop-worker (pid <killer>, uid 0); it was most likely meant for worker, which had pid <victim> until <time> before and was still named in ${pidfile}.`,
        },
      },
    },
  },
  {
    name: 'stale-pidfile-of-before',
    title: 'a stale pidfile of a process that ended before anybody watched',
    script: `mkdir -p ${folder}; sh -c : & W=$!; wait $W; echo $W > ${pidfile}; touch -d @$(($(date +%s) - 3600)) ${pidfile}; sleep 0.1
with-pid $W victim wait & role victim $W; sleep 0.2
own-session sh -c 'kill -9 $(cat ${pidfile})' & role killer $!
${tidyUp}`,
    told: {
      victim: killedBy(
        "sh -c 'kill -9 $(cat /run/whokilled-ways/worker.pid)'",
        `; it was most likely meant for a process that had pid <victim> before, still named in ${pidfile}, written <time> before`,
        { wrongPid: null, evidence: ['stale-pidfile'] },
      ),
    },
  },
  {
    name: 'stale-pidfile-in-container',
    title: 'a stale pidfile inside a pid namespace, with the numbers of that namespace',
    script: `mkdir -p ${folder}; cat > inside.sh <<'END'
PIDFILE=${pidfile} in-role worker worker & W=$!; wait $W
with-pid $W in-role victim victim wait & sleep 0.2
own-session in-role killer sh -c 'kill -9 $(cat ${pidfile})'; wait
END
unshare -p -f own-session sh inside.sh; ${tidyUp}`,
    told: {
      victim: killedBy(
        "sh -c 'kill -9 $(cat /run/whokilled-ways/worker.pid)'",
        `, for sh inside.sh; it was meant for worker, which had pid 2 in their pid namespace until <time> before and was still named in ${pidfile}, written <time> before`,
        meantForWorker,
      ),
    },
  },
  {
    name: 'pidfile-read-too-early',
    title: 'a pidfile that was right when it was read, and a pid given away while the script waited',
    script: `LIVES=9000; export LIVES; ${worker}; sleep 0.2
${script('stop-worker', `PID=$(cat ${pidfile}); kill $PID; until [ -e late ]; do sleep 0.1; done; kill -9 $PID`)}
${reused()}; : > late
${tidyUp}`,
    told: {
      worker: killedBy('sh stop-worker', '', {
        ...noMistake,
        exit: 'SIGTERM',
        summary: killedWorker('sh stop-worker'),
      }),
      victim: killedBy('sh stop-worker', stillNamed, meantForWorker),
    },
  },
  {
    name: 'escalation-gone-wrong',
    title: 'TERM ends its target, its pid is given away, and the KILL ten tries later hits another',
    script: `LIVES=9000 worker & W=$!; role worker $W; sleep 0.1
PID=$W; export PID
${script('stop-it', 'kill $PID; until [ -e late ]; do sleep 0.1; done; kill -9 $PID')}
${reused()}; : > late
wait`,
    told: {
      worker: killedBy('sh stop-it', '', { ...noMistake, exit: 'SIGTERM', summary: killedWorker('sh stop-it') }),
      victim: killedBy('sh stop-it', remembered, {
        wrongPid: { previousOwner: 'worker', pidfile: null, confidence: 'likely' },
      }),
    },
  },
  {
    name: 'argument-older-than-victim',
    title: 'a script that was given the pid before the victim existed',
    script: `worker & W=$!; role worker $W; sleep 0.1
${script('kill-later', 'until [ -e late ]; do sleep 0.1; done; kill -9 $1', '$W')}
${reused()}; : > late
wait`,
    told: {
      victim: killedBy('sh kill-later <victim>', remembered, {
        wrongPid: { previousOwner: 'worker', pidfile: null, confidence: 'likely' },
      }),
    },
  },
  {
    name: 'supervisor-remembers-pid',
    title: 'a supervisor that did not notice the end of its worker',
    script: `mkfifo late; own-session supervisor late worker > pid & role killer $!
until [ -s pid ]; do sleep 0.1; done; W=$(cat pid); role worker $W; while kill -0 $W 2> /dev/null; do sleep 0.1; done
${reused()}; echo > late
wait`,
    told: {
      victim: killedBy('supervisor late worker', remembered, {
        wrongPid: { previousOwner: 'worker', pidfile: null, confidence: 'likely' },
      }),
    },
  },
  {
    name: 'script-remembers-pid',
    title: 'a script that kills its background command, which has long ended, by `$!`',
    script: `${script('keep-worker', 'worker & echo $! > pid; until [ -e late ]; do sleep 0.1; done; kill -9 $!')}
until [ -s pid ]; do sleep 0.1; done; W=$(cat pid); role worker $W; while kill -0 $W 2> /dev/null; do sleep 0.1; done
${reused()}; : > late
wait`,
    told: {
      victim: killedBy('sh keep-worker', remembered, {
        wrongPid: { previousOwner: 'worker', pidfile: null, confidence: 'likely' },
      }),
    },
  },
  {
    name: 'fresh-pidfile',
    title: 'not wrong: the pidfile was written for the victim',
    script: `${worker}; ${reused()}; echo $W > ${folder}/victim.pid
own-session sh -c 'kill -9 $(cat ${folder}/victim.pid)' & role killer $!
${tidyUp}`,
    told: { victim: killedBy("sh -c 'kill -9 $(cat /run/whokilled-ways/victim.pid)'", '', noMistake) },
  },
  {
    name: 'pidfile-written-again',
    title: 'not wrong: the service was started again and has written its pidfile anew',
    script: `${worker}; wait $W; PIDFILE=${pidfile} with-pid $W worker & role victim $W; sleep 0.2
own-session sh -c 'kill -9 $(cat ${pidfile})' & role killer $!
${tidyUp}`,
    told: {
      victim: {
        ...killedBy("sh -c 'kill -9 $(cat /run/whokilled-ways/worker.pid)'", '', noMistake),
        summary: killedWorker("sh -c 'kill -9 $(cat /run/whokilled-ways/worker.pid)'", 'SIGKILL'),
      },
    },
  },
  {
    name: 'two-pidfiles',
    title: 'not wrong: of two pidfiles that name the pid, one is the victim’s',
    script: `${worker}; ${reused()}; echo $W > ${folder}/victim.pid
${script('stop-all', `for FILE in ${folder}/*.pid; do kill -9 $(cat $FILE); done`)} 2> /dev/null
${tidyUp}`,
    told: { victim: killedBy('sh stop-all', '', noMistake) },
  },
  {
    name: 'young-process',
    title: 'not wrong: a process that has its pid from another is killed by number',
    script: `worker & W=$!; role worker $W; ${reused()}
own-session sender kill $W 9 & role killer $!
wait`,
    told: { victim: killedBy('sender kill <victim> 9', '', noMistake) },
  },
  {
    name: 'own-child-with-old-pid',
    title: 'not wrong: a script kills its own command, which has the pid of an earlier one',
    script: script(
      'keep-worker',
      `in-role worker worker & W=$!; sleep 0.1; wait $W
echo $((W - 1)) > /proc/sys/kernel/ns_last_pid; in-role victim victim wait & V=$!; sleep 0.2; kill -9 $V`,
    ).concat('\nwait'),
    told: { victim: killedBy('sh keep-worker', '', noMistake) },
  },
  {
    name: 'killall-by-name',
    title: 'not wrong: the pid had been asked to end before, but the killer goes by name',
    script: `LIVES=9000 worker & W=$!; role worker $W; sleep 0.1; cp "$(command -v victim)" whokilled-web
PID=$W; export PID
${script('restart-web', 'kill $PID; until [ -e late ]; do sleep 0.1; done; exec killall -9 whokilled-web')}
wait $W; with-pid $W ./whokilled-web wait & role victim $W; sleep 0.2; : > late
wait`,
    told: {
      victim: {
        ...killedBy('killall -9 whokilled-web', '', noMistake),
        service: 'whokilled-web',
        summary: 'whokilled-web was killed with SIGKILL by killall -9 whokilled-web (pid <killer>, uid 0).',
      },
    },
  },
]

function killedWorker(killer: string, signal = 'SIGTERM'): string {
  return `worker was killed with ${signal} by ${killer} (pid <killer>, uid 0).`
}
