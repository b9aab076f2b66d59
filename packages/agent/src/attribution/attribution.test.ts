import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deathsOf, eventsOf, init, isCoverage, isSignal, scanned, type Told } from '../../test/recorded-host.ts'

const loop = scanned({ pid: 4242, comm: 'sh', args: ['sh', 'test.sh'], uid: 1001, startTicks: 300_000 })
const bash = scanned({ pid: 900, comm: 'bash', args: ['-bash'], uid: 1001, startTicks: 200_000 })
const processes = [init, bash, loop]
const start = 3_600_000_500_000n

/** A shell is forked, runs a script, and its built-in kill hits the loop. */
const scriptStarts: Told[] = [
  { type: 'fork', pid: 5120, start, ppid: 900, pstart: 2_000_000_000_000n },
  {
    type: 'exec',
    pid: 5120,
    start,
    ppid: 900,
    uid: 1001,
    comm: 'sh',
    exe: '/bin/dash',
    argn: 13,
    argv: 'sh\0xdkill.sh\0',
  },
]
const kill: Told = {
  type: 'signal',
  pid: 5120,
  tid: 5120,
  start,
  uid: 1001,
  sig: 9,
  code: 0,
  info: 'user',
  group: 1,
  result: 'delivered',
  call: 'kill',
  arg: 4242,
  ctx: 0,
  exiting: 0,
  tpid: 4242,
  ttid: 4242,
  tstart: 3_000_000_000_000n,
  disp: 'default',
  blocked: 0,
}
const dies = (code: number, afterMs = 0.4): Told => ({
  type: 'exit',
  pid: 4242,
  start: 3_000_000_000_000n,
  code,
  afterMs,
})

