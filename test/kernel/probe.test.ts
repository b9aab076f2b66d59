import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { ExecRecord, ExitRecord, KernelRecord, OpenRecord, SignalRecord } from '@whokilled/agent/record/record'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GuestRun, runInGuest } from './lab/guest.ts'
import { kernelImage } from './lab/kernel-image.ts'

/** One guest runs all of guest/scenarios.sh under the probe; each test looks at its part of the records. */
let run: GuestRun
let lines: string[]
let records: KernelRecord[]
let rejected: string[]
let facts: Map<string, Record<string, number>>

beforeAll(async () => {
  const script = await readFile(join(import.meta.dirname, 'guest/scenarios.sh'), 'utf8')
  const { modules } = await kernelImage(() => undefined)
  run = await runInGuest({ script, files: { '/lab/overlay.ko': join(modules, 'fs/overlayfs/overlay.ko') } })
  lines = (await run.read('records')).toString('latin1').split('\n').slice(0, -1)
  const parsed = lines.map(parseRecord)
  records = parsed.flatMap((one) => ('record' in one ? [one.record] : []))
  rejected = parsed.flatMap((one, at) => ('rejected' in one ? [`${one.rejected}: ${lines[at]}`] : []))
  facts = factsIn((await run.read('facts')).toString())
})

afterAll(async () => {
  await run?.[Symbol.asyncDispose]()
})

describe('the run as a whole', () => {
  test('every line is a record of the protocol', () => {
    expect(rejected).toEqual([])
  })

  test('it starts and ends in order, and no number is missing, under 15,000 signals and a flood of execs', async () => {
    expect(lines.length).toBeGreaterThan(21_000)
    const seqs = records.map((record) => record.seq).sort((a, b) => a - b)
    expect(seqs.findIndex((seq, at) => seq !== at + 1)).toBe(-1)
    expect(records[0]).toMatchObject({ type: 'start', seq: 1, v: 1, probe: 'systemtap', page: 4096 })
    expect(records[0]).toMatchObject({ version: expect.any(String) })
    expect(records.at(-1)).toMatchObject({ type: 'stop', seq: lines.length, skipped: 0, errors: 0, lost: 0 })
    expect(fact('staprun').status).toBe(0)
    const flood = await Promise.all(['signals', 'execs.1', 'execs.2'].map((name) => run.read(`flood.${name}`)))
    console.log(`in the emulated guest: ${lines.length} records, none lost; ${flood.join(' ').replaceAll('\n', '')}`)
  })

  test('a heartbeat comes each second, with clocks that agree', () => {
    const beats = of('heartbeat')
    const spanSeconds = Number((records.at(-1)?.time ?? 0n) - (records[0]?.time ?? 0n)) / 1e9
    expect(beats.length).toBeGreaterThan(spanSeconds * 0.8)
    for (const beat of beats) {
      expect(Math.abs(Number(beat.boot - beat.time))).toBeLessThan(1e9)
      expect(Math.abs(Number(beat.real / 1_000_000n) - Date.now())).toBeLessThan(3_600_000)
    }
  })

  test('no process ends twice', () => {
    const lives = of('exit').map((exit) => `${exit.pid} ${exit.start}`)
    expect(lives.filter((life, at) => lives.indexOf(life) !== at)).toEqual([])
  })
})

