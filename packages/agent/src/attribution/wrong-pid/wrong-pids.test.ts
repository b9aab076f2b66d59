import type { DeathEvent } from '@whokilled/shared/event'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Story } from '../../../test/pid-story.ts'
import {
  clocksAt,
  deathsOf,
  eventsOfLines,
  type HostOptions,
  init,
  linesOf,
  scanned,
} from '../../../test/recorded-host.ts'

const second = 1_000

const launcher = scanned({ pid: 900, comm: 'launcher', startTicks: 200_000, sid: 900, nsid: 1 })
const options: HostOptions = { processes: [init, launcher] }

/** A worker runs as 4242 and has written its pidfile; it ends, and web gets its pid. All are daemons of their own. */
function reused(story = new Story(), between = 0): { story: Story; writtenAt: bigint } {
  story.beat().start(4242, 1, ['worker'], true).write(4242, '/run/worker.pid')
  const writtenAt = story.wallClock
  story
    .wait(2 * second)
    .exit(4242, 256)
    .wait(between)
    .start(4242, 1, ['web'], true)
    .wait(3 * second)
  return { story, writtenAt }
}

async function judged(story: Story, given: HostOptions = options) {
  const deaths = await deathsOf(story.told, given)
  return deaths.findLast(({ victim }) => victim.comm === 'web')
}

/** A launcher starts a script as a job of its own that reads the pidfile with cat and kills by shell builtin. */
function stops(story: Story, writtenAt: bigint | undefined, number: number | null = 4242): Story {
  return story
    .start(5000, 900, ['sh', '/etc/stop-worker'], true)
    .fork(5001, 5000)
    .exec(5001, 'cat', '/run/worker.pid')
    .read(5001, '/run/worker.pid', number, writtenAt)
    .exit(5001)
    .kill(5000, 4242)
    .exit(4242, 9)
}