describe('a death by a signal of a process', () => {
  it('names the killer with its arguments and ancestry, though its fork and exec were just now', async () => {
    const [death] = await deathsOf([...scriptStarts, kill, dies(9)], { processes })
    expect(death).toMatchObject({
      cause: 'signal',
      service: { name: 'test.sh', kind: 'process' },
      exit: { code: null, signal: { number: 9, name: 'SIGKILL' }, coreDumped: false },
      signal: { via: 'kill', senderStatus: 'seen', code: 0, result: 'delivered' },
      verdict: { confidence: 'certain', alternatives: [] },
    })
    expect(death?.killer?.args).toEqual(['sh', 'xdkill.sh'])
    expect(death?.killer?.ancestors.map(({ comm }) => comm)).toEqual(['bash', 'systemd'])
    expect(death?.victim.id).toBe('11111111-2222-4333-8444-555555555555:300000:4242')
  })

  it('is told of the program the killer ran when it killed, not of what it became', async () => {
    const becomes: Told = { type: 'exec', pid: 5120, start, comm: 'sleep', argn: 8, argv: 'sleep\x009\0' }
    const [death] = await deathsOf([...scriptStarts, kill, becomes, dies(9)], { processes })
    expect(death?.killer?.comm).toBe('sh')
  })

  it('is told with the first of several requests alike, and how many there were', async () => {
    const term: Told = { ...kill, sig: 15, disp: 'ignore', result: 'ignored', afterMs: 200 }
    const told = [...scriptStarts, term, term, term, term, term, { ...kill, afterMs: 200 }, dies(9)]
    const [death] = await deathsOf(told, { processes })
    expect(death?.signals).toMatchObject([{ name: 'SIGTERM', count: 5 }])
    const { at, firstAt = '' } = death?.signals[0] ?? { at: '' }
    expect(Date.parse(at) - Date.parse(firstAt)).toBe(800)
    expect(death?.verdict.summary).toMatch(/, 1\.0 s after it had ignored the first of its 5 SIGTERMs\.$/)
  })

  it('keeps who killed although the killer has ended before the victim', async () => {
    const killerEnds: Told = { type: 'exit', pid: 5120, start, code: 0, afterMs: 0.1 }
    const [death] = await deathsOf([...scriptStarts, kill, killerEnds, dies(9)], { processes })
    expect(death?.killer?.pid).toBe(5120)
  })

  it('is not the doing of one whose signal was ignored or refused', async () => {
    const ignored: Told = {
      ...kill,
      sig: 15,
      pid: 900,
      tid: 900,
      start: 2_000_000_000_000n,
      result: 'ignored',
      disp: 'ignore',
    }
    const refused: Told = {
      type: 'signal-failed',
      pid: 900,
      start: 2_000_000_000_000n,
      call: 'kill',
      sig: 9,
      arg: 4242,
      err: 1,
    }
    const [death] = await deathsOf([ignored, refused, ...scriptStarts, kill, dies(9)], { processes })
    expect(death?.killer?.pid).toBe(5120)
    expect(death?.signals).toMatchObject([{ name: 'SIGTERM', result: 'ignored', sender: { pid: 900 } }])
    expect(death?.evidence[0]).toMatchObject({ kind: 'refused-signal', error: 'EPERM', sender: { pid: 900 } })
  })

  it('is the doing of the first of two whose signals were both fatal; the other is listed', async () => {
    const rival: Told = { ...kill, pid: 900, tid: 900, start: 2_000_000_000_000n, afterMs: 0.01 }
    const [death] = await deathsOf([...scriptStarts, kill, rival, dies(9)], { processes })
    expect(death?.killer?.pid).toBe(5120)
    expect(death?.signals).toMatchObject([{ sender: { pid: 900 } }])
  })

  it('is not the doing of one whose signal came when it was ending, or was pending already', async () => {
    const rival: Told = { ...kill, pid: 900, tid: 900, start: 2_000_000_000_000n, afterMs: 0.01 }
    const late: Told = { ...rival, result: 'ignored' }
    const [death] = await deathsOf([...scriptStarts, kill, late, dies(9)], { processes })
    expect(death).toMatchObject({ killer: { pid: 5120 }, signals: [{ sender: { pid: 900 }, reception: 'too-late' }] })
    const [exited] = await deathsOf([{ ...late, sig: 15, disp: 'handler' }, dies(3 << 8)], { processes })
    expect(exited).toMatchObject({ cause: 'exit', killer: null, signals: [{ reception: 'too-late' }] })
    const [unseen] = await deathsOf([{ ...rival, result: 'pending' }, dies(9)], { processes })
    expect(unseen).toMatchObject({ cause: 'unknown', killer: null })
  })

  it('is by the signal that its status names, though another one could have ended it before', async () => {
    const whileStopped: Told = { ...kill, sig: 15, pid: 900, tid: 900, start: 2_000_000_000_000n }
    const [death] = await deathsOf([...scriptStarts, whileStopped, kill, dies(9)], { processes })
    expect(death).toMatchObject({ killer: { pid: 5120 }, signals: [{ name: 'SIGTERM', reception: 'default' }] })
    const taken: Told = { ...whileStopped, afterMs: 1 }
    const [later] = await deathsOf([taken, { ...kill, sig: 15, afterMs: 5_000 }, dies(15)], { processes })
    expect(later?.signal).toMatchObject({ at: '2026-11-22T01:00:05.001000Z' })
  })

  it('stays known however many signals follow it', async () => {
    const bystander = (sig: number): Told => ({ ...kill, sig, disp: 'handler', afterMs: 0.001 })
    const flood = Array.from({ length: 60 }, (_, index) => bystander(index % 2 === 0 ? 15 : 2))
    const [death] = await deathsOf([...scriptStarts, kill, ...flood, dies(9)], { processes })
    expect(death?.killer?.pid).toBe(5120)
  })

  it('is one act of a program that kills by name, and of a kill with several pids', async () => {
    const other = scanned({ pid: 4243, comm: 'sh', args: ['sh', 'test.sh'], startTicks: 300_001 })
    const second: Told = { ...kill, arg: 4243, tpid: 4243, ttid: 4243, tstart: 3_000_010_000_000n }
    const otherDies: Told = { ...dies(9), pid: 4243, start: 3_000_010_000_000n } as Told
    for (const [argv, isOne] of [
      ['pkill\0test\0', true],
      ['kill\x004242\x004243\0', true],
      ['kill\x004242\0', false],
    ] as const) {
      const exec = { ...scriptStarts[1], exe: `/usr/bin/${argv.slice(0, argv.indexOf('\0'))}`, argn: argv.length, argv }
      const told = [scriptStarts[0] as Told, exec as Told, kill, second, dies(9), otherDies]
      const deaths = await deathsOf(told, { processes: [...processes, other] })
      expect(deaths).toHaveLength(2)
      expect(deaths[0]?.incidentId !== null && deaths[0]?.incidentId === deaths[1]?.incidentId).toBe(isOne)
    }
  })

  it('never believes siginfo: a forged sender is evidence, the caller is the killer', async () => {
    const forged: Told = { ...kill, call: 'rt_sigqueueinfo', code: -60, sipid: 1, siuid: 0 }
    const [death] = await deathsOf([...scriptStarts, forged, dies(9)], { processes })
    expect(death).toMatchObject({ killer: { pid: 5120 }, signal: { via: 'sigqueue', code: -60 } })
    expect(death?.verdict.reasons).toContain('the signal claimed to come from process 1, which is not so')
    expect(death?.evidence).toContainEqual(expect.objectContaining({ kind: 'forged-sender', claimedPid: 1 }))
  })

  it('says how the signal was addressed', async () => {
    for (const [arg, via] of [
      [-4242, 'kill-group'],
      [0, 'kill-group'],
      [-1, 'kill-all'],
    ] as const) {
      const [death] = await deathsOf([...scriptStarts, { ...kill, arg }, dies(9)], { processes })
      expect(death?.signal?.via).toBe(via)
    }
  })

  it('does not blame who happened to run when an interrupt sent it', async () => {
    const timer: Told = { ...kill, sig: 14, call: 'none', ctx: 2, info: 'priv', code: 128 }
    const [death] = await deathsOf([...scriptStarts, timer, dies(14)], { processes })
    expect(death).toMatchObject({ cause: 'timer', killer: null, signal: { senderStatus: 'none', sender: null } })
  })

  it('is less certain when records were lost around it', async () => {
    const told = [...scriptStarts, kill, dies(9)]
    const drop = (lines: string[]) => lines.filter((line) => !line.startsWith('fork'))
    const [death] = await deathsOf(told, { processes, lines: drop })
    expect(death?.killer?.pid).toBe(5120)
    expect(death?.verdict.confidence).toBe('likely')
    expect(death?.coverage.lostRecords).toBe(1)
  })

  it('has an unseen sender when the signal itself was lost, and blames nobody else', async () => {
    const drop = (lines: string[]) => lines.filter((line) => !line.startsWith('signal'))
    const [death] = await deathsOf([...scriptStarts, kill, dies(9)], { processes, lines: drop })
    expect(death).toMatchObject({
      cause: 'unknown',
      killer: null,
      signal: { senderStatus: 'unseen', name: 'SIGKILL' },
      verdict: { confidence: 'possible' },
    })
  })
})

