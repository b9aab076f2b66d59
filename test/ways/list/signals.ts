import type { Way } from '../way.ts'

/** Ended by a signal of another process. */
export const signals: readonly Way[] = [
  {
    name: 'kill-by-number',
    title: '`kill -9 PID`, the default action',
    script: 'start wait; send kill $V 9; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill',
        signals: [],
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 (pid <killer>, uid 0).',
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
        summary:
          'victim was ended by SIGTERM from sender kill <victim> 15 (pid <killer>, uid 0): it caught the signal and exited with code 0 <time> later.',
      },
    },
  },
]