describe('a kill by a stale pidfile', () => {
  it('was meant for the process that the file was written for, certainly if all of it was seen', async () => {
    const { story, writtenAt } = reused()
    const death = await judged(stops(story, writtenAt))
    expect(death).toMatchObject({
      killer: { pid: 5000 },
      cause: 'signal',
      wrongPid: {
        previousOwner: { pid: 4242, comm: 'worker', args: ['worker'] },
        pidfile: '/run/worker.pid',
        confidence: 'certain',
      },
    })
    expect(death?.wrongPid?.reusedAfterMs).toBe(1)
    expect(death?.verdict.summary).toMatch(
      /^web was killed with SIGKILL by sh \/etc\/stop-worker \(pid 5000, uid 0\); it was meant for worker, which had pid 4242 until 3\.0 s before and was still named in \/run\/worker\.pid, written 5\.\d s before\.$/,
    )
    expect(death?.verdict.reasons.at(-1)).toMatch(
      /^cat \(pid 5001\) found pid 4242 in \/run\/worker\.pid 2\.0 ms before the signal, and that file was written 2\.0 s before the victim had that pid$/,
    )
    expect(death?.evidence).toContainEqual(expect.objectContaining({ kind: 'stale-pidfile', pid: 4242 }))
  })

  it('is the same whoever reads: the killer itself, or a neighbour whose number the killer is given', async () => {
    for (const [reader, args] of [
      ['killer', ['start-stop-daemon', '--stop', '--pidfile', '/run/worker.pid']],
      ['neighbour', ['kill', '-9', '4242']],
    ] as const) {
      const { story, writtenAt } = reused()
      story
        .start(5000, 900, ['sh', 'stop'], true)
        .fork(5001, 5000)
        .fork(5002, 5000)
        .exec(5001, ...args)
      story
        .read(reader === 'killer' ? 5001 : 5002, '/run/worker.pid', 4242, writtenAt)
        .kill(5001, 4242)
        .exit(4242, 9)
      expect((await judged(story))?.wrongPid, reader).toMatchObject({ confidence: 'certain' })
    }
  })

  it('is likely where the writing was not seen, as of a service that is older than the watching', async () => {
    const old = scanned({ pid: 4242, comm: 'worker', startTicks: 300_000, sid: 4242, nsid: 1 })
    const story = new Story().beat()
    const writtenAt = clocksAt(3_001_000_000_000n).real
    story.wait(second).exit(4242)
    story.start(4242, 1, ['web'], true)
    const death = await judged(stops(story, writtenAt), { processes: [init, launcher, old] })
    expect(death?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'likely' })
    expect(death?.wrongPid?.pidfileWrittenAt).toBe('2026-11-22T00:50:01.000000Z')
  })

  it('is told by the file alone where who had the pid then is not known', async () => {
    const story = new Story().beat().start(4242, 1, ['ls']).wait(20).exit(4242).start(4242, 1, ['web'], true)
    const writtenAt = clocksAt(1_000_000_000_000n).real
    const death = await judged(stops(story, writtenAt))
    expect(death?.wrongPid).toBeNull()
    expect(death?.verdict.summary).toMatch(
      /; it was most likely meant for a process that had pid 4242 before, still named in \/run\/worker\.pid, written 43 min 20 s before\.$/,
    )
    expect(death?.verdict.reasons.at(-1)).toMatch(/; who had it then was not seen$/)
  })

  it('needs no time of the file if it was read before the victim began', async () => {
    const story = new Story().beat().start(4242, 1, ['worker'], true).start(5000, 900, ['sh', 'stop'], true)
    story
      .read(5000, '/run/worker.pid', 4242)
      .wait(2 * second)
      .exit(4242)
      .start(4242, 1, ['web'], true)
    story.kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'likely' })
  })

  it('needs no time of the file if anybody had read the same before the victim began', async () => {
    const story = new Story().beat().start(4242, 1, ['worker'], true).write(4242, '/run/worker.pid')
    const writtenAt = story.wallClock
    story.start(6000, 1, ['monitor'], true).read(6000, '/run/worker.pid', 4242, writtenAt)
    story.wait(200).exit(4242).start(4242, 1, ['web'], true)
    expect((await judged(stops(story, writtenAt)))?.wrongPid).toMatchObject({ confidence: 'certain' })
  })

  it('knows the content of a file that was not in memory from an earlier reader', async () => {
    const { story, writtenAt } = reused()
    story.start(6000, 1, ['monitor'], true).read(6000, '/run/worker.pid', 4242, writtenAt)
    expect((await judged(stops(story, writtenAt, null)))?.wrongPid).toMatchObject({ confidence: 'certain' })
  })

  it('is not certain if the file was opened for writing, too, and none if it was the pid’s owner that wrote it', async () => {
    const { story, writtenAt } = reused()
    story.start(5000, 900, ['sh', 'stop'], true).open(5000, '/run/worker.pid', 4242, writtenAt)
    story.kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'likely' })
    const own = new Story().beat().start(5000, 900, ['sh', 'start'], true).start(4242, 5000, ['worker'])
    own
      .open(4242, '/run/worker.pid', 4242, own.wallClock)
      .exit(4242)
      .wait(2 * second)
    own.start(4242, 1, ['web'], true).kill(5000, 4242).exit(4242, 9)
    expect((await judged(own))?.wrongPid).toBeNull()
  })

  it('is likely where the content was not seen, but the daemon that wrote the file was', async () => {
    const { story } = reused()
    const death = await judged(stops(story, undefined, null))
    expect(death?.wrongPid).toMatchObject({
      ...{
        previousOwner: { comm: 'worker' },
        pidfile: '/run/worker.pid',
        pidfileWrittenAt: null,
        confidence: 'likely',
      },
    })
    expect(death?.verdict.reasons.at(-1)).toMatch(
      /^cat \(pid 5001\) read \/run\/worker\.pid 2\.0 ms before the signal; what had pid 4242 then had written it, and it was written 2\.0 s before the victim had that pid$/,
    )
    const shells = new Story().beat().start(4242, 1, ['sh', 'start'], true).write(4242, '/run/worker.pid')
    shells
      .wait(2 * second)
      .exit(4242)
      .start(4242, 1, ['web'], true)
    expect((await judged(stops(shells, undefined, null)))?.wrongPid).toBeNull()
    const fresh = reused().story.write(4242, '/run/worker.pid')
    expect((await judged(stops(fresh, undefined, null)))?.wrongPid).toBeNull()
  })

  it('is less sure if another pidfile was read, and nobody knows what it named', async () => {
    const { story, writtenAt } = reused()
    story.start(5000, 900, ['sh', 'stop'], true).read(5000, '/run/unknown.pid', null)
    story.read(5000, '/run/worker.pid', 4242, writtenAt).kill(5000, 4242).exit(4242, 9)
    const death = await judged(story)
    expect(death?.wrongPid).toMatchObject({ confidence: 'likely' })
    expect(death?.verdict.reasons.at(-1)).toMatch(/; but what \/run\/unknown\.pid named was not seen$/)
  })

  it('is less sure when records were lost, or pids were looked up, in between', async () => {
    const lossy = reused()
    stops(lossy.story, lossy.writtenAt)
    const dropOne = (lines: string[]) => lines.filter((_, at) => at !== lines.length - 8)
    expect((await judged(lossy.story, { ...options, lines: dropOne }))?.wrongPid).toMatchObject({
      confidence: 'likely',
    })
    const asking = reused()
    asking.story.start(5000, 900, ['sh', 'stop'], true).start(5001, 5000, ['pgrep', 'web']).exit(5001)
    asking.story.start(5002, 5000, ['cat', '/run/worker.pid']).read(5002, '/run/worker.pid', 4242, asking.writtenAt)
    asking.story.kill(5000, 4242).exit(4242, 9)
    const death = await judged(asking.story)
    expect(death?.wrongPid).toMatchObject({ confidence: 'likely' })
    expect(death?.verdict.reasons.at(-1)).toMatch(/; but pgrep was asked for pids$/)
  })
})

