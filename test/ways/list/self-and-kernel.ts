import type { ToldDeath, Way } from '../way.ts'

const namespaceEnd =
  "victim was killed with SIGKILL by the kernel, because the first process of its pid namespace (its container), sh -c 'in-role victim victim wait & in-role other vict…' (pid <init>, uid 0), ended by itself with exit code 3."

/** Ended by itself or by the kernel. */
export const selfAndKernel: readonly Way[] = [
  {
    name: 'abort',
    title: 'abort(3)',
    script: 'run crasher abort; reap',
    told: {
      victim: {
        ...itself('SIGABRT', 'tgkill'),
        summary: 'crasher ended itself with SIGABRT (it called abort or raise).',
      },
    },
  },
  {
    name: 'raise-kill',
    title: 'SIGKILL, sent to itself',
    script: 'run crasher raise 9; reap',
    told: {
      victim: {
        ...itself('SIGKILL', 'tgkill'),
        summary: 'crasher ended itself with SIGKILL (it sent the signal to itself).',
      },
    },
  },
  fault('fault-segv', 'SIGSEGV: a fault', 'segv', 'SIGSEGV', 'a memory fault of its own'),
  fault(
    'fault-bus',
    'SIGBUS: reading behind the end of a mapped file',
    'bus',
    'SIGBUS',
    'a mapped file that was too short, or could not be read',
  ),
  fault(
    'fault-fpe',
    'SIGFPE: division by zero',
    'fpe',
    'SIGFPE',
    'an arithmetic error of its own: integer division by zero',
  ),
  fault('fault-ill', 'SIGILL: an illegal instruction', 'ill', 'SIGILL', 'an illegal instruction of its own'),
  fault('fault-trap', 'SIGTRAP: a breakpoint', 'trap', 'SIGTRAP', 'a trap of its own'),
  {
    name: 'segv-sent',
    title: '`kill -SEGV` by another process: no fault',
    script: 'start wait; send kill $V 11; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGSEGV',
        killer: 'killer',
        via: 'kill',
        summary: 'victim was killed with SIGSEGV by sender kill <victim> 11 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'segv-caught-raised',
    title: 'SIGSEGV: a fault, caught, reported and raised again',
    script: 'run crasher segv caught; reap',
    told: {
      victim: {
        ...byKernel('fault', 'SIGSEGV'),
        signals: ['SIGSEGV from victim, delivered'],
        summary:
          'crasher crashed with SIGSEGV (a memory fault of its own); it caught the signal and then ended itself with it <time> later.',
      },
    },
  },
  {
    name: 'bus-caught-aborted',
    title: 'SIGBUS: a fault, caught, then abort(3)',
    script: 'run crasher bus aborts; reap',
    told: {
      victim: {
        ...itself('SIGABRT', 'tgkill'),
        signals: ['SIGBUS from the kernel, delivered'],
        summary:
          'crasher ended itself with SIGABRT (it called abort or raise), <time> after it had caught SIGBUS (a mapped file that was too short, or could not be read).',
      },
    },
  },
  {
    name: 'broken-pipe',
    title: 'SIGPIPE',
    script: 'in-role victim yes | sleep 0.2',
    told: {
      victim: {
        ...byKernel('broken-pipe', 'SIGPIPE'),
        summary: 'yes was ended by SIGPIPE: it wrote to a pipe or socket that nobody reads any more.',
      },
    },
  },
  seccomp('seccomp-trap', 'SIGSYS: a seccomp filter that traps', 'trap'),
  seccomp('seccomp-kill', 'SIGSYS: a seccomp filter that kills the process', 'kill'),
  seccomp('seccomp-kill-thread', 'SIGSYS: a seccomp filter that kills the thread, the only one', 'kill-thread'),
  {
    name: 'seccomp-strict',
    title: 'SIGKILL: the strict mode of seccomp',
    script: 'run forbidden strict; reap',
    told: {
      victim: {
        ...byKernel('seccomp', 'SIGKILL'),
        signals: [],
        summary:
          'forbidden was killed with SIGKILL by the strict mode of seccomp, for a system call that is forbidden to it.',
      },
    },
  },
  limit(
    'cpu-soft',
    'SIGXCPU: RLIMIT_CPU, the soft limit',
    'cpu 1 3',
    'SIGXCPU',
    'it used up its limit of processor time (RLIMIT_CPU)',
  ),
  limit(
    'cpu-hard',
    'SIGKILL: RLIMIT_CPU, the hard limit',
    'cpu 1 1',
    'SIGKILL',
    'it used up its limit of processor time (RLIMIT_CPU)',
  ),
  limit(
    'file-size',
    'SIGXFSZ: RLIMIT_FSIZE',
    'file',
    'SIGXFSZ',
    'a file it wrote reached its size limit (RLIMIT_FSIZE)',
  ),
  timer('alarm', 'SIGALRM: alarm(2)', 'alarm', 'SIGALRM'),
  timer('virtual-timer', 'SIGVTALRM: setitimer(2)', 'virtual', 'SIGVTALRM'),
  timer('timer-term', 'SIGTERM: timer_create(2)', 'timer 15', 'SIGTERM'),
  timer('timer-kill', 'SIGKILL: timer_create(2)', 'timer 9', 'SIGKILL'),
  parentDeath('parent-death-term', 'SIGTERM: PR_SET_PDEATHSIG', 15, 'SIGTERM'),
  parentDeath('parent-death-kill', 'SIGKILL: PR_SET_PDEATHSIG', 9, 'SIGKILL'),
  {
    name: 'parent-killed',
    title: 'PR_SET_PDEATHSIG, when somebody kills the parent',
    script: 'bereaved 15 > out & role parent $!; roles_in out; send kill $(pid_of parent) 9; sleep 0.1',
    told: {
      victim: {
        cause: 'parent-death',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'parent',
        summary:
          'victim was killed with SIGTERM because its parent bereaved 15 (pid <parent>, uid 0) was killed with SIGKILL by sender kill <parent> 9 (pid <killer>, uid 0) (it had asked for that with PR_SET_PDEATHSIG).',
      },
    },
  },
  {
    name: 'parent-thread-ended',
    title: 'PR_SET_PDEATHSIG, when only the thread ends that had made the child',
    script: 'bereaved 15 thread > out & role parent $!; roles_in out; sleep 0.7',
    told: {
      victim: {
        cause: 'parent-death',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'parent',
        summary:
          'victim was killed with SIGTERM because its parent bereaved 15 thread (pid <parent>, uid 0) ended, or only the thread of it that had made this process (it had asked for that with PR_SET_PDEATHSIG).',
      },
    },
  },
  {
    name: 'pid-namespace-ends',
    title: 'the first process of a pid namespace exits: one act, several victims',
    script: `unshare -p -f in-role init sh -c 'in-role victim victim wait & in-role other victim wait & sleep 0.7; exit 3'
      sleep 0.1`,
    told: {
      victim: { ...byKernel('pid-namespace-exit', 'SIGKILL'), incident: 'namespace', summary: namespaceEnd },
      other: { ...byKernel('pid-namespace-exit', 'SIGKILL'), incident: 'namespace', summary: namespaceEnd },
    },
  },
  {
    name: 'reboot-in-namespace',
    title: 'reboot(2) in a pid namespace, by another process of it',
    needs: 'guest',
    script: `unshare -p -f in-role victim sh -c 'sleep 0.3; in-role killer shut-down; sleep 1'; sleep 0.1`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'reboot',
        summary:
          'sh was killed with SIGKILL because shut-down (pid <killer>, uid 0) called reboot(2) in its pid namespace (its container).',
      },
    },
  },
  {
    name: 'reboot-by-the-first',
    title: 'reboot(2) in a pid namespace, by its first process itself',
    needs: 'guest',
    script: 'unshare -p -f in-role victim shut-down; sleep 0.1',
    told: {
      victim: {
        ...itself('SIGKILL', 'reboot'),
        summary: 'shut-down ended itself with SIGKILL (it called reboot(2) in its pid namespace).',
      },
    },
  },
  {
    name: 'cgroup-kill',
    title: 'cgroup.kill: one act, several victims',
    script: `G=$CGROUP/whokilled-$$; mkdir "$G"; start wait; in-role other victim wait & O=$!; sleep 0.1
      echo $V > "$G/cgroup.procs"; echo $O > "$G/cgroup.procs"
      (cd "$G"; exec sh -c 'echo 1 > cgroup.kill; true') & role killer $!; wait; sleep 0.1; rmdir "$G"`,
    told: { victim: cgroupKill(), other: cgroupKill() },
  },
  {
    name: 'ctrl-c',
    title: 'SIGINT: Ctrl-C',
    script: 'at-terminal ctrl-c in-role victim victim wait',
    told: {
      victim: {
        ...byKernel('terminal', 'SIGINT', 'tty'),
        summary: 'victim was ended by SIGINT: Ctrl-C was pressed at its terminal <tty>.',
      },
    },
  },
  {
    name: 'ctrl-backslash',
    title: 'SIGQUIT: Ctrl-\\',
    script: 'at-terminal ctrl-backslash in-role victim victim wait',
    told: {
      victim: {
        ...byKernel('terminal', 'SIGQUIT', 'tty'),
        summary: 'victim was ended by SIGQUIT: Ctrl-\\ was pressed at its terminal <tty>.',
      },
    },
  },
  {
    name: 'ctrl-z',
    title: 'Ctrl-Z is no death',
    script: 'at-terminal ctrl-z in-role victim victim wait & T=$!; sleep 0.8; (sleep 3; kill -9 $(pid_of victim) $T) &',
    told: { victim: 'nothing' },
  },
  {
    name: 'terminal-closed',
    title: 'SIGHUP: the terminal is closed',
    script: 'at-terminal close in-role victim victim wait',
    told: {
      victim: {
        ...byKernel('terminal', 'SIGHUP', 'tty'),
        summary: 'victim was ended by SIGHUP: its terminal <tty> was closed.',
      },
    },
  },
  {
    name: 'session-leader-exits',
    title: 'SIGHUP: the leader of its session at the terminal exits',
    script: `at-terminal stay in-role leader sh -c 'in-role victim victim wait & sleep 0.3; exit 3'`,
    told: {
      victim: {
        ...byKernel('terminal', 'SIGHUP', 'tty'),
        summary:
          "victim was ended by SIGHUP: the leader of its session at terminal <tty>, sh -c 'in-role victim victim wait & sleep 0.3; exit 3' (pid <leader>, uid 0), ended by itself with exit code 3.",
      },
    },
  },
  {
    name: 'stopped-job-orphaned',
    title: 'SIGHUP: the shell that alone could have continued a stopped job ends',
    script: `at-terminal stay in-role leader sh -c 'set -m; in-role victim victim wait & sleep 0.2; kill -STOP $!; sleep 0.1'; sleep 0.1`,
    told: {
      victim: {
        ...byKernel('terminal', 'SIGHUP', 'tty'),
        signals: ['SIGSTOP from leader, delivered'],
        summary:
          "victim was ended by SIGHUP: it was stopped, and sh -c 'set -m; in-role victim victim wait & sleep 0.2;…' (pid <leader>, uid 0), which alone could have continued it, ended by itself with exit code 0.",
      },
    },
  },
  {
    name: 'terminal-holder-killed',
    title: 'SIGHUP: the program that holds its terminal open, such as sshd, is killed',
    script: `at-terminal stay in-role victim victim wait & role holder $!; sleep 0.3; send kill $(pid_of holder) 9; wait`,
    told: {
      victim: {
        ...byKernel('terminal', 'SIGHUP', 'tty'),
        summary:
          'victim was ended by SIGHUP: its terminal <tty> was closed when at-terminal stay in-role victim victim wait (pid <holder>, uid 0), which had held it open, was killed with SIGKILL by sender kill <holder> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'timeout-term',
    title: '`timeout`: SIGTERM to its child',
    script: '/usr/bin/timeout 0.4 in-role victim victim wait & role killer $!; wait',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'killer',
        via: 'kill',
        summary:
          'victim was killed with SIGTERM by timeout 0.4 in-role victim victim wait (pid <killer>, uid 0), because of a time limit of <time>.',
      },
    },
  },
  {
    name: 'timeout-kill',
    title: '`timeout -k`: SIGTERM, ignored, then SIGKILL',
    script: '/usr/bin/timeout -k 0.4 0.4 in-role victim victim ignore-term & role killer $!; wait',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill',
        summary:
          'victim was killed with SIGKILL by timeout -k 0.4 0.4 in-role victim victim ignore-term (pid <killer>, uid 0) after the stop timeout of <time>, because of a time limit of <time>.',
      },
      killer: {
        ...itself('SIGKILL', 'kill-group', 'killer'),
        summary: 'timeout ended itself with SIGKILL (it sent the signal to its whole process group).',
      },
    },
  },
  {
    name: 'timeout-passes-on',
    title: '`timeout` whose child is killed by another passes that on',
    script:
      '/usr/bin/timeout 5 in-role victim victim wait & role caller $!; sleep 0.3; send kill $(pid_of victim) 15; wait',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'killer',
        summary: 'victim was killed with SIGTERM by sender kill <victim> 15 (pid <killer>, uid 0).',
      },
      caller: {
        ...itself('SIGTERM', 'tgkill', 'caller'),
        summary:
          'timeout ended itself with SIGTERM, passing on the end of victim wait (pid <victim>), which was killed with SIGTERM by sender kill <victim> 15 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'sigio',
    title: 'SIGIO: O_ASYNC without a handler',
    script: 'notified 0 > out & V=$!; role victim $V; reap',
    told: { victim: { ...ready('SIGIO'), summary: readyText('SIGIO') } },
  },
  {
    name: 'fcntl-signal',
    title: 'SIGUSR1: F_SETSIG without a handler',
    script: 'notified 10 > out & V=$!; role victim $V; reap',
    told: { victim: { ...ready('SIGUSR1'), summary: readyText('SIGUSR1') } },
  },
  {
    name: 'ptrace-kill',
    title: 'SIGKILL: PTRACE_KILL',
    script: 'start wait; tracer kill $V & role killer $!; wait $!; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'likely',
        exit: 'SIGKILL',
        killer: 'killer',
        senderStatus: 'seen',
        via: 'unknown',
        signals: ['SIGSTOP from the kernel, delivered'],
        summary: 'victim was killed with SIGKILL by tracer kill <victim> (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'ptrace-exit-kill',
    title: 'SIGKILL: PTRACE_O_EXITKILL, when the tracer ends',
    script: 'start wait; tracer exit $V & role killer $!; wait $!; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'tracer-exit',
        summary:
          'victim was killed with SIGKILL by the kernel, because tracer exit <victim> (pid <killer>, uid 0), which traced it, ended.',
      },
    },
  },
  {
    name: 'ptrace-inject',
    title: 'SIGTERM: PTRACE_CONT with a signal, which no record tells of',
    script: 'start wait; tracer inject $V & role tracer $!; wait $!; reap',
    told: {
      victim: {
        cause: 'unknown',
        confidence: 'possible',
        exit: 'SIGTERM',
        killer: null,
        senderStatus: 'unseen',
        signals: ['SIGSTOP from the kernel, delivered'],
        summary: 'victim was killed with SIGTERM; its sender was not seen.',
      },
    },
  },
]

