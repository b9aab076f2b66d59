import type { Way } from '../way.ts'
import { byKill, debian } from './debian.ts'

/** Killers from logins, cron and at, and tools that a small system has not. */
export const loginsAndJobs: readonly Way[] = [
  debian({
    name: 'time-limit',
    title: 'timeout(1): for the limit that the caller had set',
    script: `
printf 'in-role killer timeout 1 in-role victim victim wait\\n:\\n' > backup.sh
in-role script sh backup.sh`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'policy', process: 'script', rule: 'time-limit', confidence: 'certain' },
        summary:
          'victim was killed with SIGTERM by timeout 1 in-role victim victim wait (pid <killer>, uid 0), because of a time limit of <time> of sh backup.sh.',
      },
    },
  }),
  debian({
    name: 'time-limit-kill',
    title: '`timeout -k`, SIGTERM ignored',
    script: `
printf 'in-role killer timeout -k 1 1 in-role victim victim ignore-term\\n:\\n' > backup.sh
in-role script sh backup.sh`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'policy', process: 'script', rule: 'time-limit', confidence: 'certain' },
        summary:
          'victim was killed with SIGKILL by timeout -k 1 1 in-role victim victim ignore-term (pid <killer>, uid 0) after the stop timeout of <time>, because of a time limit of <time> of sh backup.sh.',
      },
    },
  }),
  debian({
    name: 'fuser-by-script',
    title: '`fuser -k` in a script: for the script',
    script: `
run victim wait > held
printf 'in-role killer fuser -s -k held\\n:\\n' > cleanup.sh
in-role script sh cleanup.sh; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'script', rule: 'tool' },
        summary: 'victim was killed with SIGKILL by fuser -s -k held (pid <killer>, uid 0), for sh cleanup.sh.',
      },
    },
  }),
  debian({
    name: 'start-stop-daemon-by-script',
    title: 'start-stop-daemon --retry in a script, SIGTERM ignored: for the script, after the time it gave',
    script: `
start ignore-term
printf 'in-role killer start-stop-daemon --stop --quiet --retry 1 --pid "$1"\\n:\\n' > web.init
in-role script sh web.init $V; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'script', rule: 'tool' },
        summary:
          'victim was killed with SIGKILL by start-stop-daemon --stop --quiet --retry 1 --pid <victim> (pid <killer>, uid 0) after the stop timeout of <time>, for sh web.init <victim>.',
      },
    },
  }),
  debian({
    name: 'cron-job-kills',
    title: 'a cron job kills, by a script and by its command itself',
    before: `
printf '#!/bin/sh\\necho "$WAY role job $PPID" >> $FACTS\\nin-role killer kill -9 "$1"\\n:\\n' > cleanup.sh
chmod +x cleanup.sh`,
    script: `
in-role victim sleep 90 & V=$!; in-role second sleep 90 & SECOND=$!; sleep 0.2
cat > /etc/cron.d/whokilled << CRON
PATH=$PATH
FACTS=$FACTS
WAY=$WAY
* * * * * root $PWD/cleanup.sh $V
* * * * * root kill -9 $SECOND; echo \\$\\$ > /run/other
CRON
reap; wait $SECOND; sleep 0.2; role other $(cat /run/other); rm /etc/cron.d/whokilled /run/other`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'job', rule: 'cron-job', confidence: 'certain' },
        summary:
          'sleep was killed with SIGKILL by kill -9 <victim> (pid <killer>, uid 0), for the cron job of uid 0: /tmp/scratch/cron-job-kills/cleanup.sh <victim>.',
      },
      second: {
        ...byKill,
        exit: 'SIGKILL',
        killer: 'other',
        behalf: { kind: 'process', process: 'other', rule: 'cron-job' },
        summary:
          "sleep was killed with SIGKILL by sh -c 'kill -9 <second>; echo $$ > /run/other' (pid <other>, uid 0), for the cron job of uid 0: kill -9 <second>; echo $$ > /run/other.",
      },
    },
  }),
  debian({
    name: 'at-job-kills',
    title: 'an at job kills',
    script: `
start wait
echo "in-role killer kill -9 $V" | at now 2> /dev/null
reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', rule: 'at-job', confidence: 'certain' },
        summary: 'victim was killed with SIGKILL by kill -9 <victim> (pid <killer>, uid 0), for the at job of uid 0.',
      },
    },
  }),
  debian({
    name: 'sudo-kill',
    title: '`sudo kill`',
    script: `
start wait
su deploy -c "in-role person bash -c 'sudo FACTS=$FACTS WAY=$WAY $(command -v in-role) killer kill -9 $V; :'"; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'session', process: 'person', rule: 'login', confidence: 'certain' },
        summary: 'victim was killed with SIGKILL by kill -9 <victim> (pid <killer>, uid 0), for uid 1001 (su, sudo).',
      },
    },
  }),
  debian({
    name: 'sudo-passes-on',
    title: 'sudo passes a signal on',
    script: `
sudo FACTS=$FACTS WAY=$WAY $(command -v in-role) victim $(command -v victim) wait & S=$!; role killer $S; sleep 0.5
send_as asker kill $S 15; wait $S`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'process', process: 'asker', rule: 'passed-on', confidence: 'certain' },
        summary:
          'victim was killed with SIGTERM by sudo FACTS=/out/facts WAY=sudo-passes-on /lab/programs/in-role victim … (pid <killer>, uid 0), for sender kill <killer> 15.',
      },
    },
  }),
  debian({
    name: 'su-kill',
    title: '`su -c kill`',
    script: `
run as 1001 - victim wait
su deploy -c "in-role killer sh -c 'kill -9 $V; :'"; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'session', rule: 'login', confidence: 'certain' },
        summary:
          "victim was killed with SIGKILL by sh -c 'kill -9 <victim>; :' (pid <killer>, uid 1001), for uid 0 (su).",
      },
    },
  }),
  debian({
    name: 'ssh-kill',
    title: '`ssh HOST kill`',
    script: `
run as 1001 - victim wait
ssh -n deploy@localhost "FACTS=$FACTS WAY=$WAY $(command -v in-role) killer kill -9 $V"; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'session', rule: 'login', confidence: 'certain' },
        summary: 'victim was killed with SIGKILL by kill -9 <victim> (pid <killer>, uid 1001), for uid 1001 (ssh).',
      },
    },
  }),
  debian({
    name: 'shell-at-terminal-kills',
    title: '`kill`, typed at a terminal of ssh',
    script: `
run as 1001 - victim wait
printf 'echo "%s role killer $$" >> %s; kill -9 %s\\nexit\\n' $WAY $FACTS $V | ssh -tt deploy@localhost > /dev/null 2>&1
reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'session', process: 'killer', rule: 'login', confidence: 'certain' },
        summary: 'victim was killed with SIGKILL by bash (pid <killer>, uid 1001), for uid 1001 (ssh, <tty>).',
      },
    },
  }),
  debian({
    name: 'early-oom',
    title: 'earlyoom: because memory ran short',
    script: `
start wait
for process in /proc/[0-9]*; do echo -1000 > $process/oom_score_adj; done 2> /dev/null
echo 0 > /proc/$V/oom_score_adj
in-role killer earlyoom -r 0 -m 99,98 > /dev/null 2>&1 & K=$!
reap; kill $K; wait $K
for process in /proc/[0-9]*; do echo 0 > $process/oom_score_adj; done 2> /dev/null`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'policy', rule: 'memory-guard', confidence: 'certain' },
        summary:
          'victim was killed with SIGKILL by earlyoom -r 0 -m 99,98 (pid <killer>, uid 0), because of memory running short (earlyoom).',
      },
    },
  }),
]