describe('signals from a process', () => {
  test.each([
    ['by-kill', 'kill', 0, 1],
    ['by-kill-32bit', 'kill', 0, 1],
    ['by-tkill', 'tkill', -6, 0],
    ['by-tgkill', 'tgkill', -6, 0],
    ['by-pidfd', 'pidfd_send_signal', 0, 1],
  ])('%s: the sender, the call and the target are told', (name, call, code, group) => {
    const { victim, sender } = fact(name)
    expect(signalsTo(victim)).toEqual([
      expect.objectContaining({
        ...{ sig: 15, call, code, group, info: 'user', result: 'delivered', disp: 'default', blocked: 0 },
        ...{ pid: sender, comm: 'sender', exe: '/lab/programs/sender', uid: 0, euid: 0, ctx: 0, exiting: 0 },
        ...{ tpid: victim, ttid: victim, tcomm: 'victim', tuid: 0, cgroup: '/', tcgroup: '/' },
      }),
    ])
    expect(exitOf(victim).code).toBe(15)
  })

  test.each([
    ['by-forge', 'rt_sigqueueinfo', 1],
    ['by-forge-thread', 'rt_tgsigqueueinfo', 0],
  ])('%s: a forged sender is reported as a claim beside the true one', (name, call, group) => {
    const { victim, sender } = fact(name)
    expect(signalsTo(victim)).toEqual([
      expect.objectContaining({ call, group, code: -60, pid: sender, uid: 0, sipid: 1, siuid: 4242 }),
    ])
  })

  test('the number that the caller wrote is kept, and start times join the records of a process', () => {
    const { victim, sender } = fact('by-kill')
    const [signal] = signalsTo(victim)
    expect(signal).toMatchObject({ arg: victim, start: execOf(sender).start, tstart: exitOf(victim).start })
    expect(of('fork').find(({ pid }) => pid === victim)?.start).toBe(exitOf(victim).start)
  })

  test("a shell's built-in kill names the shell, and its exec has the script", () => {
    const { victim, sender } = fact('by-shell')
    expect(signalsTo(victim)).toEqual([expect.objectContaining({ sig: 9, pid: sender, comm: 'sh' })])
    expect(execOf(sender)).toMatchObject({
      file: '/bin/sh',
      exe: '/bin/sh',
      argv: `sh\0-c\0kill -KILL ${victim}; true\0`,
    })
  })

  test('a group kill makes one record for each member, with the group as it was written', () => {
    const { victim, sender } = fact('group')
    const sent = of('signal').filter(({ pid, call }) => pid === sender && call === 'kill')
    expect(sent).toHaveLength(3)
    for (const signal of sent) {
      expect(signal).toMatchObject({ arg: -victim, sig: 9, group: 1 })
      expect(exitOf(signal.tpid).code).toBe(9)
    }
  })

  test('a handler is told apart from the default, whatever the exit code', () => {
    const { victim } = fact('caught')
    expect(signalsTo(victim)).toEqual([expect.objectContaining({ sig: 15, disp: 'handler', result: 'delivered' })])
    expect(exitOf(victim).code).toBe(0)
  })

  test('ignored, blocked and already pending signals say so', () => {
    const ignored = signalsTo(fact('ignored').victim)
    expect(ignored.map(({ sig, result, disp }) => [sig, result, disp])).toEqual([
      [15, 'ignored', 'ignore'],
      [9, 'delivered', 'default'],
    ])
    const blocked = signalsTo(fact('blocked').victim)
    expect(blocked.map(({ sig, result, blocked }) => [sig, result, blocked])).toEqual([
      [15, 'delivered', 1],
      [15, 'pending', 1],
      [9, 'delivered', 0],
    ])
  })

  test('inside a pid namespace both numbers of the target are told', () => {
    const { victim: outside } = fact('pid-namespace')
    const killed = of('signal').find(
      ({ tppid, sig }) => sig === 9 && tppid !== undefined && parentOf(tppid) === outside,
    )
    expect(killed).toMatchObject({ comm: 'sh', arg: killed?.tnspid, tcomm: 'victim' })
    expect(killed?.tnspid).not.toBe(killed?.tpid)
    expect(killed?.tnsid).toBe(killed?.nsid)
    expect(killed?.tnsid).not.toBe(execOf(outside).nsid)
  })
})