describe('a kill by a pidfile that is right', () => {
  it('is no mistake: the file was written for the victim', async () => {
    const { story } = reused()
    story.write(4242, '/run/worker.pid')
    expect((await judged(stops(story, story.wallClock)))?.wrongPid).toBeNull()
  })

  it('is only a possible mistake if the file was opened for writing since, and has an old time nevertheless', async () => {
    const { story, writtenAt } = reused()
    story.write(4242, '/run/worker.pid')
    const death = await judged(stops(story, writtenAt))
    expect(death?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'possible' })
  })

  it('is no mistake if a second file, which is the victim’s, was read too', async () => {
    const { story, writtenAt } = reused()
    story.start(5000, 900, ['sh', 'stop-all'], true)
    story.read(5000, '/run/worker.pid', 4242, writtenAt).read(5000, '/run/web.pid', 4242, story.wallClock)
    story.kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })

  it('is no mistake if the clock was set forward after it was written: it only looks old', async () => {
    const story = new Story()
      .beat()
      .start(4242, 1, ['worker'], true)
      .wait(2 * second)
      .exit(4242)
    story.start(4242, 1, ['web'], true).write(4242, '/run/web.pid')
    const writtenAt = story.wallClock
    story.beat(500, 3_600_000).beat(second, 3_600_000)
    story.start(5000, 900, ['sh', 'stop'], true).read(5000, '/run/web.pid', 4242, writtenAt)
    story.kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })

  it('is no mistake if a file of the same second cannot be told from it', async () => {
    const story = new Story().beat().start(4242, 1, ['worker'], true).wait(second)
    const writtenAt = story.wallClock
    story.exit(4242).start(4242, 1, ['web'], true)
    expect((await judged(stops(story, writtenAt)))?.wrongPid).toBeNull()
  })

  it('is no mistake if what had the pid before was the same service', async () => {
    const story = new Story().beat().start(4242, 1, ['web'], true).write(4242, '/run/web.pid')
    const writtenAt = story.wallClock
    story
      .wait(2 * second)
      .exit(4242)
      .start(4242, 1, ['web'], true)
    expect((await judged(stops(story, writtenAt)))?.wrongPid).toBeNull()
  })

  it('is not judged by what an unrelated process read', async () => {
    const { story, writtenAt } = reused()
    story.start(6000, 900, ['monitor'], true).read(6000, '/run/worker.pid', 4242, writtenAt)
    story.start(5000, 900, ['sh', 'stop'], true).kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })

  it('is not judged by a file that names another pid, nor one with a time that cannot be', async () => {
    for (const [number, time] of [
      [42, 0n],
      [4242, 10n ** 30n],
      [4242, -1n],
    ] as const) {
      const { story, writtenAt } = reused()
      const death = await judged(stops(story, time === 0n ? writtenAt : time, number))
      expect(death).toMatchObject({ wrongPid: null, killer: { pid: 5000 } })
    }
  })
})

