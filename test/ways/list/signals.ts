import type { Way } from '../way.ts'

const sent = (call: string, number: number | string) => `sender ${call} <victim> ${number} (pid <killer>, uid 0)`
const pkilled = 'victim was killed with SIGKILL by pkill -KILL -P <parent> victim (pid <killer>, uid 0).'

const killedAll = 'doomed was killed with SIGKILL by killall -KILL doomed (pid <killer>, uid 0).'

/** A victim by one system call or another, with nothing before and nothing behind. */
function plain(name: string, title: string, call: string, number: number, signal: string, via: string): Way {
  return {
    name,
    title,
    script: `start wait; send ${call} $V ${number}; reap`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: signal,
        killer: 'killer',
        senderStatus: 'seen',
        via: via as 'kill',
        signals: [],
        incident: null,
        summary: `victim was killed with ${signal} by ${sent(call, number)}.`,
      },
    },
  }
}

/** The claim of a forged siginfo, which bpftrace is not shown. */
function forged(name: string, title: string, call: string): Way {
  const way = plain(name, title, call, 15, 'SIGTERM', 'sigqueue')
  return {
    ...way,
    told: { victim: { ...(way.told.victim as object), evidence: ['forged-sender', 'exit'] } as never },
    bpftrace: { why: 'it is not shown the sender that siginfo claims', told: { victim: { evidence: ['exit'] } } },
  }
}