describe('signals from the kernel', () => {
  test('a fault and an abort name the victim itself', () => {
    const { victim: faulty } = fact('segv')
    expect(signalsTo(faulty)).toEqual([
      expect.objectContaining({ sig: 11, pid: faulty, info: 'user', code: 1, call: 'none', group: 0 }),
    ])
    expect(signalsTo(faulty)[0]).not.toHaveProperty('sipid')
    expect((exitOf(faulty).code & 0x7f) as number).toBe(11)
    const { victim: aborted } = fact('abort')
    expect(signalsTo(aborted)).toEqual([expect.objectContaining({ sig: 6, pid: aborted, call: 'tgkill' })])
  })

  test('cgroup.kill names who wrote it', () => {
    const { victim, sender } = fact('cgroup-kill')
    const signals = signalsTo(victim)
    expect(signals).toEqual([
      expect.objectContaining({
        ...{ sig: 9, info: 'noinfo', group: 0, call: 'write' },
        ...{ pid: sender, comm: 'sh', tcgroup: '/doomed' },
      }),
    ])
    expect(signals[0]).not.toHaveProperty('code')
    expect(signals[0]).not.toHaveProperty('arg')
  })

  test('the OOM killer names its victim', () => {
    const { victim } = fact('oom')
    expect(of('oom').filter(({ tpid }) => tpid === victim)).toEqual([
      expect.objectContaining({ tpid: victim, tcomm: 'victim', tstart: exitOf(victim).start }),
    ])
    expect(signalsTo(victim)).toContainEqual(expect.objectContaining({ sig: 9, info: 'priv', tcgroup: '/small' }))
    expect(exitOf(victim)).toMatchObject({ code: 9, cgroup: '/small' })
  })

  test('the end of a child is no signal record', () => {
    expect(of('signal').filter(({ sig }) => sig === 17)).toEqual([])
  })
})

describe("the kernel's log of an OOM kill", () => {
  test('has who called, the limit, who held how much, and who was chosen, in one task and in the order of the log', () => {
    const { victim } = fact('oom')
    expect(logBefore(victim)).toEqual([
      expect.stringMatching(/^victim invoked oom-killer: gfp_mask=/),
      expect.stringMatching(/^memory: usage 20\d{3}kB, limit 20480kB, failcnt \d+$/),
      'Tasks state (memory values in pages):',
      expect.stringMatching(/^\[ {2}pid {2}\] +uid +tgid total_vm +rss .*pgtables_bytes swapents oom_score_adj name$/),
      expect.stringMatching(new RegExp(`^\\[ +${victim}\\] +0 +${victim} +\\d+ +5\\d{3} .* 0 victim$`)),
      'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)',
      ...[',cpuset=', '/', ',mems_allowed=0', ',oom_memcg=', '/small', ',task_memcg=', '/small'],
      `,task=victim,pid=${victim},uid=0`,
    ])
    expect(logOf(victim).at(-1)).toMatch(`Memory cgroup out of memory: Killed process ${victim} (victim) total-vm:`)
  })

  test('keeps names and paths that look like lines of it in their places', () => {
    const { victim } = fact('oom-hostile')
    const name = '1]\n[ 1] 0 1 9'
    const lines = logBefore(victim)
    expect(lines).toHaveLength(logBefore(fact('oom').victim).length)
    expect(lines[0]?.startsWith(`${name} invoked oom-killer: `)).toBe(true)
    expect(lines[4]?.endsWith(` 0 ${name}`)).toBe(true)
    expect(lines.slice(-4)).toEqual([
      '/small,task=init,pid=1',
      ',task_memcg=',
      '/small,task=init,pid=1',
      `,task=${name},pid=${victim},uid=0`,
    ])
  })

  test('has nothing of what others write to /dev/kmsg, also in that moment', () => {
    expect(of('log').filter(({ text }) => text.includes('forged'))).toEqual([])
    const printers = new Set(of('log').map(({ pid }) => pid))
    expect([...printers]).toEqual([fact('oom').victim, fact('oom-hostile').victim])
  })
})