function itself(exit: string, via: string, role = 'victim'): Omit<ToldDeath, 'summary'> {
  return { cause: 'self', confidence: 'certain', exit, killer: role, senderStatus: 'seen', via: via as 'kill' }
}

function byKernel(cause: string, exit: string, via = 'kernel'): Omit<ToldDeath, 'summary'> {
  return { cause: cause as 'fault', confidence: 'certain', exit, killer: null, senderStatus: 'none', via: via as 'tty' }
}

function fault(name: string, title: string, how: string, exit: string, what: string): Way {
  return {
    name,
    title,
    script: `run crasher ${how}; reap`,
    told: {
      victim: {
        ...byKernel('fault', exit),
        signals: [],
        summary: `crasher crashed with ${exit} (${what}).`,
      },
    },
  }
}

function seccomp(name: string, title: string, how: string): Way {
  return {
    name,
    title,
    script: `run forbidden ${how}; reap`,
    told: {
      victim: {
        ...byKernel('seccomp', 'SIGSYS'),
        signals: [],
        summary: 'forbidden was killed with SIGSYS by its seccomp filter, for a system call that is forbidden to it.',
      },
    },
  }
}

function limit(name: string, title: string, how: string, exit: string, why: string): Way {
  return {
    name,
    title,
    script: `run limited ${how}; reap`,
    told: {
      victim: { ...byKernel('resource-limit', exit), summary: `limited was killed with ${exit} because ${why}.` },
    },
  }
}