describe('a kill by a number that is older than the victim', () => {
  it('was meant for who had it when the killer was given it', async () => {
    const story = new Story().beat().start(4242, 1, ['worker'], true).start(5000, 900, ['sh', 'later', '4242'], true)
    story
      .wait(2 * second)
      .exit(4242)
      .start(4242, 1, ['web'], true)
      .kill(5000, 4242)
      .exit(4242, 9)
    const death = await judged(story)
    expect(death?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, pidfile: null, confidence: 'likely' })
    expect(death?.verdict.summary).toMatch(
      /; it was most likely meant for worker, which had pid 4242 until \S+ ms before\.$/,
    )
  })

  it('is no mistake if the killer was given it when the victim was there', async () => {
    const { story } = reused()
    story.start(5000, 900, ['sh', 'later', '4242'], true).kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })

  it('is no mistake if the number is small, or a part of something else', async () => {
    for (const word of ['14242', '10.0.0.1:4242', '4242.log', '/proc/4242/stat', 'x4242']) {
      const story = new Story().beat().start(4242, 1, ['worker'], true).start(5000, 900, ['agent', word], true)
      story
        .wait(2 * second)
        .exit(4242)
        .start(4242, 1, ['web'], true)
        .kill(5000, 4242)
        .exit(4242, 9)
      expect((await judged(story))?.wrongPid, word).toBeNull()
    }
  })
})

describe('an escalation', () => {
  const asked = () =>
    new Story()
      .beat()
      .start(4242, 1, ['worker'], true)
      .start(5000, 900, ['sh', 'stop'], true)
      .kill(5000, 4242, 15)
      .exit(4242, 15)
      .wait(10 * second)
      .start(4242, 1, ['web'], true)

  it('goes wrong when the first signal had ended its target and the pid was given to another', async () => {
    const death = await judged(asked().kill(5000, 4242).exit(4242, 9))
    expect(death?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'likely' })
    expect(death?.verdict.reasons.at(-1)).toBe(
      'the killer had sent SIGTERM to worker, which had pid 4242 then, 10 s before',
    )
  })

  it('is none where the pid was looked up again, and its target found by name', async () => {
    const again = await judged(asked().start(5001, 5000, ['pgrep', 'web']).kill(5000, 4242).exit(4242, 9))
    expect(again?.wrongPid).toMatchObject({ confidence: 'possible' })
    const byName = await judged(asked().start(5001, 5000, ['killall', '-9', 'web']).kill(5001, 4242).exit(4242, 9))
    expect(byName?.wrongPid).toBeNull()
  })

  it('is none where the second signal comes through a descriptor: that cannot hit another', async () => {
    const death = await judged(asked().kill(5000, 4242, 9, 3, 'pidfd_send_signal').exit(4242, 9))
    expect(death?.wrongPid).toBeNull()
  })
})

