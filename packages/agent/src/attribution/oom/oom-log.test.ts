import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProcessEntry } from '../../process/entry.ts'
import type { KernelRecord } from '../../record/record.ts'
import type { Ending } from '../causes/cause.ts'
import { OomLog } from './oom-log.ts'

const called = (order = 0, comm = 'sh') =>
  `${comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=${order}, oom_score_adj=0`
const limit = (kilobytes: number | bigint = 20_480) => `memory: usage 20476kB, limit ${kilobytes}kB, failcnt 37`
const table = [
  'Tasks state (memory values in pages):',
  '[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name',
]
const row = (pid: number, rss: number, swap = 0, comm = 'worker') =>
  `[${String(pid).padStart(7)}]     0 ${String(pid).padStart(5)}     5406 ${String(rss).padStart(8)}    77824 ${String(swap).padStart(8)}             0 ${comm}`
/** In pieces, as newer kernels have it. */
const chosen = (pid: number, { limited = '/shop', own = '/shop', comm = 'victim', cpuset = '/' } = {}) => [
  ...['oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)', ',cpuset=', cpuset, ',mems_allowed=0'],
  ...[',oom_memcg=', limited, ',task_memcg=', own, `,task=${comm},pid=${pid},uid=0`],
]
const ofHost = (pid: number, constraint = 'CONSTRAINT_NONE') => [
  ...[`oom-kill:constraint=${constraint},nodemask=(null)`, ',cpuset=', '/', ',mems_allowed=0', ',global_oom'],
  ...[',task_memcg=', '/shop', `,task=victim,pid=${pid},uid=0`],
]
const killed = (pid: number, kind = 'Memory cgroup out of memory') =>
  `${kind}: Killed process ${pid} (victim) total-vm:21624kB, anon-rss:20268kB, file-rss:4kB, shmem-rss:692kB, UID:0`
const usual = [called(), limit(), ...table, row(800, 4_000), row(4242, 200), row(900, 10, 900), ...chosen(4242)]

const victim = (pid: number, cgroup = '/shop') => ({ pid, cgroup }) as ProcessEntry

type Told = { [R in KernelRecord as R['type']]: Omit<R, 'seq' | 'time'> }[KernelRecord['type']] & {
  target?: ProcessEntry
  afterMs?: number
  skip?: number
}

/** What was told of these processes, in these numbers of tasks: lines of `by`, then its victims. */
class Kernel {
  readonly log = new OomLog()
  private seq = 1
  private time = 1_000_000_000n

  make({ target, afterMs = 1, skip = 0, ...record }: Told): this {
    this.seq += 1 + skip
    this.time += BigInt(afterMs) * 1_000_000n
    this.log.follow({ ...record, seq: this.seq, time: this.time } as KernelRecord, { target })
    return this
  }

  prints(lines: readonly string[], by: number | undefined = 700): this {
    for (const text of lines) this.make({ type: 'log', ...(by === undefined ? {} : { pid: by, tid: by }), text })
    return this
  }

  chooses(target: ProcessEntry, by = 700, afterMs = 1): this {
    return this.make({ type: 'oom', tpid: target.pid, pid: by, tid: by, target, afterMs })
  }

  shoots(target: ProcessEntry, by = 700): this {
    return this.make({ type: 'signal', sig: 9, info: 'priv', pid: by, tid: by, tpid: target.pid, target })
  }

  told(process: ProcessEntry) {
    return this.log.of({ victim: process } as Ending)
  }
}

const nginx = victim(4242)