describe('a death after a caught signal', () => {
  const term: Told = { ...kill, sig: 15, disp: 'handler' }

  it('is by that signal, whatever the exit code', async () => {
    const [death] = await deathsOf([...scriptStarts, term, dies(0, 12)], { processes })
    expect(death).toMatchObject({ cause: 'signal', killer: { pid: 5120 }, exit: { code: 0, signal: null } })
    expect(death?.verdict.confidence).toBe('likely')
  })

  it('is certain when the exit code names the signal', async () => {
    const [death] = await deathsOf([...scriptStarts, { ...term, afterMs: 100_000 }, dies(143 << 8, 12)], { processes })
    expect(death).toMatchObject({ cause: 'signal', exit: { code: 143 }, verdict: { confidence: 'certain' } })
  })

  it('is likely by who asked last, if somebody else had asked before', async () => {
    const earlier: Told = { ...term, pid: 900, tid: 900, start: 2_000_000_000_000n }
    const [death] = await deathsOf([...scriptStarts, earlier, { ...term, afterMs: 4_000 }, dies(143 << 8, 12)], {
      processes,
    })
    expect(death).toMatchObject({
      cause: 'signal',
      killer: { pid: 5120 },
      signals: [{ sender: { pid: 900 }, reception: 'caught' }],
      verdict: {
        confidence: 'likely',
        alternatives: ['it may have ended for SIGTERM from process 900, 4.0 s before, and have taken its time'],
      },
    })
  })

  it('is its own doing if the signal was long ago, or was a hang-up that means reload', async () => {
    // The host is awake meanwhile: its probe prints heartbeats.
    const awake = (seconds: number): Told[] =>
      Array.from({ length: seconds }, () => ({ type: 'heartbeat', real: 0n, mono: 0n, boot: 0n, afterMs: 1_000 }))
    const [late] = await deathsOf([...scriptStarts, term, ...awake(100), dies(0)], { processes })
    expect(late).toMatchObject({ cause: 'exit', killer: null })
    const [reloaded] = await deathsOf([...scriptStarts, { ...term, sig: 1 }, ...awake(10), dies(0)], { processes })
    expect(reloaded?.cause).toBe('exit')
  })
})