describe('opened pidfiles', () => {
  test('one that is written is empty when it is opened, and has its process', () => {
    const { sender } = fact('pidfile-written')
    expect(opensBy(sender)).toEqual([
      expect.objectContaining({ path: '/tmp/pids/daemon.pid', write: 1, text: '', comm: 'sh', uid: 0, cgroup: '/' }),
    ])
    expect(opensBy(sender)[0]).toMatchObject({ start: exitOf(sender).start })
    expect(opensBy(sender)[0]).not.toHaveProperty('exe')
  })

  test.each([
    ['pidfile-read', '/tmp/pids/daemon.pid', '4242\n'],
    ['pidfile-old', '/tmp/pids/daemon.pid', '4242\n'],
    ['pidfile-empty', '/tmp/pids/empty.pid', ''],
    ['pidfile-bytes', '/tmp/pids/bytes.pid', 'a\tb\n\\ \xff\x01'],
    ['pidfile-long', '/tmp/pids/long.pid', '7'.repeat(32)],
    ['pidfile-hostile', `/tmp/pids/a\nopen\t1\t1\t#1\n\\ \xff${'\t'.repeat(180)}.pid`, '1\n'],
    ['pidfile-deleted', '/tmp/pids/hidden.pid (deleted)', '1\n'],
    ['pidfile-link', '/tmp/pids/daemon.pid', '4242\n'],
    ['pidfile-shortest', '/tmp/pids/.pid', '1\n'],
    ['pidfile-overlay-below', '/tmp/merged/old.pid', '77\n'],
    ['pidfile-overlay-above', '/tmp/merged/new.pid', '78\n'],
    ['pidfile-overlay-copied', '/tmp/merged/old.pid', '79\n'],
  ])('%s: its path, its beginning and when it was changed are told', (name, path, text) => {
    const { sender, mtime } = fact(name)
    const opens = opensBy(sender)
    expect(opens).toEqual([expect.objectContaining({ path, write: 0, text, comm: 'cat' })])
    if (mtime !== undefined) expect(Number((opens[0]?.mtime ?? 0n) / 1_000_000_000n)).toBe(mtime)
  })

  test.each(['pidfile-deep', 'no-pidfile-fifo', 'no-pidfile-name', 'no-pidfile-missing', 'no-pidfile-directory'])(
    '%s: nothing is told',
    (name) => {
      expect(opensBy(fact(name).sender)).toEqual([])
      expect(execOf(fact(name).sender).argv).toBeDefined()
    },
  )
})

test('on a host with the version 1 hierarchies the cgroup is the one that a controller has', () => {
  const { victim } = fact('version-1')
  expect(signalsTo(victim)).toEqual([expect.objectContaining({ cgroup: '/', tcgroup: '/deep' })])
  expect(exitOf(victim).cgroup).toBe('/deep')
})

describe('failed calls', () => {
  test('are told with their error, and signal 0 is not', () => {
    const failed = of('signal-failed').map(({ pid, call, sig, arg, err, uid }) => ({ pid, call, sig, arg, err, uid }))
    const { victim } = fact('eperm')
    expect(failed).toEqual([
      { pid: fact('eperm').sender, call: 'kill', sig: 9, arg: victim, err: 1, uid: 1001 },
      { pid: fact('esrch').sender, call: 'kill', sig: 15, arg: 999_999, err: 3, uid: 0 },
      { pid: fact('esrch-32bit').sender, call: 'kill', sig: 15, arg: -999_999, err: 3, uid: 0 },
      { pid: fact('badfd').sender, call: 'pidfd_send_signal', sig: 15, arg: -1, err: 9, uid: 0 },
      { pid: fact('einval').sender, call: 'kill', sig: 99, arg: victim, err: 22, uid: 0 },
    ])
  })
})

describe('ends', () => {
  test('a plain exit has its code', () => {
    expect(exitOf(fact('exit').victim)).toMatchObject({ code: 42 << 8, comm: 'victim' })
  })

  test.each([
    ['strict', 9, 1],
    ['kill', 31, 2],
    ['kill-thread', 31, 2],
    ['trap', 31, 2],
  ])('the seccomp mode is told, also of one that seccomp ended: %s', (how, code, seccomp) => {
    expect(exitOf(fact(`seccomp-${how}`).victim)).toMatchObject({ code, seccomp })
    expect(exitOf(fact('exit').victim).seccomp).toBe(0)
  })

  test('a process of several threads ends once, with the status that its parent gets', () => {
    const { victim } = fact('threads')
    expect(of('exit').filter(({ pid }) => pid === victim)).toEqual([expect.objectContaining({ code: 9 })])
    for (let i = 1; i <= 10; i++) {
      const together = fact(`together-${i}`)
      expect(together.status).toBe(3)
      expect(of('exit').filter(({ pid }) => pid === together.victim)).toEqual([
        expect.objectContaining({ code: 3 << 8 }),
      ])
    }
  })
})

test('exec by another thread keeps the process: same number, same start, one end', () => {
  const { victim } = fact('exec-from-thread')
  const exec = lastExecOf(victim)
  expect(exec).toMatchObject({ comm: 'sleep', tid: victim, start: exitOf(victim).start })
  expect(exec.oldtid).not.toBe(victim)
  expect(of('exit').filter(({ pid }) => pid === victim || pid === exec.oldtid)).toHaveLength(1)
})