describe('what the log tells of a kill', () => {
  test('a limit of a group, how much it is, and who held how much, most first', () => {
    expect(new Kernel().prints(usual).chooses(nginx).told(nginx)).toEqual({
      scope: 'cgroup',
      cgroup: '/shop',
      limitBytes: 20_971_520,
      consumers: [
        { pid: 800, comm: 'worker', bytes: 16_384_000 },
        { pid: 900, comm: 'worker', bytes: 3_727_360 },
        { pid: 4242, comm: 'worker', bytes: 819_200 },
      ],
      processBytes: 20_930_560,
    })
  })

  test('the line that sums up may come whole, and a group above the victim’s may be the one', () => {
    const whole = chosen(4242, { limited: '/', own: '/shop/cart' }).join('')
    expect(new Kernel().prints([called(), whole]).chooses(nginx).told(nginx)).toMatchObject({ cgroup: '/' })
  })

  test.each([
    ['CONSTRAINT_NONE', 'host'],
    ['CONSTRAINT_CPUSET', 'nodes'],
    ['CONSTRAINT_MEMORY_POLICY', 'nodes'],
    ['CONSTRAINT_OF_TOMORROW', 'unknown'],
  ])('%s is %s', (constraint, scope) => {
    const kernel = new Kernel().prints([called(), ...table, row(4242, 200), ...ofHost(4242, constraint)])
    expect(kernel.chooses(nginx).told(nginx)).toMatchObject({ scope, cgroup: undefined, limitBytes: undefined })
  })

  test('the OOM killer called by hand', () => {
    const kernel = new Kernel().prints([called(-1, 'kworker/0:1'), ...table, row(4242, 200), ...ofHost(4242)])
    expect(kernel.chooses(nginx).told(nginx)).toMatchObject({ scope: 'sysrq' })
  })

  test('newer kernels have more columns, and pages may be larger', () => {
    const newer = [
      'Tasks state (memory values in pages):',
      '[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name',
      '[   4242]    -2  4242     5406      100       90       10         0    77824        7          -500 1 2 3',
    ]
    const kernel = new Kernel().make({ type: 'start', v: 1, probe: 'systemtap', page: 65_536, ...clocks })
    expect(
      kernel
        .prints([called(), ...newer, ...chosen(4242)])
        .chooses(nginx)
        .told(nginx)?.consumers,
    ).toEqual([{ pid: 4242, comm: '1 2 3', bytes: 107 * 65_536 }])
  })

  test('five are named at most, of however many rows', () => {
    const rows = Array.from({ length: 2_000 }, (_, pid) => row(pid + 1, (pid * 7_919) % 2_003))
    const told = new Kernel()
      .prints([called(), ...table, ...rows, ...chosen(4242)])
      .chooses(nginx)
      .told(nginx)
    expect(told?.consumers?.map(({ bytes }) => bytes / 4_096)).toEqual([2_002, 2_001, 2_000, 1_999, 1_998])
  })

  test('without a table the holders are unknown, without a limit the limit is', () => {
    const bare = new Kernel()
      .prints([called(), limit(), ...chosen(4242)])
      .chooses(nginx)
      .told(nginx)
    expect(bare).toMatchObject({ scope: 'cgroup', limitBytes: 20_971_520, consumers: undefined })
    const unlimited = [called(), limit(9_007_199_254_740_988n), ...chosen(4242)]
    expect(new Kernel().prints(unlimited).chooses(nginx).told(nginx)?.limitBytes).toBeUndefined()
    const swap = ['memory+swap: usage 1kB, limit 2kB, failcnt 3', 'swap: usage 1kB, limit 2kB, failcnt 3']
    expect(
      new Kernel()
        .prints([...swap, ...usual])
        .chooses(nginx)
        .told(nginx)?.limitBytes,
    ).toBe(20_971_520)
  })

  test('a kill without a report still has its kind: the kernel prints no more than ten reports in five seconds', () => {
    const kernel = new Kernel().chooses(nginx)
    expect(kernel.told(nginx)).toBeUndefined()
    expect(kernel.prints([killed(4242)]).told(nginx)).toMatchObject({ scope: 'cgroup', cgroup: undefined })
  })
})

