import type { ToldDeath, Way } from '../way.ts'

const containerId = '5a1c0ffee0ddba11'.repeat(4)
const container = { id: containerId, runtime: 'docker' }

/** `contain PROGRAM…`: in a container, with namespaces of its own and a cgroup as docker names it, as its first process. */
const contain = `G=$CGROUP/docker-${containerId}.scope; mkdir "$G"
contain() { unshare -p -m -u -i -f sh -c 'echo 0 > "$0/cgroup.procs"; exec "$@"' "$G" "$@"; }
empty() { for try in 1 2 3 4 5; do rmdir "$G" 2> /dev/null && return; sleep 0.1; done; }`

/** Victims and killers in namespaces and containers. */
export const namespaces: readonly Way[] = [
  {
    name: 'namespace-from-outside',
    title: 'kill from the host of a process in a pid namespace',
    script: `unshare -p -f sh -c 'in-role victim victim wait & wait; :' & sleep 0.3
send kill $(pid_of victim) 9; wait`,
    told: { victim: { ...killedBy('sender kill <victim> 9'), victimIs: { nsPid: 2 } } },
  },
  {
    name: 'namespace-inner-pid',
    title: 'kill inside a pid namespace, by the number that counts there',
    script: `unshare -p -f sh -c 'in-role victim victim wait & sleep 0.2; in-role killer sender kill $! 9; wait'; :`,
    told: {
      victim: { ...killedBy('sender kill 2 9'), victimIs: { nsPid: 2 }, killerIs: { nsPid: 4 } },
    },
  },
  {
    name: 'namespace-entered',
    title: 'kill by a process that entered the pid namespace of its victim',
    script: `unshare -p -f sh -c 'in-role init sleep 0.6 & in-role victim victim wait & wait; :' & sleep 0.3
nsenter -t $(pid_of init) -p in-role killer sender kill 3 9; wait`,
    told: { victim: { ...killedBy('sender kill 3 9'), victimIs: { nsPid: 3 } } },
  },
  {
    name: 'namespace-nested',
    title: 'kill from a pid namespace into one inside it',
    script: `cat > outer.sh <<'X'
unshare -p -f sh -c 'in-role victim victim wait & wait; :' &
sleep 0.3
set -- $(grep NSpid: /proc/$(sed -n "s/^$WAY role victim //p" "$FACTS")/status)
echo "$WAY role inner $3" >> "$FACTS"
in-role killer sender kill $3 9
wait
X
unshare -p -f sh outer.sh; :`,
    told: { victim: { ...killedBy('sender kill <inner> 9'), victimIs: { nsPid: 2 } } },
  },
  {
    name: 'namespace-kill-all',
    title: '`kill -9 -1` inside a pid namespace, which ends there',
    script: `start wait
unshare -p -f sh -c 'in-role insider victim wait & sleep 0.2; in-role killer sender kill -1 9; wait'; send_as other kill $V 9; reap`,
    told: {
      insider: {
        ...killedBy('sender kill -1 9'),
        via: 'kill-all',
        summary:
          'victim was killed with SIGKILL by sender kill -1 9 (pid <killer>, uid 0), sent to every process it may signal.',
      },
      victim: {
        ...killedBy('sender kill <victim> 9'),
        killer: 'other',
        signals: [],
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 (pid <other>, uid 0).',
      },
    },
  },
  {
    name: 'namespace-end',
    title: 'the first process of a pid namespace is killed from outside',
    script: `unshare -p -f in-role init sh -c 'in-role victim victim wait & wait; :' & sleep 0.3
send kill $(pid_of init) 9; wait`,
    told: {
      init: { ...killedBy('sender kill <init> 9', 'sh'), victimIs: { nsPid: 1 } },
      victim: {
        cause: 'pid-namespace-exit',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: null,
        senderStatus: 'none',
        summary:
          "victim was killed with SIGKILL by the kernel, because the first process of its pid namespace (its container), sh -c 'in-role victim victim wait & wait; :' (pid <init>, uid 0), was killed with SIGKILL by sender kill <init> 9 (pid <killer>, uid 0).",
      },
    },
  },
  {
    name: 'user-namespace',
    title: 'killer and victim in user namespaces: the user is told as the host counts',
    script: `cp "$(command -v victim)" "$(command -v sender)" .; PATH=.:$PATH
as 1001 - unshare -U -r victim wait & V=$!; role victim $V; sleep 0.3
as 1001 - unshare -U -r sender kill $V 9 & role killer $!; reap; wait`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9', 'victim', 'uid 1001'),
        victimIs: { uid: 1001, euid: 1001 },
        killerIs: { uid: 1001, euid: 1001 },
      },
    },
  },
  {
    name: 'refused-by-other-number',
    title: 'a refused kill inside a pid namespace, of a number that means another process outside',
    script: `cat > inside.sh <<'X'
cp "$(command -v sender)" .
number() { sed -n "s/^$WAY role $1 //p" "$FACTS"; }
in-role victim victim wait & V=$!
sleep 0.2
echo $(($(number victim) - 1)) > /proc/sys/kernel/ns_last_pid
in-role other victim wait &
sleep 0.2
as 1001 - ./sender kill $(number victim) 9
in-role killer sender kill $V 9
in-role killer2 sender kill $(number victim) 9
wait
X
unshare -p -f sh inside.sh > /dev/null; :`,
    told: {
      victim: { ...killedBy('sender kill 4 9'), evidenceNot: ['refused-signal'] },
      other: {
        cause: 'signal',
        confidence: 'certain',
        killer: 'killer2',
        evidence: ['refused-signal'],
        summary: 'victim was killed with SIGKILL by sender kill <victim> 9 (pid <killer2>, uid 0).',
      },
    },
  },
  {
    name: 'refused-outside',
    title: 'a kill inside a pid namespace, of a number that only exists outside',
    script: `start wait
unshare -p -f sender kill $V 9 > /dev/null
send kill $V 9; reap`,
    told: { victim: { ...killedBy('sender kill <victim> 9'), evidenceNot: ['refused-signal'] } },
  },
  {
    name: 'subreaper-ancestry',
    title: 'killer and victim that a subreaper adopted: who made them is told',
    script: `reaper sh -c 'spawn orphan in-role victim victim wait' > /dev/null; sleep 0.1
reaper spawn daemon in-role killer sender kill $(pid_of victim) 9 > /dev/null`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9'),
        victimIs: { ancestors: ['spawn orphan in-role victim victim wait', 'spawn orphan in-role victim victim wait'] },
        killerIs: {
          ancestors: [
            'spawn daemon in-role killer sender kill <victim> 9',
            'spawn daemon in-role killer sender kill <victim> 9',
            'reaper spawn daemon in-role killer sender kill <victim> 9',
          ],
        },
      },
    },
  },
  {
    name: 'subreaper-death',
    title: 'the parent-death signal, when a subreaper that adopted the process ends',
    script: `reaper spawn orphan mourner 15 victim wait > pid & role reaper $!
sleep 0.1; role victim $(cat pid); wait; sleep 0.1`,
    told: {
      victim: {
        cause: 'parent-death',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'reaper',
        summary:
          'victim was killed with SIGTERM because its parent reaper spawn orphan mourner 15 victim wait (pid <reaper>, uid 0) ended by itself with exit code 0 (it had asked for that with PR_SET_PDEATHSIG).',
      },
    },
  },
  {
    name: 'container-from-outside',
    title: 'kill from the host of the first process of a container',
    script: `${contain}
contain in-role victim victim wait & sleep 0.4
send kill $(pid_of victim) 9; wait; empty`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9', '5a1c0ffee0dd'),
        service: '5a1c0ffee0dd',
        victimIs: { nsPid: 1, container },
        killerIs: { container: null },
      },
    },
  },
  {
    name: 'container-from-inside',
    title: 'kill by a process that was started in the container later (docker exec)',
    script: `${contain}
contain in-role victim victim catch-term & sleep 0.4
nsenter -t $(pid_of victim) -p sh -c 'echo 0 > "$0/cgroup.procs"; exec in-role killer sender kill 1 15' "$G"; wait; empty`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'likely',
        exit: 0,
        killer: 'killer',
        service: '5a1c0ffee0dd',
        killerIs: { container },
        summary:
          '5a1c0ffee0dd was ended by SIGTERM from sender kill 1 15 (pid <killer>, uid 0): it caught the signal and exited with code 0 <time> later.',
      },
    },
  },
  {
    name: 'container-against-host',
    title: 'kill by a container that shares the pids of the host',
    script: `${contain}
start wait
sh -c 'echo 0 > "$0/cgroup.procs"; exec in-role killer sender kill $1 9' "$G" $V; reap; empty`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9', 'victim', 'uid 0, in container 5a1c0ffee0dd'),
        victimIs: { container: null },
        killerIs: { container },
      },
    },
  },
  {
    name: 'container-init-spared',
    title: 'SIGKILL inside a container for its first process, which the kernel spares; then one from outside',
    script: `${contain}
contain in-role victim sh -c 'in-role insider sender kill 1 9; sleep 0.7; :' & sleep 0.4
send kill $(pid_of victim) 9; wait; empty`,
    told: {
      victim: {
        ...killedBy('sender kill <victim> 9', '5a1c0ffee0dd'),
        signals: ['SIGKILL from insider, ignored'],
      },
    },
  },
  {
    name: 'container-by-cgroup-kill',
    title: 'a container is ended by its cgroup.kill',
    script: `${contain}
contain in-role victim sh -c 'in-role member victim wait & wait; :' & sleep 0.4
sh -c 'echo 1 > "$0/cgroup.kill"' "$G" & role killer $!; wait; empty`,
    told: {
      victim: {
        cause: 'cgroup-kill',
        confidence: 'certain',
        killer: 'killer',
        victimIs: { container },
        incident: 'the container',
        summary: `5a1c0ffee0dd was killed with SIGKILL together with its whole cgroup, through cgroup.kill by sh -c 'echo 1 > "$0/cgroup.kill"' … (pid <killer>, uid 0).`,
      },
      member: {
        cause: 'cgroup-kill',
        confidence: 'certain',
        killer: 'killer',
        incident: 'the container',
        victimIs: { container },
        summary: `victim wait (pid <member>) of 5a1c0ffee0dd was killed with SIGKILL together with its whole cgroup, through cgroup.kill by sh -c 'echo 1 > "$0/cgroup.kill"' … (pid <killer>, uid 0).`,
      },
    },
  },
  {
    name: 'container-init-ends',
    title: 'a container whose first process ends by itself, and takes the others along',
    script: `${contain}
contain in-role victim sh -c 'in-role member victim wait & sleep 0.3; exit 3'; empty`,
    told: {
      victim: {
        cause: 'exit',
        confidence: 'certain',
        exit: 3,
        service: '5a1c0ffee0dd',
        summary: '5a1c0ffee0dd ended by itself with exit code 3.',
      },
      member: {
        cause: 'pid-namespace-exit',
        confidence: 'certain',
        killer: null,
        victimIs: { container },
        summary:
          "victim wait (pid <member>) of 5a1c0ffee0dd was killed with SIGKILL by the kernel, because the first process of its pid namespace (its container), sh -c 'in-role member victim wait & sleep 0.3; exit 3' (pid <victim>, uid 0), ended by itself with exit code 3.",
      },
    },
  },
]

/** SIGKILL by a process of this name, everything seen. */
function killedBy(name: string, victim = 'victim', user = 'uid 0'): ToldDeath {
  return {
    cause: 'signal',
    confidence: 'certain',
    exit: 'SIGKILL',
    killer: 'killer',
    summary: `${victim} was killed with SIGKILL by ${name} (pid <killer>, ${user}).`,
  }
}