describe('hostile text', () => {
  test('arguments with every byte come whole, over several records', () => {
    const { victim } = fact('hostile-arguments')
    const everyByte = Array.from({ length: 4_096 }, (_, i) => String.fromCharCode(1 + (i % 255))).join('')
    const forged = 'exit\t1\t1\tpid=1\tcode=9\t#1\nexit\t2\t2\tpid=1\tcode=9\t#2\n'
    const expected = ['true', everyByte, '', forged, '\xc3\xa9 \xff "quoted" \\x41', ''].join('\0')
    expect(argumentsOf(victim)).toBe(expected)
    expect(lastExecOf(victim)).toMatchObject({ argn: expected.length, file: '/bin/true', comm: 'true' })
  })

  test('arguments of more than 16 KiB are cut there, and their whole length is told', () => {
    const { victim } = fact('long-arguments')
    expect(lastExecOf(victim).argn).toBeGreaterThan(30_000)
    expect(argumentsOf(victim)).toHaveLength(16_384)
  })

  test('a name with tabs, newlines and quotes stays in its field', () => {
    const { victim } = fact('hostile-name')
    const name = 'a\tb\n"\\ \xff\xc3#1='
    expect(signalsTo(victim)).toEqual([expect.objectContaining({ comm: name, tcomm: name })])
    expect(exitOf(victim)).toMatchObject({ comm: name, code: 9 })
  })
})

test('the terminal is named as under /dev', () => {
  const onTerminal = of('exec').find(({ argv }) => argv === 'victim\0exit\x007\0')
  expect(onTerminal?.tty).toBe('pts/0')
  expect(execOf(fact('by-kill').sender).tty).toBe('')
})

function of<T extends KernelRecord['type']>(type: T): Extract<KernelRecord, { type: T }>[] {
  return records.filter((record): record is Extract<KernelRecord, { type: T }> => record.type === type)
}

function signalsTo(victim: number | undefined): SignalRecord[] {
  return of('signal').filter(({ tpid }) => tpid === victim)
}

function opensBy(pid: number | undefined): OpenRecord[] {
  return of('open').filter((open) => open.pid === pid)
}

function logOf(pid: number | undefined): string[] {
  return of('log').flatMap((log) => (log.pid === pid && log.tid === pid ? [log.text] : []))
}

/** What the kernel printed before it chose this victim. */
function logBefore(victim: number): string[] {
  const chosen = of('oom').find(({ tpid }) => tpid === victim)?.seq ?? 0
  return of('log').flatMap((log) => (log.tid === victim && log.seq < chosen ? [log.text] : []))
}

function exitOf(pid: number | undefined): ExitRecord {
  return found(
    of('exit').find((exit) => exit.pid === pid),
    `an exit of ${pid}`,
  )
}

function execOf(pid: number | undefined): ExecRecord {
  return found(
    of('exec').find((exec) => exec.pid === pid),
    `an exec of ${pid}`,
  )
}

function lastExecOf(pid: number | undefined): ExecRecord {
  return found(
    of('exec').findLast((exec) => exec.pid === pid),
    `an exec of ${pid}`,
  )
}

/** The pieces of the arguments of the last exec, put together where they say they belong. */
function argumentsOf(pid: number | undefined): string {
  const exec = lastExecOf(pid)
  let whole = exec.argv ?? ''
  for (const piece of of('args').filter((args) => args.pid === pid && args.seq > exec.seq)) {
    expect(piece.at).toBe(whole.length)
    whole += piece.argv
  }
  return whole
}

function parentOf(pid: number): number | undefined {
  return of('fork').find((fork) => fork.pid === pid)?.ppid
}

function fact(name: string): Record<string, number> & { victim: number; sender: number } {
  return found(facts.get(name), `a fact named ${name}`) as Record<string, number> & { victim: number; sender: number }
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`Expected ${what}, found none.`)
  return value
}

/** Lines such as `by-kill victim=120 sender=121 status=143`. */
function factsIn(text: string): Map<string, Record<string, number>> {
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', ...pairs] = line.split(' ')
        return [name, Object.fromEntries(pairs.map((pair) => pair.split('=')).map(([k, v]) => [k, Number(v)]))]
      }),
  )
}