function timer(name: string, title: string, how: string, exit: string): Way {
  return {
    name,
    title,
    script: `run limited ${how}; reap`,
    told: {
      victim: {
        ...byKernel('timer', exit, 'timer'),
        signals: [],
        summary: `limited was ended by ${exit}: a timer that it had set itself ran out.`,
      },
    },
  }
}

function parentDeath(name: string, title: string, number: number, exit: string): Way {
  return {
    name,
    title,
    script: `bereaved ${number} > out & role parent $!; roles_in out; wait; sleep 0.1`,
    told: {
      victim: {
        cause: 'parent-death',
        confidence: 'certain',
        exit,
        killer: 'parent',
        senderStatus: 'seen',
        via: 'kernel',
        signals: [],
        summary: `victim was killed with ${exit} because its parent bereaved ${number} (pid <parent>, uid 0) ended by itself with exit code 0 (it had asked for that with PR_SET_PDEATHSIG).`,
      },
    },
  }
}

function cgroupKill(): ToldDeath {
  return {
    cause: 'cgroup-kill',
    confidence: 'certain',
    exit: 'SIGKILL',
    killer: 'killer',
    via: 'cgroup.kill',
    incident: 'cgroup',
    summary: `victim was killed with SIGKILL together with its whole cgroup, through cgroup.kill by sh -c 'echo 1 > cgroup.kill; true' (pid <killer>, uid 0).`,
  }
}

function ready(exit: string): Omit<ToldDeath, 'summary'> {
  return { cause: 'unknown', confidence: 'possible', exit, killer: null, senderStatus: 'none', via: 'kernel' }
}

function readyText(signal: string): string {
  return `notified was killed with ${signal} by the kernel, possibly because a file was ready for which somebody had asked for that signal (F_SETOWN).`
}
