import type { ToldDeath, Way } from '../way.ts'

const mebibyte = 1024 ** 2

/** `limited LIMIT`: makes the group $G, with that limit; `member ROLE ADJUSTMENT PROGRAM…`: one in it, $M. */
const limited = `limited() { G=$CGROUP/$WAY; mkdir "$G"; echo "$1" > "$G/memory.max"; }
member() { ROLE=$1 ADJUSTMENT=$2; shift 2
sh -c 'echo $$ > "$0/cgroup.procs"; echo "$1" > /proc/self/oom_score_adj; shift; exec "$@"' "$G" "$ADJUSTMENT" "$@" &
M=$!; role $ROLE $M; }
gone() { for try in 1 2 3 4 5; do rmdir "$1" 2> /dev/null && return; sleep 0.1; done; }`

/** Killed because a group's limit was reached; `because` without its end, `eater` where that was not the victim. */
function ofGroup(
  because: string,
  oom: { cgroup: string; limitBytes: number | null; consumers?: null },
  more: Partial<ToldDeath> = {},
): ToldDeath {
  return {
    cause: 'oom',
    confidence: 'certain',
    exit: 'SIGKILL',
    killer: null,
    senderStatus: 'none',
    via: 'kernel',
    oom: { scope: 'cgroup', ...oom },
    evidence: ['oom-victim', 'exit'],
    summary: `victim was killed by the kernel's OOM killer, because ${because}.`,
    ...more,
  }
}

const sharedGroup = { cgroup: '/oom-shared-memory', limitBytes: 20 * mebibyte }
const sharedSummary =
  "hold was killed by the kernel's OOM killer, because cgroup /oom-shared-memory reached its limit of 20 MiB."

const sendingCallSummary =
  "hold was killed by the kernel's OOM killer, because cgroup /oom-in-sending-call reached its limit of 20 MiB; most memory was held by in-call (pid <innocent>, <size>)."

