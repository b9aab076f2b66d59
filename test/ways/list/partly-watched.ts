import type { Way } from '../way.ts'

/** Deaths of which a part was not watched. */
export const partlyWatched: readonly Way[] = [
  {
    name: 'older-than-the-watching',
    title: '`kill -9` of a process that ran already when the watching began',
    before: 'start wait',
    script: 'send kill $V 9; reap',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill',
        victimIs: { comm: 'victim', args: ['victim', 'wait'], uid: 0, euid: 0, argsTruncated: false },
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'killed-after-the-clock-was-set',
    title: '`kill -9` right after the clock was set forward by a day',
    needs: 'guest',
    script:
      'start wait; date -s @$(($(date +%s) + 86400)) > /dev/null; send kill $V 9; reap; date -s @$(($(date +%s) - 86400)) > /dev/null',
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: 'killer',
        via: 'kill',
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 (pid <killer>, uid 0).',
      },
    },
  },
]