describe('a death by a signal that the process sent itself after it was asked to end', () => {
  const asked: Told = { ...kill, sig: 15, disp: 'handler' }
  const itself = { pid: 4242, tid: 4242, start: 3_000_000_000_000n }
  const raised = (sig: number): Told => ({ ...kill, ...itself, sig, call: 'tgkill', group: 0, afterMs: 30 })

  it('is by who asked', async () => {
    const [death] = await deathsOf([...scriptStarts, asked, raised(15), dies(15)], { processes })
    expect(death).toMatchObject({ cause: 'signal', killer: { pid: 5120 }, exit: { signal: { name: 'SIGTERM' } } })
  })

  it('is likely by who asked, if it was another signal', async () => {
    const [death] = await deathsOf([...scriptStarts, asked, raised(9), dies(9)], { processes })
    expect(death).toMatchObject({
      cause: 'signal',
      killer: { pid: 5120 },
      signal: { name: 'SIGTERM' },
      exit: { signal: { name: 'SIGKILL' } },
      verdict: { confidence: 'likely' },
    })
    expect(death?.verdict.summary).toMatch(
      /^test\.sh was ended by SIGTERM from .*: it caught the signal and died of SIGKILL/,
    )
  })

  it('is its own doing if it aborts, and after a hang-up that means reload; who asked is told', async () => {
    const [aborted] = await deathsOf([...scriptStarts, { ...asked, afterMs: 100_000 }, raised(6), dies(6)], {
      processes,
    })
    expect(aborted).toMatchObject({ cause: 'self', signals: [{ name: 'SIGTERM', sender: { pid: 5120 } }] })
    expect(aborted?.verdict.summary).toMatch(/, 30 ms after it had caught SIGTERM from sh xdkill\.sh \(pid 5120\)\.$/)
    expect(aborted?.verdict.alternatives).toEqual([
      'it may have died while it was ending, since SIGTERM had asked it to',
    ])
    const late = { ...raised(9), afterMs: 4_000 }
    const [reloaded] = await deathsOf([...scriptStarts, { ...asked, sig: 1, afterMs: 100_000 }, late, dies(9)], {
      processes,
    })
    expect(reloaded).toMatchObject({ cause: 'self', verdict: { alternatives: [] } })
  })
})

describe('a death by a Ctrl-C that the program handles', () => {
  const kworker: Told = { ...kill, pid: 77, tid: 77, start: 1_000_000_000n, call: 'none', info: 'priv', code: 128 }
  const ctrlC: Told = { ...kworker, sig: 2, disp: 'handler' }

  it('is the terminal’s doing when it exits, whatever the code', async () => {
    const [death] = await deathsOf([ctrlC, dies(0, 12)], { processes })
    expect(death).toMatchObject({ cause: 'terminal', killer: null, signal: { via: 'tty', name: 'SIGINT' } })
    const [named] = await deathsOf([{ ...ctrlC, afterMs: 100_000 }, dies(130 << 8, 12)], { processes })
    expect(named).toMatchObject({ cause: 'terminal', verdict: { confidence: 'certain' } })
  })

  it('is the terminal’s doing when it sends itself the signal in the end, as shells and Python do', async () => {
    const raised: Told = { ...kill, sig: 2, pid: 4242, tid: 4242, start: 3_000_000_000_000n, afterMs: 5 }
    const [death] = await deathsOf([ctrlC, raised, dies(2)], { processes })
    expect(death).toMatchObject({ cause: 'terminal', killer: null, signal: { via: 'tty' } })
  })

  it('leaves out timers that it handles', async () => {
    const [death] = await deathsOf([{ ...kworker, sig: 14, disp: 'handler' }, dies(0, 12)], { processes })
    expect(death).toMatchObject({ cause: 'exit', signals: [] })
  })
})