describe('a supervisor', () => {
  const forked = (program: string[], livedMs = 2 * second, more = (story: Story) => story) =>
    more(new Story().beat().start(5000, 900, program, true).start(4242, 5000, ['worker']))
      .wait(livedMs)
      .exit(4242)
      .start(4242, 1, ['web'], true)

  it('that remembers a child which has ended means that child', async () => {
    const death = await judged(forked(['supervisor']).kill(5000, 4242, 15).exit(4242, 15))
    expect(death?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'likely' })
    expect(death?.verdict.reasons.at(-1)).toBe(
      'the killer had started the process that had pid 4242 before, and has nothing to do with the victim',
    )
  })

  it('means its child only if it is likely to remember it', async () => {
    const brief = await judged(forked(['supervisor'], 200).kill(5000, 4242).exit(4242, 9))
    expect(brief?.wrongPid).toBeNull()
    const waitedFor = await judged(forked(['sh', 'script']).kill(5000, 4242).exit(4242, 9))
    expect(waitedFor?.wrongPid).toBeNull()
    const goesOn = (story: Story) => story.start(5001, 5000, ['true']).exit(5001)
    const inBackground = await judged(
      forked(['sh', 'script'], 2 * second, goesOn)
        .kill(5000, 4242)
        .exit(4242, 9),
    )
    expect(inBackground?.wrongPid).toMatchObject({ confidence: 'likely' })
    const lookedUp = forked(['supervisor']).start(5001, 5000, ['pidof', 'web']).exit(5001)
    expect((await judged(lookedUp.kill(5000, 4242).exit(4242, 9)))?.wrongPid).toBeNull()
  })

  it('may have looked up the pid where records were lost', async () => {
    const story = forked(['supervisor'])
      .wait(2 * second)
      .kill(5000, 4242)
      .exit(4242, 9)
    const lastBeat = (all: string[]) => all.filter((_, at) => at !== all.length - 3)
    expect((await judged(story))?.wrongPid).toMatchObject({ confidence: 'likely' })
    expect((await judged(story, { ...options, lines: lastBeat }))?.wrongPid).toBeNull()
  })

  it('may kill its own children', async () => {
    const story = new Story().beat().start(5000, 900, ['supervisor'], true).start(4242, 5000, ['worker'])
    story
      .wait(2 * second)
      .exit(4242)
      .start(4242, 5000, ['web'])
      .kill(5000, 4242)
      .exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })
})

