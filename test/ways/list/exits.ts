import type { ToldDeath, Way } from '../way.ts'

/** Ended with nobody behind it. */
export const exits: readonly Way[] = [
  {
    name: 'exit-0',
    title: 'exit code 0',
    script: 'run victim exit 0; reap',
    told: { victim: { ...exit(0), summary: 'victim ended by itself with exit code 0.' } },
  },
  {
    name: 'exit-1',
    title: 'exit code 1',
    script: 'run victim exit 1; reap',
    told: { victim: { ...exit(1), summary: 'victim ended by itself with exit code 1.' } },
  },
  {
    name: 'uncaught-exception',
    title: 'an uncaught exception (Node.js)',
    script: `echo 'throw new Error("boom")' > boom.js; run node boom.js 2> /dev/null; reap`,
    told: { victim: { ...exit(1), summary: 'boom.js ended by itself with exit code 1.' } },
  },
  {
    name: 'shell-error',
    title: 'a shell script that stops at an error',
    script: `echo 'set -eu; echo $missing' > broken.sh; run sh broken.sh 2> /dev/null; reap`,
    told: { victim: { ...exit(2), summary: 'broken.sh ended by itself with exit code 2.' } },
  },
  {
    name: 'program-missing',
    title: 'exec of a program that is not there',
    script: `echo 'exec ./missing' > start.sh; run sh start.sh 2> /dev/null; reap`,
    told: {
      victim: {
        ...exit(127),
        summary: 'start.sh ended by itself with exit code 127, as shells do when they do not find a program.',
      },
    },
  },
  {
    name: 'program-not-executable',
    title: 'exec of a file that is no program',
    script: `: > data; echo 'exec ./data' > start.sh; run sh start.sh 2> /dev/null; reap`,
    told: {
      victim: {
        ...exit(126),
        summary: 'start.sh ended by itself with exit code 126, as shells do when they cannot run a program.',
      },
    },
  },
  {
    name: 'core-dumped',
    title: 'SIGSEGV, with a core',
    script: 'ulimit -S -c unlimited; run crasher segv; reap; rm -f core core.$V',
    told: {
      victim: {
        cause: 'fault',
        confidence: 'certain',
        exit: 'SIGSEGV',
        coreDumped: true,
        killer: null,
        summary: 'crasher crashed with SIGSEGV (a memory fault of its own), and a core was dumped.',
      },
    },
  },
  {
    name: 'shell-passes-on-137',
    title: 'exit code 137 of a shell whose child was killed',
    script: `echo 'in-role child victim wait; exit $?' > service.sh
      run sh service.sh; sleep 0.2; send kill $(pid_of child) 9; reap`,
    told: {
      child: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        summary: 'victim was killed with SIGKILL by sender kill <child> 9 (pid <killer>, uid 0).',
      },
      victim: {
        ...exit(137),
        evidence: ['earlier-death', 'exit'],
        summary:
          'service.sh ended by itself with exit code 137, passing on the end of victim wait (pid <child>), which was killed with SIGKILL by sender kill <child> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'shells-pass-on-143',
    title: 'exit code 143 of a shell in a shell, whose child was ended',
    script: `echo 'in-role child victim wait; exit $?' > inner.sh; echo 'sh inner.sh; exit $?' > outer.sh
      run sh outer.sh; sleep 0.3; send kill $(pid_of child) 15; reap`,
    told: {
      victim: {
        ...exit(143),
        summary:
          'outer.sh ended by itself with exit code 143, passing on the end of victim wait (pid <child>), which was killed with SIGTERM by sender kill <child> 15 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'fails-without-its-child',
    title: 'exit code 1 of a script right after its child was killed',
    script: `echo 'in-role child victim wait || exit 1' > service.sh
      run sh service.sh; sleep 0.2; send kill $(pid_of child) 9; reap`,
    told: {
      victim: {
        ...exit(1),
        evidence: ['earlier-death', 'exit'],
        summary:
          'service.sh ended by itself with exit code 1, <time> after its child victim wait (pid <child>, uid 0) was killed with SIGKILL by sender kill <child> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'shell-passes-on-139',
    title: 'exit code 139 of a shell whose child crashed',
    script: `echo 'in-role child crasher segv; exit $?' > service.sh; run sh service.sh 2> /dev/null; reap`,
    told: {
      victim: {
        ...exit(139),
        summary:
          'service.sh ended by itself with exit code 139, passing on the end of crasher segv (pid <child>), which crashed with SIGSEGV (a memory fault of its own).',
      },
    },
  },
  {
    name: 'exit-137-of-its-own',
    title: 'exit code 137 though nobody killed anything',
    script: 'run victim exit 137; reap',
    told: {
      victim: {
        ...exit(137),
        summary: 'victim ended by itself with exit code 137 (as after SIGKILL, but none was seen).',
      },
    },
  },
  {
    name: 'daemon-killed',
    title: 'a daemon that forked twice, and is killed',
    script: `(setsid sh -c 'in-role victim victim wait & :' &) ; sleep 0.4; send kill $(pid_of victim) 9; sleep 0.1`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'exec-of-another',
    title: 'a process that becomes another program, and exits',
    script: `echo 'sleep 0.3; exec victim exit 4' > wrapper.sh; run sh wrapper.sh; reap`,
    told: { victim: { ...exit(4), service: 'victim', summary: 'victim ended by itself with exit code 4.' } },
  },
]

function exit(code: number): Omit<ToldDeath, 'summary'> {
  return { cause: 'exit', confidence: 'certain', exit: code, killer: null, signals: [] }
}