describe('lines that do not belong to a kill', () => {
  const nothing = undefined

  test('of another task, of another victim, or of long ago, tell nothing of it', () => {
    expect(new Kernel().prints(usual, 666).chooses(nginx).told(nginx)).toBe(nothing)
    const other = victim(4343)
    expect(new Kernel().prints(usual).chooses(other).told(other)).toBe(nothing)
    expect(new Kernel().prints(usual).chooses(nginx, 700, 6_000).told(nginx)).toBe(nothing)
  })

  test('a second kill of the same task has its own report or none', () => {
    const second = victim(4343)
    const kernel = new Kernel()
      .prints(usual)
      .chooses(nginx)
      .prints([killed(4242)])
    kernel.make({ type: 'open', pid: 700, tid: 700, path: '/x.pid' })
    expect(kernel.chooses(second).told(second)).toBe(nothing)
    const third = victim(4444)
    kernel.prints([called(), limit(1_024), ...chosen(4444)]).chooses(third)
    expect(kernel.told(third)).toMatchObject({ limitBytes: 1_048_576, consumers: undefined })
  })

  test('a report that chose nobody is not taken for the beginning of the next', () => {
    const kernel = new Kernel()
      .prints(usual)
      .prints(['Memory cgroup out of memory: OOM victim 4242 (victim) is already'])
    const next = victim(4343)
    kernel.prints([called(), limit(1_024), ...chosen(4343)]).chooses(next)
    expect(kernel.told(next)).toMatchObject({ limitBytes: 1_048_576, consumers: undefined })
  })

  test('where the probe tells no task, the victim has to be the one', () => {
    const kernel = new Kernel()
    for (const text of usual) kernel.make({ type: 'log', text })
    expect(kernel.chooses(nginx).told(nginx)).toMatchObject({ cgroup: '/shop' })
    const forged = new Kernel()
    for (const text of usual) forged.make({ type: 'log', text })
    expect(forged.chooses(victim(4343)).told(victim(4343))).toBe(nothing)
  })

  test('of many tasks are forgotten', () => {
    const kernel = new Kernel()
    for (let task = 1; task <= 100; task++) kernel.prints(usual, task)
    expect(kernel.chooses(nginx, 1).told(nginx)).toBe(nothing)
  })
})

describe('names that look like lines of the log', () => {
  const evil = [
    '1 2 3 4 5 6 7 8',
    ',pid=1,uid=0',
    ',task=a,pid=1',
    '] 0 1 9\n[ 1] 0 ',
    'a invoked oom-k',
    'oom-kill:constr',
    '\0\x01\xff\t\x1b[31m',
  ]

  test.each(evil)('a process called %j', (comm) => {
    const lines = [called(0, comm), limit(), ...table, row(800, 4_000, 0, comm), ...chosen(4242, { comm })]
    expect(new Kernel().prints(lines).chooses(nginx).told(nginx)).toMatchObject({
      ...{ scope: 'cgroup', cgroup: '/shop', limitBytes: 20_971_520 },
      consumers: [{ pid: 800, comm, bytes: 16_384_000 }],
    })
  })

  test('groups called so', () => {
    const cgroup = '/a,task_memcg=/a,task=init,pid=1,uid=0'
    const shop = victim(4242, cgroup)
    const lines = [...usual.slice(0, -9), ...chosen(4242, { limited: cgroup, own: cgroup })]
    expect(new Kernel().prints(lines).chooses(shop).told(shop)).toMatchObject({ scope: 'cgroup', cgroup })
    const cpuset = 'x,oom_memcg=/host,task_memcg=/host,global_oom,task=a,pid=4242,uid=0'
    for (const joined of [true, false]) {
      const pieces = chosen(4242, { cpuset })
      const told = new Kernel()
        .prints([called(), ...(joined ? [pieces.join('')] : pieces)])
        .chooses(nginx)
        .told(nginx)
      expect(told).toMatchObject({ scope: 'cgroup', cgroup: '/shop' })
    }
    const head = 'oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null)'
    const confused = new Kernel().prints([called(), limit(), ...chosen(4242, { cpuset: head })]).chooses(nginx)
    expect(confused.told(nginx)).toMatchObject({ scope: 'cgroup', cgroup: '/shop', limitBytes: 20_971_520 })
  })

  test('whatever they hold, nothing is told that the kernel did not say', () => {
    const word = fc.constantFrom(
      ...evil,
      ',oom_memcg=/',
      ',task_memcg=',
      ',global_oom',
      'Tasks state (memory',
      '[  pid  ]',
    )
    const bytes = fc.array(fc.oneof(word, fc.string({ unit: 'binary-ascii', maxLength: 4 })), { maxLength: 4 })
    const text = bytes.map((parts) => parts.join('').replaceAll(/[/\n]/g, ''))
    fc.assert(
      fc.property(text, text, text, (name, group, set) => {
        const comm = name.slice(0, 15)
        const cgroup = `/${group}`
        const shop = victim(4242, cgroup)
        const lines = [
          ...[called(0, comm), limit(), ...table, row(800, 4_000, 0, comm)],
          ...chosen(4242, { limited: cgroup, own: cgroup, comm, cpuset: set }),
        ]
        const told = new Kernel().prints(lines).chooses(shop).told(shop)
        if (told === undefined) return
        expect(['cgroup', 'unknown']).toContain(told.scope)
        expect([cgroup, undefined]).toContain(told.cgroup)
        expect([[{ pid: 800, comm, bytes: 16_384_000 }], undefined]).toContainEqual(told.consumers)
      }),
      { numRuns: 2_000 },
    )
  })
})

