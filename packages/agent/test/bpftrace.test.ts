import { existsSync } from 'node:fs'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bpftraceProbe } from '@whokilled/agent/probe/bpftrace/bpftrace'
import { replayProbe } from '@whokilled/agent/probe/replay'
import type { ExecRecord, ExitRecord, KernelRecord, OpenRecord, SignalRecord } from '@whokilled/agent/record/record'
import { execaSync } from 'execa'
import { beforeAll, describe, expect, test } from 'vitest'
import { differencesBetween } from '../../../test/scenarios/compare.ts'
import { argumentsOf, storiesOf } from '../../../test/scenarios/story.ts'
import { parseAll, runScenarios, type ScenarioRun } from './scenario-run.ts'

const canTrace =
  process.getuid?.() === 0 &&
  existsSync('/sys/kernel/btf/vmlinux') &&
  execaSync('bpftrace', ['--version'], { reject: false }).exitCode === 0

/** One run of test/scenarios/ways.sh on this machine's own kernel; each test looks at its part of the records. */
describe.skipIf(!canTrace)('bpftrace on this kernel (root, bpftrace and BTF are needed)', () => {
  let run: ScenarioRun

  beforeAll(async () => {
    run = await runScenarios(bpftraceProbe())
  }, 120_000)

  describe('the run as a whole', () => {
    test('every line is a record of the protocol', () => {
      expect(run.rejected).toEqual([])
    })

    test('it starts and ends in order, and numbers leave out exactly the lines that were lost', () => {
      const seqs = run.records.map(({ seq }) => seq)
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
      expect(run.records[0]).toMatchObject({ type: 'start', seq: 1, v: 1, probe: 'bpftrace' })
      const stop = run.records.at(-1)
      expect(stop).toMatchObject({ type: 'stop', lost: (stop?.seq ?? 0) - run.lines.length })
    })

    test('records are in the order of their time', () => {
      const times = run.records.map(({ time }) => time)
      expect(times.findIndex((time, at) => time < (times[at - 1] ?? 0n))).toBe(-1)
    })

    test('a heartbeat comes each second, with clocks that agree', () => {
      const beats = of('heartbeat')
      expect(beats.length).toBeGreaterThan(3)
      for (const beat of beats) {
        expect(Math.abs(Number(beat.boot - beat.time))).toBeLessThan(2e9)
        expect(Math.abs(Number(beat.real / 1_000_000n) - Date.now())).toBeLessThan(600_000)
      }
    })

    test('no process ends twice', () => {
      const lives = of('exit').map(({ pid, start }) => `${pid} ${start}`)
      expect(lives.filter((life, at) => lives.indexOf(life) !== at)).toEqual([])
    })

    test('replayed, the lines tell the same story', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'whokilled-replay-'))
      const file = join(folder, 'records')
      await writeFile(file, `${run.lines.join('\n')}\n`, 'latin1')
      const replay = await replayProbe({ file, speed: 'fast' }).start()
      const replayed: string[] = []
      for await (const line of replay.lines()) replayed.push(line)
      await rm(folder, { recursive: true })
      expect(replayed).toEqual(run.lines)
      const stories = storiesOf(parseAll(replayed).records, run.facts)
      expect(differencesBetween(storiesOf(run.records, run.facts), stories)).toEqual([])
    })
  })

  describe('signals from a process', () => {
    test.each([
      ['by-kill', 'kill', 0, 1],
      ['by-tkill', 'tkill', -6, 0],
      ['by-tgkill', 'tgkill', -6, 0],
      ['by-forge', 'rt_sigqueueinfo', -60, 1],
      ['by-forge-thread', 'rt_tgsigqueueinfo', -60, 0],
      ['by-pidfd', 'pidfd_send_signal', 0, 1],
    ])('%s: the sender, who lives a millisecond, the call and the target are told', (name, call, code, group) => {
      const { victim, sender } = fact(name)
      expect(signalsTo(victim)).toEqual([
        expect.objectContaining({
          ...{ sig: 15, call, code, group, info: 'user', result: 'delivered', disp: 'default', blocked: 0 },
          ...{ pid: sender, comm: 'sender', uid: 0, euid: 0, ctx: 0, exiting: 0 },
          ...{ tpid: victim, ttid: victim, tcomm: 'victim', tuid: 0 },
          ...{ start: exitOf(sender).start, tstart: exitOf(victim).start },
        }),
      ])
      expect(exitOf(victim).code).toBe(15)
      expect(argumentsOf(execOf(sender), run.records)).toMatch(/^sender\0/)
    })

    test.each(['by-int80', 'by-32bit-program'])('%s: a call of a 32-bit program is told as any other', (name) => {
      const { victim, sender } = fact(name)
      expect(signalsTo(victim)).toEqual([
        expect.objectContaining({
          ...{ sig: 15, call: 'kill', arg: victim, code: 0, info: 'user', ctx: 0 },
          ...{ pid: sender, tpid: victim },
        }),
      ])
    })

    test("a shell's built-in kill names the shell, and its exec has the script", () => {
      const { victim, sender } = fact('by-shell')
      expect(signalsTo(victim)).toEqual([expect.objectContaining({ sig: 9, pid: sender, comm: 'sh', arg: victim })])
      expect(argumentsOf(execOf(sender), run.records)).toBe(`sh\0-c\0kill -KILL ${victim}; true\0`)
      expect(execOf(sender).file).toMatch(/\/sh$/)
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

    test('a handler is told apart from the default; ignored, blocked and pending signals say so', () => {
      const { victim } = fact('caught')
      expect(signalsTo(victim)).toEqual([expect.objectContaining({ sig: 15, disp: 'handler', result: 'delivered' })])
      expect(exitOf(victim).code).toBe(0)
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
      const init = of('fork').find(({ ppid }) => ppid === outside)
      const killed = of('signal').find(({ sig, tppid }) => sig === 9 && tppid === init?.pid)
      expect(init).toMatchObject({ nspid: 1 })
      expect(killed).toMatchObject({ comm: 'sh', arg: killed?.tnspid, tcomm: 'victim', tnsid: init?.nsid })
      expect(killed?.tnspid).not.toBe(killed?.tpid)
      expect(killed?.tnsid).not.toBe(execOf(outside).nsid)
    })
  })

  describe('signals from the kernel', () => {
    test('a fault and an abort name the victim itself', () => {
      const { victim: faulty } = fact('segv')
      expect(signalsTo(faulty)).toEqual([
        expect.objectContaining({ sig: 11, pid: faulty, info: 'user', code: 1, call: 'none', group: 0 }),
      ])
      expect(exitOf(faulty).code).toBe(11)
      const { victim: aborted } = fact('abort')
      expect(signalsTo(aborted)).toEqual([expect.objectContaining({ sig: 6, pid: aborted, call: 'tgkill' })])
    })

    test('timers tell whose they were, whoever was running when they ran out', () => {
      const { victim: alarmed } = fact('alarm')
      expect(signalsTo(alarmed)).toEqual([
        expect.objectContaining({ sig: 14, info: 'priv', call: 'none', tstart: exitOf(alarmed).start }),
      ])
      const { victim: timed } = fact('timer')
      expect(signalsTo(timed)).toEqual([
        expect.objectContaining({ sig: 10, info: 'user', code: -2, call: 'none', tstart: exitOf(timed).start }),
      ])
      for (const signal of [...signalsTo(alarmed), ...signalsTo(timed)]) {
        if (signal.pid !== signal.tpid) expect(signal.ctx).toBe(2)
      }
    })

    test('the mode of seccomp is told of a process that it ended, and that others had none', () => {
      expect(exitOf(fact('seccomp-filter').victim)).toMatchObject({ code: 31, seccomp: 2 })
      expect(exitOf(fact('seccomp-strict').victim)).toMatchObject({ code: 9, seccomp: 1 })
      expect(exitOf(fact('by-kill').victim)).toMatchObject({ seccomp: 0 })
    })

    test("the kernel's log of an OOM kill comes line by line, from the one who ran out to the one who was chosen", (context) => {
      const { victim } = run.facts.get('oom') ?? context.skip('no group can have a limit of memory here')
      expect(of('oom').filter(({ tpid }) => tpid === victim)).toHaveLength(1)
      const texts = of('log')
        .filter(({ pid }) => pid === victim)
        .map(({ text }) => text)
      expect(texts[0]).toMatch(/^victim invoked oom-killer: gfp_mask=/)
      expect(texts).toContainEqual(expect.stringMatching(/^memory: usage \d+kB, limit \d+kB, failcnt \d+$/))
      expect(texts).toContainEqual('Tasks state (memory values in pages):')
      expect(texts).toContainEqual(expect.stringMatching(new RegExp(`^\\[ *${victim}\\] .* victim$`)))
      const summary = texts.slice(texts.findIndex((text) => text.startsWith('oom-kill:'))).join('')
      expect(summary).toMatch(/^oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=.*,task=victim,pid=\d+,uid=0/)
      expect(texts.at(-1)).toMatch(new RegExp(`^Memory cgroup out of memory: Killed process ${victim} \\(victim\\)`))
    })

    test('cgroup.kill names who wrote it, and the group that was made a moment ago', () => {
      const { victim, sender } = fact('cgroup-kill')
      expect(signalsTo(victim)).toEqual([
        expect.objectContaining({
          ...{ sig: 9, info: 'noinfo', group: 0, call: 'write' },
          ...{ pid: sender, comm: 'sh', tcgroup: '/doomed' },
        }),
      ])
      expect(signalsTo(victim)[0]).not.toHaveProperty('code')
      expect(exitOf(victim).cgroup).toBe('/doomed')
    })
  })

  describe('pidfiles', () => {
    test('a pidfile that was read by a link is told with its own path and what was in it', () => {
      const { victim, sender } = fact('pidfile-read')
      const [open, ...more] = opensBy(sender)
      expect(more).toEqual([])
      expect(open).toMatchObject({ comm: 'cat', write: 0, text: `${victim}\n`, start: exitOf(sender).start })
      expect(open?.path).toMatch(/^\/.*\/app\.pid$/)
      const written = Number((open?.mtime ?? 0n) / 1_000_000n)
      expect(Math.abs(written - Date.now())).toBeLessThan(120_000)
    })

    test('it is told alike where the reader has mounts of its own', () => {
      const [here, elsewhere] = [
        opensBy(fact('pidfile-read').sender)[0],
        opensBy(fact('pidfile-read-elsewhere').sender),
      ]
      expect(elsewhere).toMatchObject([{ path: here?.path, text: here?.text, mtime: here?.mtime }])
    })

    test('one that is opened to be written anew is told as empty', () => {
      expect(opensBy(fact('pidfile-written').sender)).toMatchObject([{ write: 1, text: '' }])
    })
  })

  describe('who a process is', () => {
    test('the path of its program is told when it begins, also of one that lives a millisecond', async () => {
      const { sender } = fact('by-kill')
      const { file = '', exe } = execOf(sender)
      expect(file).toMatch(/\/sender$/)
      // It was started by a link; what was executed is a file of the lab's cache.
      expect(exe).toMatch(/\/programs\/sender-[0-9a-f]+$/)
      expect(exe).toBe(await realpath(exe ?? ''))
    })

    test('its control group is the one that /proc tells', async () => {
      const ours = await readFile('/proc/self/cgroup', 'utf8')
      const pathIn = (hierarchy: string) => new RegExp(`^\\d+:(?:.*,)?${hierarchy}(?:,.*)?:(.*)$`, 'm').exec(ours)?.[1]
      const unified = /^0::(.*)$/m.exec(ours)?.[1] ?? '/'
      const older = ['memory', 'pids', 'cpuset'].map(pathIn).find((path) => path !== undefined && path !== '/')
      expect(exitOf(fact('by-kill').victim).cgroup).toBe(unified === '/' ? (older ?? '/') : unified)
    })
  })

  test('failed calls are told with their error, and signal 0 is not', () => {
    const senders = ['eperm', 'esrch', 'badfd', 'einval', 'probe-only'].map((name) => fact(name).sender)
    const failed = of('signal-failed').filter(({ pid }) => senders.includes(pid ?? 0))
    const { victim } = fact('eperm')
    expect(failed.map(({ pid, call, sig, arg, err, uid }) => ({ pid, call, sig, arg, err, uid }))).toEqual([
      { pid: fact('eperm').sender, call: 'kill', sig: 9, arg: victim, err: 1, uid: 1001 },
      { pid: fact('esrch').sender, call: 'kill', sig: 15, arg: 999_999, err: 3, uid: 0 },
      { pid: fact('badfd').sender, call: 'pidfd_send_signal', sig: 15, arg: -1, err: 9, uid: 0 },
      { pid: fact('einval').sender, call: 'kill', sig: 99, arg: victim, err: 22, uid: 0 },
    ])
  })

  test('a process of several threads ends once, with the status that its parent gets', () => {
    expect(exitOf(fact('exit').victim)).toMatchObject({ code: 42 << 8, comm: 'victim' })
    const ends = (pid: number) => of('exit').filter((exit) => exit.pid === pid)
    expect(ends(fact('threads').victim)).toEqual([expect.objectContaining({ code: 9 })])
    for (const name of ['together-1', 'together-2', 'together-3']) {
      expect(fact(name).status).toBe(3)
      expect(ends(fact(name).victim)).toEqual([expect.objectContaining({ code: 3 << 8 })])
    }
  })

  describe('hostile text', () => {
    test('arguments with every byte come whole, over several records', () => {
      const { victim } = fact('hostile-arguments')
      const everyByte = Array.from({ length: 4_096 }, (_, i) => String.fromCharCode(1 + (i % 255))).join('')
      const forged = 'exit\t1\t1\tpid=1\tcode=9\t#1\nexit\t2\t2\tpid=1\tcode=9\t#2\n'
      const expected = ['true', everyByte, '', forged, '\xc3\xa9 \xff "quoted" \\x41', ''].join('\0')
      const exec = execOf(victim)
      expect(argumentsOf(exec, run.records)).toBe(expected)
      expect(exec).toMatchObject({ argn: expected.length, file: '/bin/true', comm: 'true' })
    })

    test('arguments of more than 8,192 bytes are cut there, and their whole length is told', () => {
      const exec = execOf(fact('long-arguments').victim)
      expect(exec.argn).toBeGreaterThan(30_000)
      expect(argumentsOf(exec, run.records)).toHaveLength(8_192)
    })

    test('a name with tabs, newlines and quotes stays in its field', () => {
      const { victim } = fact('hostile-name')
      const name = 'a\tb\n"\\ \xff\xc3#1='
      expect(signalsTo(victim)).toEqual([expect.objectContaining({ comm: name, tcomm: name })])
      expect(exitOf(victim)).toMatchObject({ comm: name, code: 9 })
    })
  })

  describe('a tracer in trouble', () => {
    test('that somebody else ends is told as an error with a remedy, and without a stop record', async () => {
      const { lines, end } = await endedBy('SIGTERM')
      expect(end).toMatchObject({ expected: false, error: { code: 'probe-ended', hint: expect.any(String) } })
      expect(lines.some((line) => line.startsWith('stop\t'))).toBe(false)
    })

    test('that is killed is told so', async () => {
      const { end } = await endedBy('SIGKILL')
      expect(end).toMatchObject({ expected: false, error: { message: expect.stringContaining('SIGKILL') } })
    })

    test('whose programs the kernel does not have is told with the field that is missing', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'whokilled-probe-'))
      const probePath = join(folder, 'probe.bt')
      await writeFile(probePath, 'BEGIN { $c = (struct task_struct *)curtask; printf("%d", $c->nope); }')
      await expect(bpftraceProbe({ probePath }).start()).rejects.toMatchObject({
        code: 'kernel-field-missing',
        message: expect.stringContaining('nope'),
      })
      await rm(folder, { recursive: true })
    })

    test('that takes too long to start is ended', async () => {
      await expect(bpftraceProbe({ startTimeoutMs: 50 }).start()).rejects.toMatchObject({ code: 'probe-silent' })
      expect(await tracersOf(process.pid)).toEqual([])
    })

    test('that is stopped twice ends once, and in order', async () => {
      const probe = await bpftraceProbe().start()
      await Promise.all([probe.stop(), probe.stop()])
      expect(await probe.ended).toMatchObject({ expected: true, error: null })
      expect(await tracersOf(process.pid)).toEqual([])
    })
  })

  async function endedBy(signal: NodeJS.Signals) {
    const probe = await bpftraceProbe().start()
    const lines: string[] = []
    for (const pid of await tracersOf(process.pid)) process.kill(pid, signal)
    for await (const line of probe.lines()) lines.push(line)
    return { lines, end: await probe.ended }
  }

  /** The bpftrace processes that this process has started. */
  async function tracersOf(pid: number): Promise<number[]> {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    const pids = children.trim().split(' ').filter(Boolean).map(Number)
    const names = await Promise.all(pids.map((child) => readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')))
    return pids.filter((_, at) => names[at] === 'bpftrace\n')
  }

  function of<T extends KernelRecord['type']>(type: T): Extract<KernelRecord, { type: T }>[] {
    return run.records.filter((record): record is Extract<KernelRecord, { type: T }> => record.type === type)
  }

  function signalsTo(victim: number): SignalRecord[] {
    return of('signal').filter(({ tpid }) => tpid === victim)
  }

  function opensBy(pid: number): OpenRecord[] {
    return of('open').filter((open) => open.pid === pid)
  }

  function exitOf(pid: number | undefined): ExitRecord {
    return found(
      of('exit').find((exit) => exit.pid === pid),
      `an exit of ${pid}`,
    )
  }

  /** The program it ended as. */
  function execOf(pid: number): ExecRecord {
    return found(
      of('exec').findLast((exec) => exec.pid === pid),
      `an exec of ${pid}`,
    )
  }

  function fact(name: string): { victim: number; sender: number; status?: number } {
    return found(run.facts.get(name), `a fact named ${name}`)
  }

  function found<T>(value: T | undefined, what: string): T {
    if (value === undefined) throw new Error(`Expected ${what}, found none.`)
    return value
  }
})