describe('a death by the kernel', () => {
  const byKernel: Told = { ...kill, pid: 4242, tid: 4242, start: 3_000_000_000_000n, call: 'none' }

  it('is likely the doing of a process in whose name it was made in another call, such as ptrace', async () => {
    const traced: Told = { ...kill, call: 'other', info: 'noinfo', group: 0 }
    const [death] = await deathsOf([...scriptStarts, traced, dies(9)], { processes })
    expect(death).toMatchObject({
      cause: 'signal',
      killer: { pid: 5120 },
      signal: { senderStatus: 'seen', via: 'unknown' },
      verdict: { confidence: 'likely' },
    })
    const [polled] = await deathsOf([{ ...kill, sig: 15, call: 'write', code: 1 }, dies(15)], { processes })
    expect(polled).toMatchObject({ cause: 'unknown', killer: null, verdict: { confidence: 'possible' } })
  })

  it('is the doing of a tracer that ended, and had asked for that', async () => {
    const ends: Told = { ...kill, call: 'exit', info: 'priv', group: 0, exiting: 1, nspid: 5120 }
    const [death] = await deathsOf([...scriptStarts, ends, dies(9)], { processes })
    expect(death).toMatchObject({ cause: 'signal', killer: { pid: 5120 }, signal: { via: 'tracer-exit' } })
    expect(death?.verdict).toMatchObject({ confidence: 'certain', summary: expect.stringContaining('which traced it') })
  })

  it('is by strict seccomp if nobody had killed it', async () => {
    const forbidden: Told = { ...dies(9), seccomp: 1 } as Told
    const [death] = await deathsOf([forbidden], { processes })
    expect(death).toMatchObject({ cause: 'seccomp', killer: null, signal: { senderStatus: 'none', via: 'kernel' } })
    expect(await deathsOf([...scriptStarts, kill, forbidden], { processes })).toMatchObject([{ cause: 'signal' }])
    expect(await deathsOf([{ ...dies(9), seccomp: 2 } as Told], { processes })).toMatchObject([{ cause: 'unknown' }])
  })

  it('is by a timer also if the interrupt hit a process that was ending', async () => {
    const timer: Told = { ...kill, sig: 14, call: 'none', ctx: 2, info: 'priv', code: 128, exiting: 1 }
    const [death] = await deathsOf([...scriptStarts, timer, dies(14)], { processes })
    expect(death).toMatchObject({ cause: 'timer', killer: null, signal: { via: 'timer' } })
    const kill9: Told = { ...timer, sig: 9, group: 0 }
    const [other] = await deathsOf([...scriptStarts, kill9, dies(9)], { processes })
    expect(other).toMatchObject({ cause: 'unknown', killer: null })
  })

  it('is by a timer also where the probe tells only the thread that it was for', async () => {
    const { tpid: _, tstart: __, disp: ___, ...timer } = { ...kill, sig: 15, call: 'none', ctx: 2, code: -2 } as const
    const [death] = await deathsOf([timer as Told, dies(15)], { processes })
    expect(death).toMatchObject({ cause: 'timer', killer: null, signal: { senderStatus: 'none', via: 'timer' } })
  })

  it('is out of processor time; sent to one thread it is by reboot(2), if it is the first of a pid namespace', async () => {
    const limit: Told = { ...byKernel, sig: 9, call: 'other', info: 'priv', code: 128 }
    const inNamespace = { processes: [init, bash, { ...loop, nspid: 1 }] }
    expect(await deathsOf([limit, dies(9)], { processes })).toMatchObject([{ cause: 'resource-limit' }])
    expect(await deathsOf([limit, dies(9)], inNamespace)).toMatchObject([{ cause: 'resource-limit' }])
    const reboot: Told = { ...limit, group: 0 }
    expect(await deathsOf([reboot, dies(9)], { processes })).toMatchObject([{ cause: 'unknown', killer: null }])
    const own = { cause: 'self', signal: { via: 'reboot' }, killer: { pid: 4242 } }
    expect(await deathsOf([reboot, dies(9)], inNamespace)).toMatchObject([own])
    const others: Told = { ...kill, call: 'other', info: 'priv', group: 0 }
    const byOther = { cause: 'signal', signal: { via: 'reboot' }, killer: { pid: 5120 } }
    expect(await deathsOf([...scriptStarts, others, dies(9)], inNamespace)).toMatchObject([byOther])
  })

  it('is not taken for one out of processor time where the choice of the OOM killer may be lost', async () => {
    const limit: Told = { ...byKernel, sig: 9, call: 'none', info: 'priv', code: 128 }
    const oom: Told = { type: 'oom', tpid: 4242, tstart: 3_500_000_000_000n }
    const lines = (all: string[]) => all.filter((line) => !line.startsWith('oom'))
    const [death] = await deathsOf([limit, oom, dies(9)], { processes, lines })
    expect(death).toMatchObject({ cause: 'unknown', killer: null, verdict: { confidence: 'possible' } })
  })

  it('is a fault when the process ran into it, and not when somebody sent the same signal', async () => {
    const [fault] = await deathsOf([{ ...byKernel, sig: 11, code: 1, group: 0 }, dies(139)], { processes })
    expect(fault).toMatchObject({
      cause: 'fault',
      killer: null,
      exit: { coreDumped: true },
      signal: { senderStatus: 'none' },
    })
    const [sent] = await deathsOf([...scriptStarts, { ...kill, sig: 11 }, dies(11)], { processes })
    expect(sent).toMatchObject({ cause: 'signal', killer: { pid: 5120 } })
  })

  it('stays a fault when the process caught it and raised it again', async () => {
    const caught: Told = { ...byKernel, sig: 11, code: 1, group: 0, disp: 'handler' }
    const raised: Told = { ...byKernel, sig: 11, code: -6, group: 0, call: 'tgkill' }
    const [death] = await deathsOf([caught, raised, dies(11)], { processes })
    expect(death).toMatchObject({ cause: 'fault', killer: null, signal: { senderStatus: 'none', reception: 'caught' } })
  })

  it('is by the OOM killer, not by the process that needed the memory', async () => {
    const chosen: Told = { type: 'oom', tpid: 4242, tstart: 3_000_000_000_000n, pid: 900 }
    const killed: Told = {
      ...kill,
      pid: 900,
      tid: 900,
      start: 2_000_000_000_000n,
      call: 'none',
      info: 'priv',
      code: 128,
    }
    const [death] = await deathsOf([chosen, killed, dies(9)], { processes })
    expect(death).toMatchObject({ cause: 'oom', killer: null, signal: { senderStatus: 'none', via: 'kernel' } })
    expect(death?.oom).not.toBeNull()
  })

  it('is its own doing when it aborts', async () => {
    const aborts: Told = { ...byKernel, sig: 6, code: -6, group: 0, call: 'tgkill' }
    const [death] = await deathsOf([aborts, dies(6)], { processes })
    expect(death).toMatchObject({ cause: 'self', killer: { pid: 4242 } })
  })

  it('is by who wrote to cgroup.kill', async () => {
    const written: Told = { ...kill, call: 'write', info: 'noinfo', group: 0 }
    const [death] = await deathsOf([...scriptStarts, written, dies(9)], { processes })
    expect(death).toMatchObject({ cause: 'cgroup-kill', killer: { pid: 5120 }, signal: { via: 'cgroup.kill' } })
  })
})