test('lost lines make it say less, never another group, limit or holder', () => {
  const whole = new Kernel().prints(usual).chooses(nginx).told(nginx)
  for (let from = 0; from < usual.length; from++) {
    for (let lost = 1; from + lost <= usual.length; lost++) {
      const kernel = new Kernel().prints([
        called(),
        limit(64),
        ...table,
        row(1, 9_999),
        ...chosen(5, { limited: '/other' }),
      ])
      for (const [at, text] of usual.entries()) {
        if (at >= from && at < from + lost) continue
        kernel.make({ type: 'log', pid: 700, tid: 700, text, skip: at === from + lost ? lost : 0 })
      }
      kernel.make({
        ...{ type: 'oom', tpid: 4242, pid: 700, tid: 700, target: nginx },
        skip: from + lost === usual.length ? lost : 0,
      })
      const told = kernel.told(nginx)
      if (told === undefined) continue
      expect([whole?.consumers, undefined]).toContainEqual(told.consumers)
      expect(['cgroup', 'unknown']).toContain(told.scope)
      expect(['/shop', undefined]).toContain(told.cgroup)
      expect([20_971_520, undefined]).toContain(told.limitBytes)
    }
  }
})

test('a call by hand whose first line is lost is not taken for a host that is full', () => {
  const lines = [...table, row(4242, 200), ...ofHost(4242)]
  expect(
    new Kernel()
      .prints([called(-1), ...lines])
      .chooses(nginx)
      .told(nginx)?.scope,
  ).toBe('sysrq')
  expect(new Kernel().prints(lines).chooses(nginx).told(nginx)?.scope).toBe('unknown')
})

describe('several victims of one kill', () => {
  const [first, second, stranger] = [victim(4242), victim(4243), victim(4244)]

  test('have one incident and one report; the next kill has another', () => {
    const kernel = new Kernel()
      .prints(usual)
      .shoots(first)
      .chooses(first)
      .prints([killed(4242), 'Tasks in ', '/shop'])
    kernel
      .shoots(second)
      .chooses(second)
      .prints([killed(4243)])
    expect(kernel.told(second)).toEqual(kernel.told(first))
    expect(kernel.log.incidentOf(second)).toBe(kernel.log.incidentOf(first))
    expect([first, second].map((one) => kernel.log.isAlong(one))).toEqual([false, false])
    kernel
      .prints([called(), ...chosen(4244)])
      .shoots(stranger)
      .chooses(stranger)
    expect(kernel.log.incidentOf(stranger)).not.toBe(kernel.log.incidentOf(first))
  })

  test('are also those that share its memory, which the kernel does not name', () => {
    const kernel = new Kernel()
      .prints(usual)
      .shoots(first)
      .chooses(first)
      .prints([killed(4242)])
      .shoots(second)
    expect(kernel.log.isAlong(second)).toBe(true)
    expect(kernel.told(second)).toEqual(kernel.told(first))
    kernel.make({ type: 'exec', pid: 700, tid: 700 }).shoots(stranger)
    expect(kernel.log.isAlong(stranger)).toBe(false)
    expect(kernel.log.incidentOf(stranger)).toBeUndefined()
  })

  test('are not those that another task, an interrupt or a dying process shoots', () => {
    const kernel = new Kernel().prints(usual).chooses(first)
    kernel.shoots(second, 701)
    const signal = { type: 'signal', sig: 9, info: 'priv', pid: 700, tid: 700, tpid: 4243, target: second } as const
    kernel.make({ ...signal, ctx: 2 }).make({ ...signal, exiting: 1 })
    expect(kernel.log.isAlong(second)).toBe(false)
  })
})

const clocks = { real: 0n, mono: 0n, boot: 0n }