describe('a kill of a process that has its pid from another', () => {
  it('is ordinary if nothing speaks for the other', async () => {
    const { story } = reused()
    story.start(5000, 900, ['bash'], true).kill(5000, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })

  it('is ordinary if it hit a whole group, or everybody', async () => {
    for (const arg of [-1, -777, 0]) {
      const { story, writtenAt } = reused()
      story.start(5000, 900, ['sh', 'stop'], true).read(5000, '/run/worker.pid', 4242, writtenAt)
      story.kill(5000, 4242, 9, arg).exit(4242, 9)
      expect((await judged(story))?.wrongPid, String(arg)).toBeNull()
    }
  })

  it('is a mistake if the group was named after the number', async () => {
    const { story, writtenAt } = reused()
    story.start(5000, 900, ['sh', 'stop'], true).read(5000, '/run/worker.pid', 4242, writtenAt)
    story.kill(5000, 4242, 9, -4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' } })
  })

  it('is judged by the pid as it counts in the killer’s pid namespace', async () => {
    const inside = (nspid: number) => ({ nsid: 7, nspid })
    const story = new Story().beat().fork(4001, 1, inside(150)).exec(4001, 'worker').write(4001, '/run/worker.pid')
    const writtenAt = story.wallClock
    story
      .wait(2 * second)
      .exit(4001)
      .fork(4242, 1, inside(150))
      .exec(4242, 'web')
      .wait(second)
    story.fork(5000, 1, inside(151)).exec(5000, 'sh', 'stop').read(5000, '/run/worker.pid', 150, writtenAt)
    story.kill(5000, 4242, 9, 150).exit(4242, 9)
    const death = await judged(story)
    expect(death?.wrongPid).toMatchObject({ previousOwner: { pid: 4001, comm: 'worker' }, confidence: 'certain' })
  })

  it('is not judged by a pid of another namespace', async () => {
    const { story, writtenAt } = reused()
    story.fork(5000, 1, { nsid: 7, nspid: 151 }).exec(5000, 'sh', 'stop').read(5000, '/run/worker.pid', 4242, writtenAt)
    story.kill(5000, 4242, 9, 4242).exit(4242, 9)
    expect((await judged(story))?.wrongPid).toBeNull()
  })
})

async function deathsIn(lines: string[]): Promise<DeathEvent[]> {
  return (await eventsOfLines(lines, options)).filter((event): event is DeathEvent => event.type === 'death')
}

describe('records that come out of order or are lost', () => {
  const wrong = () => {
    const { story, writtenAt } = reused()
    return stops(story, writtenAt).beat().told
  }
  const right = () => {
    const { story, writtenAt } = reused()
    story.start(5000, 900, ['sh', 'stop-all'], true)
    story.read(5000, '/run/worker.pid', 4242, writtenAt).write(4242, '/run/web.pid')
    story.read(5000, '/run/web.pid', 4242, story.wallClock)
    return story.kill(5000, 4242).exit(4242, 9).beat().told
  }

  it('give the same verdict when they come in another order', async () => {
    const lines = linesOf(wrong())
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2), { minLength: lines.length, maxLength: lines.length }), async (late) => {
        const places = lines.map((line, at) => ({ line, place: at === 0 ? -1 : at + (late[at] ?? 0) }))
        const shuffled = places.toSorted((a, b) => a.place - b.place).map(({ line }) => line)
        const death = (await deathsIn(shuffled)).findLast(({ victim }) => victim.comm === 'web')
        expect(death?.wrongPid).toMatchObject({ previousOwner: { comm: 'worker' }, confidence: 'certain' })
      }),
      { numRuns: 100 },
    )
  })

  it('never make a mistake certain that is none', async () => {
    const [first = '', ...rest] = linesOf(right())
    await fc.assert(
      fc.asyncProperty(fc.subarray(rest, { minLength: 1 }), async (lines) => {
        for (const { wrongPid } of await deathsIn([first, ...lines])) expect(wrongPid?.confidence).not.toBe('certain')
      }),
      { numRuns: 500 },
    )
  })

  it('never make a mistake of what a killer did whose arguments were lost: it may have been told the name', async () => {
    const { story, writtenAt } = reused()
    story.start(5000, 900, ['sh', 'stop-all'], true).read(5000, '/run/worker.pid', 4242, writtenAt)
    story.start(5001, 5000, ['pkill', '-F', '/run/worker.pid', 'web']).kill(5001, 4242).exit(4242, 9)
    const lines = linesOf(story.told)
    expect((await deathsIn(lines)).at(-1)?.wrongPid).toBeNull()
    const lost = lines.filter((line) => !line.includes('argv=pkill'))
    expect((await deathsIn(lost)).at(-1)).toMatchObject({ killer: { pid: 5001 }, wrongPid: null })
  })

  it('never name another than was meant', async () => {
    const [first = '', ...rest] = linesOf(wrong())
    const [whole] = (await deathsIn([first, ...rest])).flatMap(({ wrongPid }) => wrongPid ?? [])
    let named = 0
    await fc.assert(
      fc.asyncProperty(fc.subarray(rest, { minLength: rest.length - 6 }), async (lines) => {
        for (const { wrongPid } of await deathsIn([first, ...lines])) {
          if (wrongPid === null) continue
          named += 1
          expect(wrongPid.previousOwner.id).toBe(whole?.previousOwner.id)
        }
      }),
      { numRuns: 500 },
    )
    expect(named).toBeGreaterThan(20)
  })
})