/** Ended by the OOM killer. */
export const memory: readonly Way[] = [
  {
    name: 'oom-limit',
    title: 'the OOM killer, memory limit of its control group',
    needs: 'guest',
    script: `${limited}
limited 20M; member victim 0 victim memory; wait; gone "$G"`,
    told: {
      victim: ofGroup('cgroup /oom-limit reached its limit of 20 MiB', {
        cgroup: '/oom-limit',
        limitBytes: 20 * mebibyte,
      }),
    },
  },
  {
    name: 'oom-limit-above',
    title: 'the OOM killer, memory limit of a group above its own',
    needs: 'guest',
    script: `${limited}
limited 20M; echo +memory > "$G/cgroup.subtree_control"; A=$G G=$G/inner; mkdir "$G"
member victim 0 victim memory; wait; gone "$G"; gone "$A"`,
    told: {
      victim: ofGroup('cgroup /oom-limit-above reached its limit of 20 MiB', {
        cgroup: '/oom-limit-above',
        limitBytes: 20 * mebibyte,
      }),
    },
  },
  {
    name: 'oom-bystander',
    title: 'the OOM killer, where another process ate the memory',
    needs: 'guest',
    script: `${limited}
limited 40M; member victim 1000 hold 6; sleep 0.2; member eater 0 hold 36; wait $(pid_of victim)
kill -KILL $(pid_of eater); wait; gone "$G"`,
    told: {
      victim: ofGroup(
        'cgroup /oom-bystander reached its limit of 40 MiB',
        { cgroup: '/oom-bystander', limitBytes: 40 * mebibyte },
        {
          summary:
            "hold was killed by the kernel's OOM killer, because cgroup /oom-bystander reached its limit of 40 MiB; most memory was held by hold (pid <eater>, <size>).",
        },
      ),
    },
  },
  {
    name: 'oom-group',
    title: 'the OOM killer, a group that dies as a whole (`memory.oom.group`)',
    needs: 'guest',
    script: `${limited}
limited 20M; echo 1 > "$G/memory.oom.group"; member one 0 hold 1; member two 0 hold 1; sleep 0.2
member victim 0 victim memory; wait; gone "$G"`,
    told: {
      victim: ofGroup(
        'cgroup /oom-group reached its limit of 20 MiB',
        { cgroup: '/oom-group', limitBytes: 20 * mebibyte },
        { incident: 'the group' },
      ),
      one: ofGroupWith('hold', '/oom-group', 'victim'),
      two: ofGroupWith('hold', '/oom-group', 'victim'),
    },
  },
  {
    name: 'oom-shared-memory',
    title: 'the OOM killer, along with the process whose memory it shares',
    needs: 'guest',
    script: `${limited}
limited 20M; member victim 0 hold 30 shared > out; roles_in out; wait; gone "$G"`,
    told: {
      chosen: ofGroup('', sharedGroup, { incident: 'both', summary: sharedSummary }),
      victim: ofGroup('', sharedGroup, {
        incident: 'both',
        evidence: ['exit'],
        evidenceNot: ['oom-victim'],
        summary: sharedSummary,
      }),
    },
  },
  {
    name: 'oom-files',
    title: 'the OOM killer, where files in memory ate it',
    needs: 'guest',
    script: `${limited}
limited 20M; sh -c 'echo $$ > "$0/cgroup.procs"; exec dd if=/dev/zero of=/dev/shm/fill bs=1M count=17' "$G" 2> /dev/null
member victim 0 victim memory; wait; rm /dev/shm/fill; gone "$G"`,
    told: {
      victim: ofGroup(
        'cgroup /oom-files reached its limit of 20 MiB; most memory was not held by processes, but by files in memory or the kernel',
        { cgroup: '/oom-files', limitBytes: 20 * mebibyte },
      ),
    },
  },
  {
    name: 'oom-limit-lowered',
    title: 'the OOM killer, after the limit was set to less than was in use',
    needs: 'guest',
    script: `${limited}
limited 60M; member victim 0 hold 30; sleep 0.3; sh -c 'echo 10M > "$0/memory.max"; true' "$G" & role lowerer $!; wait; gone "$G"`,
    told: {
      victim: ofGroup(
        '',
        { cgroup: '/oom-limit-lowered', limitBytes: 10 * mebibyte },
        {
          summary:
            "hold was killed by the kernel's OOM killer, because sh -c 'echo 10M > \"$0/memory.max\"; true' /sys/fs/cgroup/oom-limit-lowered (pid <lowerer>, uid 0) set the limit of cgroup /oom-limit-lowered to 10 MiB, less than it used.",
        },
      ),
    },
  },
  {
    name: 'oom-in-sending-call',
    title: 'the OOM killer, while the one that ran out of memory was in a system call that sends signals',
    needs: 'guest',
    script: `${limited}
limited 20M; member victim 1000 hold 4; sleep 0.2; member innocent 0 in-call $(pid_of victim) 17; wait; gone "$G"`,
    told: {
      victim: ofGroup(
        '',
        { cgroup: '/oom-in-sending-call', limitBytes: 20 * mebibyte },
        { summary: sendingCallSummary },
      ),
    },
  },
  {
    name: 'oom-no-table',
    title: 'the OOM killer, where the kernel lists no processes (`vm.oom_dump_tasks=0`)',
    needs: 'guest',
    script: `${limited}
limited 20M; echo 0 > /proc/sys/vm/oom_dump_tasks; member victim 0 victim memory; wait
echo 1 > /proc/sys/vm/oom_dump_tasks; gone "$G"`,
    told: {
      victim: ofGroup('cgroup /oom-no-table reached its limit of 20 MiB', {
        cgroup: '/oom-no-table',
        limitBytes: 20 * mebibyte,
        consumers: null,
      }),
    },
  },
  {
    name: 'oom-hostile-names',
    title: 'the OOM killer, with a program and a group whose names look like lines of its report',
    needs: 'guest',
    script: `${limited}
WAY=,task=init,pid=1 limited 20M; cp "$(command -v victim)" "$SCRATCH/1]
[ 1] 0 1 9"
member victim 0 "$SCRATCH/1]
[ 1] 0 1 9" memory; wait; rm "$SCRATCH"/1*; gone "$G"`,
    told: {
      victim: ofGroup(
        '',
        { cgroup: '/,task=init,pid=1', limitBytes: 20 * mebibyte },
        {
          summary:
            "1]\\x0a[ 1] 0 1 9 was killed by the kernel's OOM killer, because cgroup /,task=init,pid=1 reached its limit of 20 MiB.",
        },
      ),
    },
  },
  {
    name: 'oom-host',
    title: 'the OOM killer, the whole machine out of memory',
    needs: 'guest',
    script: `read -r name total kind < /proc/meminfo
free=$(sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
echo $(((free - 350000) / 2048)) > /proc/sys/vm/nr_hugepages
sh -c 'echo 900 > /proc/self/oom_score_adj; exec victim memory' & V=$!; role victim $V; wait
echo 0 > /proc/sys/vm/nr_hugepages`,
    told: {
      victim: {
        cause: 'oom',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: null,
        senderStatus: 'none',
        oom: { scope: 'host', limitBytes: null },
        summary: "victim was killed by the kernel's OOM killer, because the host was out of memory.",
      },
    },
  },
  {
    name: 'oom-by-hand',
    title: 'the OOM killer, called by hand (SysRq f)',
    needs: 'guest',
    script: `sh -c 'echo 1000 > /proc/self/oom_score_adj; exec hold 20' & V=$!; role victim $V; sleep 0.2
echo f > /proc/sysrq-trigger; wait`,
    told: {
      victim: {
        cause: 'oom',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: null,
        senderStatus: 'none',
        oom: { scope: 'sysrq', limitBytes: null },
        summary:
          "hold was killed by the kernel's OOM killer, because somebody called the OOM killer by hand (SysRq f).",
      },
    },
  },
  {
    name: 'oom-many',
    title: 'the OOM killer, so often that the kernel prints no report any more',
    needs: 'guest',
    script: `${limited}
limited 4M; i=0; while [ $i -lt 13 ]; do member other 0 victim memory; wait; i=$((i + 1)); done
member victim 0 victim memory; wait; gone "$G"`,
    told: {
      victim: {
        cause: 'oom',
        confidence: 'certain',
        exit: 'SIGKILL',
        killer: null,
        oom: { scope: 'cgroup', limitBytes: null, consumers: null },
        summary: "victim was killed by the kernel's OOM killer, because a memory limit of its cgroup was reached.",
      },
    },
  },
  {
    name: 'address-space-limit',
    title: 'no memory because of its own limit (`ulimit -v`): it exits by itself',
    script: 'ulimit -v 50000; hold 200 & V=$!; role victim $V; reap',
    told: {
      victim: {
        cause: 'exit',
        confidence: 'certain',
        exit: 1,
        killer: null,
        summary: 'hold ended by itself with exit code 1.',
      },
    },
  },
]

/** Another process of a group that dies as a whole. */
function ofGroupWith(name: string, cgroup: string, eater: string): ToldDeath {
  return ofGroup(
    '',
    { cgroup, limitBytes: 20 * mebibyte },
    {
      incident: 'the group',
      summary: `${name} was killed by the kernel's OOM killer, because cgroup ${cgroup} reached its limit of 20 MiB; most memory was held by victim (pid <${eater}>, <size>).`,
    },
  )
}