describe('what is published', () => {
  it('leaves out commands that came and went by themselves', async () => {
    const ends: Told = { type: 'exit', pid: 5120, start, code: 0, afterMs: 20 }
    expect(await deathsOf([...scriptStarts, ends], { processes })).toEqual([])
  })

  it('tells of a service that exits by itself', async () => {
    const [death] = await deathsOf([dies(3 << 8)], { processes })
    expect(death).toMatchObject({ cause: 'exit', exit: { code: 3 }, killer: null, signal: null })
  })

  it('tells of every end of the service that was asked for, and of no other', async () => {
    const ends: Told = { type: 'exit', pid: 5120, start, code: 0, afterMs: 20 }
    const told = [...scriptStarts, kill, dies(9), ends]
    expect(await deathsOf(told, { processes, only: 'xdkill.sh' })).toMatchObject([{ cause: 'exit' }])
    expect(await deathsOf(told, { processes, only: 'test.*' })).toMatchObject([{ cause: 'signal' }])
  })

  it('includes signals that others send to a service, not those it sends itself', async () => {
    const reload: Told = { ...kill, sig: 1, disp: 'handler' }
    const own: Told = { ...reload, pid: 4242, tid: 4242, start: 3_000_000_000_000n }
    const signals = (await eventsOf([...scriptStarts, reload, own], { processes })).filter(isSignal)
    expect(signals).toMatchObject([{ name: 'SIGHUP', target: { pid: 4242 }, sender: { pid: 5120 } }])
  })

  it('is at most 200 signals in a second, so that a flood pushes out no deaths', async () => {
    const flood = Array.from({ length: 500 }, (): Told => ({ ...kill, sig: 10, disp: 'handler', afterMs: 0.01 }))
    const events = await eventsOf([...scriptStarts, ...flood, kill, dies(9)], { processes })
    expect(events.filter(isSignal)).toHaveLength(200)
    expect(events.filter(({ type }) => type === 'death')).toHaveLength(1)
  })

  it('is the same whatever order the records came in', async () => {
    const told = [...scriptStarts, kill, dies(9)]
    const expected = await deathsOf(told, { processes })
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 }), async (order) => {
        const lines = (all: string[]) => [all[0] ?? '', ...order.map((index) => all[index] ?? '')]
        const [death] = await deathsOf(told, { processes, lines })
        expect({ ...death, agent: null }).toEqual({ ...expected[0], agent: null })
      }),
    )
  })

  it('never names another killer when records are missing', async () => {
    const told = [...scriptStarts, kill, dies(9)]
    await fc.assert(
      fc.asyncProperty(fc.subarray([1, 2, 3, 4]), async (kept) => {
        const lines = (all: string[]) => [all[0] ?? '', ...kept.map((index) => all[index] ?? '')]
        for (const death of await deathsOf(told, { processes, lines })) {
          expect(death.killer === null || death.killer.pid === 5120).toBe(true)
        }
      }),
    )
  })
})