/** Ended by a signal of another process. */
export const signals: readonly Way[] = [
  plain('kill-by-number', '`kill -9 PID`, the default action', 'kill', 9, 'SIGKILL', 'kill'),
  plain('term-default', 'SIGTERM, the default action', 'kill', 15, 'SIGTERM', 'kill'),
  plain('usr1-default', 'SIGUSR1, the default action', 'kill', 10, 'SIGUSR1', 'kill'),
  plain('real-time-default', 'a real-time signal, the default action', 'kill', 40, 'SIGRTMIN+6', 'kill'),
  plain('kill-by-tkill', 'tkill(2)', 'tkill', 15, 'SIGTERM', 'tkill'),
  plain('kill-by-tgkill', 'tgkill(2)', 'tgkill', 15, 'SIGTERM', 'tgkill'),
  plain('kill-by-pidfd', 'pidfd_send_signal(2)', 'pidfd', 9, 'SIGKILL', 'pidfd'),
  forged('forged-sender', 'rt_sigqueueinfo(2) with a forged sender', 'forge'),
  forged('forged-sender-thread', 'rt_tgsigqueueinfo(2) with a forged sender', 'forge-thread'),
  plain('kill-by-32-bit-program', 'kill(2) by a 32-bit program', 'kill-32bit', 15, 'SIGTERM', 'kill'),
  {
    name: 'kill-by-name',
    title: '`kill -KILL PID`, built into a shell',
    script: 'start wait; sh -c "kill -KILL $V; true" & role killer $!; wait $!; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill',
        signals: [],
        summary: "victim was killed with SIGKILL by sh -c 'kill -KILL <victim>; true' (pid <killer>, uid 0).",
      },
    },
  },
  {
    name: 'quit-with-core',
    title: 'SIGQUIT, with a core',
    script: 'ulimit -S -c unlimited; run in-role victim victim wait; send kill $V 3; reap; rm -f core core.$V',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGQUIT',
        coreDumped: true,
        killer: 'killer',
        via: 'kill',
        summary: `victim was killed with SIGQUIT by ${sent('kill', 3)}, and a core was dumped.`,
      },
    },
  },
  {
    name: 'term-caught-exit-0',
    title: 'SIGTERM, caught, then exit 0',
    script: 'start catch-term; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'likely',
        exit: 0,
        killer: 'killer',
        via: 'kill',
        signal: 'SIGTERM',
        summary: `victim was ended by SIGTERM from ${sent('kill', 15)}: it caught the signal and exited with code 0 <time> later.`,
      },
    },
  },
  {
    name: 'term-caught-exit-143',
    title: 'SIGTERM, caught, then exit 143',
    script: 'run catcher 15 exit 143; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 143,
        killer: 'killer',
        signal: 'SIGTERM',
        summary: `catcher was ended by SIGTERM from ${sent('kill', 15)}: it caught the signal and exited with code 143 <time> later.`,
      },
    },
  },
  {
    name: 'term-caught-raised',
    title: 'SIGTERM, caught, then sent to itself',
    script: 'run catcher 15 raise; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'killer',
        signal: 'SIGTERM',
        signals: ['SIGTERM from victim, delivered'],
        summary: `catcher was ended by SIGTERM from ${sent('kill', 15)}: it caught the signal and then ended itself with it <time> later.`,
      },
    },
  },
  {
    name: 'term-caught-self-kill',
    title: 'SIGTERM, caught, then SIGKILL to itself',
    script: 'run catcher 15 die; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'likely',
        exit: 'SIGKILL',
        killer: 'killer',
        signal: 'SIGTERM',
        signals: ['SIGKILL from victim, delivered'],
        summary: `catcher was ended by SIGTERM from ${sent('kill', 15)}: it caught the signal and died of SIGKILL <time> later.`,
      },
    },
  },
  {
    name: 'term-caught-crash',
    title: 'SIGTERM, caught, then a fault while it ends',
    script: 'run catcher 15 crash; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'fault',
        confidence: 'certain',
        exit: 'SIGSEGV',
        killer: null,
        signal: 'SIGSEGV',
        signals: ['SIGTERM from killer, delivered'],
        summary:
          'catcher crashed with SIGSEGV (a memory fault of its own), <time> after it had caught SIGTERM from sender kill <victim> 15 (pid <killer>).',
      },
    },
  },
  {
    name: 'term-read',
    title: 'SIGTERM, blocked and read by signalfd(2), then exit 0',
    script: 'run catcher 15 read; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'likely',
        exit: 0,
        killer: 'killer',
        signal: 'SIGTERM',
        summary: `catcher was ended by SIGTERM from ${sent('kill', 15)}: it caught the signal and exited with code 0 <time> later.`,
      },
    },
  },
  {
    name: 'term-ignored-kill',
    title: 'SIGTERM, ignored, then SIGKILL',
    script: 'start ignore-term; sh -c "kill $V; sleep 0.6; kill -9 $V; true" & role killer $!; wait $!; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        signal: 'SIGKILL',
        signals: ['SIGTERM from killer, ignored'],
        summary:
          "victim was killed with SIGKILL by sh -c 'kill <victim>; sleep 0.6; kill -9 <victim>; true' (pid <killer>, uid 0), <time> after it had ignored its SIGTERM.",
      },
    },
  },
  {
    name: 'term-caught-kill',
    title: 'SIGTERM, caught without ending, then SIGKILL by another process',
    script: 'run catcher 15 go-on; send_as first kill $V 15; sleep 0.5; send kill $V 9; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        signals: ['SIGTERM from first, delivered'],
        summary: `catcher was killed with SIGKILL by ${sent('kill', 9)}, <time> after it had caught SIGTERM from sender kill <victim> 15 (pid <first>) and gone on.`,
      },
    },
  },
  {
    name: 'term-blocked-kill',
    title: 'SIGTERM, blocked, then SIGKILL',
    script: 'start block-term; send_as first kill $V 15; sleep 0.5; send kill $V 9; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        signals: ['SIGTERM from first, delivered'],
        summary: `victim was killed with SIGKILL by ${sent('kill', 9)}, <time> after SIGTERM from sender kill <victim> 15 (pid <first>), which it had blocked.`,
      },
    },
  },
  {
    name: 'term-from-three-kill',
    title: 'SIGTERM from three, ignored, then SIGKILL by a fourth',
    script: `start ignore-term
      for who in first second third; do send_as $who kill $V 15; sleep 0.1; done
      send kill $V 9; reap`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        signals: ['SIGTERM from first, ignored', 'SIGTERM from second, ignored', 'SIGTERM from third, ignored'],
        summary: `victim was killed with SIGKILL by ${sent('kill', 9)}, <time> after it had ignored the first of 3 SIGTERMs, from sender kill <victim> 15 (pid <first>).`,
      },
    },
  },
  {
    name: 'kill-while-stopped',
    title: 'SIGKILL while it is stopped by SIGSTOP',
    script: 'start wait; send_as first kill $V 19; send_as second kill $V 15; sleep 0.1; send kill $V 9; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        signals: ['SIGSTOP from first, delivered', 'SIGTERM from second, delivered'],
        summary: `victim was killed with SIGKILL by ${sent('kill', 9)}, <time> after SIGTERM from sender kill <victim> 15 (pid <second>), which had not ended it.`,
      },
    },
  },
  {
    name: 'kill-group',
    title: '`kill -KILL -- -PGID`: one act, several victims',
    script: `setsid in-role leader sh -c 'in-role victim victim wait & in-role other victim wait & wait' & V=$!
      sleep 0.8; send kill -$V 9; reap`,
    told: {
      leader: { cause: 'signal', confidence: 'certain', killer: 'killer', incident: 'group', summary: groupKill('sh') },
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill-group',
        incident: 'group',
        summary: groupKill('victim'),
      },
      other: {
        cause: 'signal',
        confidence: 'certain',
        killer: 'killer',
        incident: 'group',
        summary: groupKill('victim'),
      },
    },
  },
  {
    name: 'kill-all',
    title: '`kill -9 -1` in a pid namespace: one act, several victims',
    script: `unshare -p -f sh -c 'in-role victim victim wait & in-role other victim wait & sleep 0.7
      in-role killer sender kill -1 9 > /dev/null; sleep 0.1; true' & wait $!`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill-all',
        incident: 'all',
        summary:
          'victim was killed with SIGKILL by sender kill -1 9 (pid <killer>, uid 0), sent to every process it may signal.',
      },
      other: {
        cause: 'signal',
        confidence: 'certain',
        killer: 'killer',
        via: 'kill-all',
        incident: 'all',
        summary:
          'victim was killed with SIGKILL by sender kill -1 9 (pid <killer>, uid 0), sent to every process it may signal.',
      },
    },
  },
  {
    name: 'pkill',
    title: '`pkill`: several victims of one program',
    script: `in-role parent sh -c 'in-role victim victim wait & in-role other victim wait & wait' & P=$!
      sleep 0.7; /usr/bin/pkill -KILL -P $P victim & role killer $!; wait $!; V=$P; reap`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        killer: 'killer',
        via: 'kill',
        incident: 'pkill',
        summary: pkilled,
      },
      other: {
        cause: 'signal',
        confidence: 'certain',
        killer: 'killer',
        via: 'kill',
        incident: 'pkill',
        summary: pkilled,
      },
    },
  },
  {
    name: 'killall',
    title: '`killall`: several victims of one name',
    needs: 'guest',
    script: `cp "$(command -v victim)" doomed
      in-role parent sh -c 'in-role victim ./doomed wait & in-role other ./doomed wait & wait' & V=$!
      sleep 0.7; killall -KILL doomed & role killer $!; wait $!; reap`,
    told: {
      victim: { cause: 'signal', confidence: 'certain', killer: 'killer', incident: 'killall', summary: killedAll },
      other: { cause: 'signal', confidence: 'certain', killer: 'killer', incident: 'killall', summary: killedAll },
    },
  },
  {
    name: 'two-killers',
    title: 'two killers at once: the first has ended it',
    script: 'rivals > out & roles_in out; wait',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill',
        signals: ['SIGKILL from rival, ignored'],
        summary: 'rivals was killed with SIGKILL by rivals (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'signal-while-ending',
    title: 'SIGKILL while it ends by itself: not the cause',
    script: 'too-late dying 9 > out & roles_in out; wait',
    told: {
      victim: {
        cause: 'exit',
        confidence: 'certain',
        exit: 3,
        killer: null,
        signals: ['SIGKILL from killer, ignored'],
        summary: 'too-late ended by itself with exit code 3.',
      },
    },
  },
  {
    name: 'signal-to-zombie',
    title: 'SIGTERM to a process that has ended: not the cause',
    script: 'too-late zombie 15 > out & roles_in out; wait',
    told: {
      victim: {
        cause: 'exit',
        confidence: 'certain',
        exit: 3,
        killer: null,
        signals: [],
        summary: 'victim ended by itself with exit code 3.',
      },
    },
  },
  {
    name: 'attempts-refused',
    title: 'refused attempts (EPERM, ESRCH), then an exit of its own',
    script: 'echo "sleep 0.7; exit 3" > job; run sh job; send kill-as-deploy $V 9; send_as second tgkill $V 9 1; reap',
    told: {
      victim: {
        cause: 'exit',
        confidence: 'certain',
        exit: 3,
        killer: null,
        signals: [],
        evidence: ['refused-signal', 'exit'],
        summary: 'job ended by itself with exit code 3.',
      },
    },
  },
  {
    name: 'attempt-refused-then-killed',
    title: 'a refused attempt (EPERM) before another kills',
    script: 'start wait; send_as deploy kill-as-deploy $V 9; send kill $V 9; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        signals: [],
        evidence: ['refused-signal', 'exit'],
        summary: `victim was killed with SIGKILL by ${sent('kill', 9)}.`,
      },
    },
  },
  {
    name: 'stopped',
    title: 'SIGSTOP is no death',
    script: 'start wait; send kill $V 19; (sleep 3; kill -9 $V) &',
    told: { victim: 'nothing' },
  },
  {
    name: 'hang-up-rereads',
    title: 'SIGHUP to a daemon that reads its settings again is no death',
    script: 'run catcher 1 go-on; send kill $V 1; (sleep 3; kill -9 $V) &',
    told: { victim: 'nothing' },
  },
  {
    name: 'term-after-hang-up',
    title: 'SIGTERM after a SIGHUP that was only caught',
    script: 'run catcher 1 go-on; send_as first kill $V 1; sleep 0.2; send kill $V 15; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'killer',
        signal: 'SIGTERM',
        signals: ['SIGHUP from first, delivered'],
        summary: `catcher was killed with SIGTERM by ${sent('kill', 15)}.`,
      },
    },
  },
]

function groupKill(victim: string): string {
  return `${victim} was killed with SIGKILL by sender kill -<leader> 9 (pid <killer>, uid 0), sent to its whole process group.`
}
