import type { Way } from '../way.ts'
import { byKill } from './debian.ts'
import { loginsAndJobs } from './logins-and-jobs.ts'
import { systemd } from './systemd.ts'

/** Killers that act for somebody else. */
export const messengers: readonly Way[] = [
  {
    name: 'kill-by-script',
    title: 'kill(1) in a script: for the script',
    script: `
start wait
printf 'in-role killer busybox kill -9 "$1"\\n:\\n' > cleanup.sh
in-role script sh cleanup.sh $V; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: {
          kind: 'process',
          name: 'sh cleanup.sh <victim>',
          process: 'script',
          rule: 'tool',
          confidence: 'certain',
        },
        summary:
          'victim was killed with SIGKILL by busybox kill -9 <victim> (pid <killer>, uid 0), for sh cleanup.sh <victim>.',
      },
    },
  },
  {
    name: 'xargs-by-script',
    title: 'xargs kill in the background of a script that has ended: for the script',
    script: `
start wait
printf '(sleep 0.2; echo "$1" | xargs in-role killer busybox kill) &\\n' > cleanup.sh
in-role script sh cleanup.sh $V; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'process', process: 'script', rule: 'tool', confidence: 'certain' },
        summary:
          'victim was killed with SIGTERM by busybox kill <victim> (pid <killer>, uid 0), for sh cleanup.sh <victim>.',
      },
    },
  },
  {
    name: 'pkill-by-script',
    title: 'pkill in a script: for the script',
    script: `
sh -c 'in-role victim victim wait & wait' & P=$!; role parent $P; sleep 0.3
printf 'in-role killer pkill -9 -P "$1" victim\\n:\\n' > cleanup.sh
in-role script sh cleanup.sh $P; wait`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'script', rule: 'tool', confidence: 'certain' },
        summary:
          'victim was killed with SIGKILL by pkill -9 -P <parent> victim (pid <killer>, uid 0), for sh cleanup.sh <parent>.',
      },
    },
  },
  {
    name: 'kill-by-given-code',
    title: '`sh -c` of a script: for the script',
    script: `
start wait
printf 'in-role killer sh -c "kill -9 $1"\\n:\\n' > cleanup.sh
in-role script sh cleanup.sh $V; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'script', rule: 'tool' },
        summary:
          "victim was killed with SIGKILL by sh -c 'kill -9 <victim>' (pid <killer>, uid 0), for sh cleanup.sh <victim>.",
      },
    },
  },
  {
    name: 'script-alone',
    title: 'a script whose shell kills: for nobody that is known',
    script: `
start wait
printf 'kill -9 "$1"\\n' > cleanup.sh
in-role killer sh cleanup.sh $V; reap`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: null,
        summary: 'victim was killed with SIGKILL by sh cleanup.sh <victim> (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'passed-on-by-script',
    title: 'a script that catches SIGTERM and sends it to what it runs: for who had asked the script',
    script: `
printf 'trap "kill \\$!; wait" TERM\\nin-role victim victim wait &\\nwait\\n' > run.sh
in-role killer sh run.sh & K=$!; sleep 0.4
send_as asker kill $K 15; wait $K`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'process', process: 'asker', rule: 'passed-on', confidence: 'likely' },
        summary:
          'victim was killed with SIGTERM by sh run.sh (pid <killer>, uid 0), likely for sender kill <killer> 15.',
      },
    },
  },
  {
    name: 'time-limit-of-busybox',
    title: 'timeout of busybox, whose killer is a child of its victim: for the limit that the caller had set',
    script: `
printf 'busybox timeout 1 in-role victim victim wait limited-by-busybox\\n:\\n' > backup.sh
in-role script sh backup.sh & S=$!; sleep 0.5
role killer $(ps -eo pid,args | sed -n 's|^ *\\([0-9]*\\) busybox timeout .*limited-by-busybox$|\\1|p'); wait $S`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'policy', process: 'script', rule: 'time-limit', confidence: 'certain' },
        summary:
          'victim was killed with SIGTERM by busybox timeout 1 in-role victim victim wait limited-by-busybox (pid <killer>, uid 0), because of a time limit of <time> of sh backup.sh.',
      },
    },
  },
  ...loginsAndJobs,
  ...systemd,
]