describe('coverage', () => {
  const beat = (afterMs: number, counters = {}): Told => ({
    type: 'heartbeat',
    real: 0n,
    mono: 0n,
    boot: 0n,
    afterMs,
    ...counters,
  })

  it('begins with an event that says so, and is repeated every 30 s', async () => {
    const events = await eventsOf([beat(1_000), beat(29_000), beat(1_000)], { processes })
    expect(events[0]).toMatchObject({ type: 'coverage', state: 'watching', at: '2026-11-22T01:00:00.000000Z' })
    expect(events.filter(isCoverage).map(({ state, to }) => [state, to])).toEqual([
      ['watching', '2026-11-22T01:00:00.000000Z'],
      ['watching', '2026-11-22T01:00:30.000000Z'],
      ['stopped', '2026-11-22T01:00:31.000000Z'],
    ])
  })

  it('has a gap for records that never came, and for probe hits the tracer skipped', async () => {
    const lines = (all: string[]) => all.filter((_, index) => index !== 1)
    const events = await eventsOf([beat(1_000), beat(1_000), beat(1_000, { skipped: 7 })], { processes, lines })
    expect(events.filter(isCoverage).filter(({ state }) => state === 'gap')).toMatchObject([
      { lostRecords: 1, from: '2026-11-22T01:00:00.000000Z', to: '2026-11-22T01:00:02.000000Z' },
      { lostRecords: 7 },
    ])
  })

  it('reads /proc once for all losses between two heartbeats', async () => {
    let scans = 0
    const exits = Array.from({ length: 40 }, (_, index): Told => ({ type: 'exit', pid: 6_000 + index, code: 0 }))
    const lines = (all: string[]) => all.filter((_, index) => index < 2 || index > 40 || index % 2 === 0)
    const events = await eventsOf([...exits, beat(5_000), beat(3_000)], {
      processes,
      lines,
      onScan: () => (scans += 1),
    })
    const gaps = events.filter(isCoverage).filter(({ state }) => state === 'gap')
    expect(gaps.length).toBeGreaterThan(5)
    expect(scans).toBe(2)
  })

  it('tells of a process that is gone after a loss as one that ended unseen', async () => {
    const lines = (all: string[]) => all.filter((_, index) => index !== 1)
    const told = [beat(1), beat(1), beat(3_001), beat(2_500)]
    const [death] = await deathsOf(told, { processes, laterScans: [[init, bash]], lines })
    expect(death).toMatchObject({
      cause: 'unknown',
      victim: { pid: 4242 },
      killer: null,
      exit: { code: null, signal: null },
      evidence: [{ kind: 'gap', why: 'records-lost', lostRecords: 1 }, { kind: 'missed' }],
      verdict: {
        confidence: 'possible',
        reasons: ['it is gone, and its end was not seen', '1 record was lost before that'],
        summary: 'test.sh ended; how was not seen, because 1 record was lost at 01:00:00 UTC.',
      },
    })
  })
})
