import type { ToldDeath, Way } from '../way.ts'

/** Killers and victims that are hard to name. */
export const whoIsWho: readonly Way[] = [
  {
    name: 'vforked-killer',
    title: 'a killer that was started by vfork and lived a moment',
    script: 'start wait; role killer $(spawn vfork sender kill $V 9); reap',
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killerIs: { comm: 'sender', ancestors: ['spawn vfork sender kill <victim> 9'] },
      },
    },
  },
  {
    name: 'orphaned-killer',
    title: 'a killer whose parent has gone',
    script: 'start wait; role killer $(spawn orphan sender kill $V 9); reap',
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killerIs: { ancestors: ['spawn orphan sender kill <victim> 9', 'spawn orphan sender kill <victim> 9'] },
      },
    },
  },
  {
    name: 'daemon-killer',
    title: 'a killer that made itself a daemon: two forks, a session of its own',
    script: 'start wait; role killer $(spawn daemon sender kill $V 9); reap',
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killerIs: { ancestors: ['spawn daemon sender kill <victim> 9', 'spawn daemon sender kill <victim> 9'] },
      },
    },
  },
  {
    name: 'deep-killer',
    title: 'a killer with forty ancestors',
    script: 'start wait; role killer $(spawn deep sender kill $V 9); reap',
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killerIs: { ancestors: new Array(32).fill('spawn deep sender kill <victim> 9') },
      },
    },
  },
  {
    name: 'clone-parent-killer',
    title: 'a killer made as a sibling of its maker (CLONE_PARENT)',
    script: "start wait; role killer $(sh -c 'spawn clone-parent sender kill $1 9; sleep 0.1' sh $V); reap",
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killerIs: { ancestors: ["sh -c 'spawn clone-parent sender kill $1 9; sleep 0.1' sh <victim>"] },
      },
    },
  },
  {
    name: 'subshell-killer',
    title: 'a subshell that never ran another program',
    script: `start wait
sh -c '(read -r K rest < /proc/self/stat; echo $K > killer; kill -9 $1); :' sh $V
role killer $(cat killer); reap`,
    told: {
      victim: {
        ...killedBy("sh -c '(read -r K rest < /proc/self/stat; echo $K > ki…' sh <victim>"),
        killerIs: {
          comm: 'sh',
          ancestors: ["sh -c '(read -r K rest < /proc/self/stat; echo $K > ki…' sh <victim>"],
        },
      },
    },
  },
  {
    name: 'background-subshell-killer',
    title: 'a subshell in the background whose shell has gone',
    script: `start wait
sh -c '(sleep 0.1; kill -9 $1) & echo $! > killer' sh $V
role killer $(cat killer); reap`,
    told: {
      victim: {
        ...killedBy("sh -c '(sleep 0.1; kill -9 $1) & echo $! > killer' sh <victim>"),
        killerIs: { ancestors: ["sh -c '(sleep 0.1; kill -9 $1) & echo $! > killer' sh <victim>"] },
      },
    },
  },
  {
    name: 'script-killer',
    title: 'a script that was run by its own name (#!/bin/sh)',
    script: `start wait
printf '#!/bin/sh\\nkill -9 $1\\n' > deploy.sh; chmod +x deploy.sh
./deploy.sh $V & role killer $!; reap`,
    told: { victim: { ...killedBy('sh ./deploy.sh <victim>'), killerIs: { comm: 'deploy.sh' } } },
  },
  {
    name: 'env-script-killer',
    title: 'a script whose interpreter env finds (#!/usr/bin/env node)',
    script: `start wait
printf "#!$(command -v env) node\\n"'process.kill(process.argv[2], 9)\\n' > deploy.js; chmod +x deploy.js
./deploy.js $V & role killer $!; reap`,
    told: { victim: killedBy('node ./deploy.js <victim>') },
  },
  {
    name: 'busybox-killer',
    title: 'kill of busybox, called as an applet',
    script: 'start wait; busybox kill -9 $V & role killer $!; reap',
    told: { victim: killedBy('busybox kill -9 <victim>') },
  },
  {
    name: 'busybox-link-killer',
    title: 'kill of busybox, called by its link',
    script: `start wait
ln -sf "$(command -v busybox)" kill; ./kill -9 $V & role killer $!; reap`,
    told: { victim: killedBy('kill -9 <victim>') },
  },
  {
    name: 'setuid-killer',
    title: 'a set-user-ID program, run by a user who had logged in',
    script: `start wait
cp "$(command -v sender)" as-root; chmod 4755 as-root
as 1001 1001 ./as-root kill $V 9 & role killer $!; reap`,
    told: {
      victim: {
        ...killedBy('as-root kill <victim> 9', 'uid 1001, acting as uid 0'),
        killerIs: { uid: 1001, euid: 0, loginUid: 1001 },
      },
    },
  },
  {
    name: 'user-changing-killer',
    title: 'a killer that is another user, and another program, when its victim ends',
    script: `sh -c 'trap "sleep 0.2; exit 0" TERM; while :; do sleep 0.05; done' & V=$!; role victim $V; sleep 0.2
sh -c 'kill $1; exec as 1001 - sleep 0.4' sh $V & role killer $!; reap; wait`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'likely',
        killer: 'killer',
        signal: 'SIGTERM',
        killerIs: { uid: 0, euid: 0, comm: 'sh' },
        summary:
          "sh was ended by SIGTERM from sh -c 'kill $1; exec as 1001 - sleep 0.4' sh <victim> (pid <killer>, uid 0): it caught the signal and exited with code 0 <time> later.",
      },
    },
  },
  {
    name: 'program-changing-killer',
    title: 'a killer that asks first, and then runs another program to kill',
    script: `start ignore-term
sh -c 'kill $1; exec sender kill $1 9' sh $V & role killer $!; reap`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        signals: ['SIGTERM from killer, ignored'],
        summary:
          'victim was killed with SIGKILL by sender kill <victim> 9 (pid <killer>, uid 0), <time> after it had ignored its SIGTERM.',
      },
    },
  },
  {
    name: 'thread-killer',
    title: 'kill by another thread than the first',
    script: 'start wait; from-thread kill $V 9 & role killer $!; reap',
    told: { victim: { ...killedBy('from-thread kill <victim> 9'), killerIs: { comm: 'from-thread' } } },
  },
  {
    name: 'leaderless-killer',
    title: 'kill by a thread whose first thread has ended',
    script: 'start wait; from-thread leave-and-kill $V 9 & role killer $!; reap',
    told: { victim: { ...killedBy('from-thread leave-and-kill <victim> 9'), killerIs: { comm: 'from-thread' } } },
  },
  {
    name: 'thread-exec-killer',
    title: 'a killer that another thread than the first made of its process by exec',
    script: 'start wait; from-thread exec sender kill $V 9 & role killer $!; reap',
    told: { victim: { ...killedBy('sender kill <victim> 9'), killerIs: { comm: 'sender' } } },
  },
  {
    name: 'thread-fork-killer',
    title: 'a killer that another thread than the first forked',
    script: `start wait
from-thread fork sh -c 'echo $$ > killer; exec sender kill $1 9' sh $V; role killer $(cat killer); reap`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killerIs: {
          ancestors: ["from-thread fork sh -c 'echo $$ > killer; exec sender kill $1 9' sh <victim>"],
        },
      },
    },
  },
  {
    name: 'thread-exec-victim',
    title: 'a victim that another thread than the first made of its process by exec',
    script: 'from-thread exec victim wait & V=$!; role victim $V; sleep 0.3; send kill $V 9; reap',
    told: { victim: { ...killedBy('sender kill <victim> 9'), victimIs: { comm: 'victim' } } },
  },
  {
    name: 'thread-victim',
    title: 'tkill of one thread of many',
    script: `start threads 3
T=$(ls /proc/$V/task | tail -n 1); role thread $T; send tkill $T 9; reap`,
    told: {
      victim: {
        ...killedBy('sender tkill <thread> 9'),
        via: 'tkill',
        summary: 'victim was killed with SIGKILL by sender tkill <thread> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'there-before',
    title: 'killer and victim that were there before the watching',
    before: `start wait
mkfifo go; sh -c 'read -r word < go; kill -9 $1' sh $V & role killer $!`,
    script: 'echo go > go; reap',
    told: {
      victim: killedBy("sh -c 'read -r word < go; kill -9 $1' sh <victim>"),
    },
  },
  {
    name: 'hostile-arguments',
    title: 'arguments with tabs, line breaks, quotes, escape sequences and bytes that are no text',
    script: `start wait
sender kill $V 9 "$(printf 'a\\tb\\nc "d" \\033[31m\\342\\200\\256\\377 #1=')" "it's \\\\" & role killer $!; reap`,
    told: {
      victim: {
        ...killedBy(`sender kill <victim> 9 $'a\\x09b\\x0ac "d" \\x1b[31m\\u202e\\\\xff #1=' 'it'\\''s \\'`),
        killerIs: {
          args: ['sender', 'kill', '<victim>', '9', 'a\tb\nc "d" \u001b[31m\u202e\\xff #1=', "it's \\"],
        },
      },
    },
  },
  {
    name: 'forged-record',
    title: 'arguments made to look like records',
    script: `start wait
sender kill $V 9 "$(printf '\\nexit\\t1\\t1\\tpid=%s\\tcode=9\\t#1\\nsignal\\t2\\t2\\tsig=9\\tpid=1\\ttpid=%s\\tcall=kill\\t#2\\n' $V $V)" & role killer $!; reap`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        killer: 'killer',
        exit: 'SIGKILL',
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 … (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'long-arguments',
    title: '20,000 bytes of arguments',
    script: `start wait
sender kill $V 9 "$(head -c 20000 /dev/zero | tr '\\0' x)" & role killer $!; reap`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… …'),
        killerIs: { argsTruncated: true },
      },
    },
  },
  {
    name: 'secret-arguments',
    title: 'arguments with secrets',
    script: `start wait
sender kill $V 9 --password hunter2 --token=hunter3 https://me:hunter4@example.com & role killer $!; reap`,
    told: {
      victim: {
        ...killedBy("sender kill <victim> 9 --password '<redacted>' '--token=<redacted>' …"),
        killerIs: { redacted: true },
      },
    },
  },
  {
    name: 'renamed-killer',
    title: 'a killer that calls itself a kernel thread',
    script: "start wait; disguise comm 'kworker/0:1' $V & role killer $!; reap",
    told: { victim: { ...killedBy('disguise comm kworker/0:1 <victim>'), killerIs: { comm: 'kworker/0:1' } } },
  },
  {
    name: 'hostile-name-killer',
    title: 'a killer whose own name has tabs, line breaks and bytes that are no text',
    script: `start wait; disguise comm "$(printf 'a\\tb\\n#1=\\377\\033[2J')" $V & role killer $!; reap`,
    told: {
      victim: {
        ...killedBy("disguise comm $'a\\x09b\\x0a#1=\\\\xff\\x1b[2J' <victim>"),
        killerIs: { comm: 'a\tb\n#1=\\xff\u001b[2J' },
      },
    },
  },
  {
    name: 'renamed-victim',
    title: 'a victim that gave itself another name is told by what it runs',
    script: `run sh -c 'printf something-else > /proc/$$/comm; while :; do sleep 0.05; done'
send kill $V 9; reap`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        service: 'sh',
        victimIs: { comm: 'something-else' },
        summary: 'sh was killed with SIGKILL by sender kill <victim> 9 (pid <killer>, uid 0).',
      },
    },
  },
  {
    name: 'title-writing-killer',
    title: 'a killer that overwrote its arguments, seen since its start',
    script: "start wait; disguise title '[kworker/0:1]' $V & role killer $!; reap",
    told: { victim: killedBy('disguise title [kworker/0:1] <victim>') },
  },
  {
    name: 'misnamed-killer',
    title: 'a killer whose first argument names another program',
    script: `start wait; cp "$(command -v disguise)" /tmp/dropper
/tmp/dropper argument0 nginx $V & role killer $!; reap; rm /tmp/dropper`,
    told: {
      victim: { ...killedBy('nginx kill nginx <victim> (program /tmp/dropper)'), killerIs: { file: '/tmp/dropper' } },
    },
  },
  {
    name: 'deleted-killer',
    title: 'a killer that removed its own executable first',
    script: `start wait; cp "$(command -v disguise)" /tmp/dropper
/tmp/dropper gone /tmp/dropper $V & role killer $!; reap`,
    told: {
      victim: { ...killedBy('dropper gone /tmp/dropper <victim>'), killerIs: { file: '/tmp/dropper' } },
    },
  },
  {
    name: 'memory-file-killer',
    title: 'a killer that ran from a file in memory (memfd_create)',
    script: 'start wait; disguise memfd payload $V & role killer $!; reap',
    told: {
      victim: {
        ...killedBy('payload kill payload <victim> (program memfd:payload)'),
        killerIs: { exe: '/memfd:payload (deleted)' },
      },
    },
  },
]

/** SIGKILL by a process of this name, everything seen. */
function killedBy(name: string, user = 'uid 0'): ToldDeath {
  return {
    cause: 'signal',
    confidence: 'certain',
    exit: 'SIGKILL',
    killer: 'killer',
    summary: `victim was killed with SIGKILL by ${name} (pid <killer>, ${user}).`,
  }
}
