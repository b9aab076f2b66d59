import type { DeathEvent } from '@whokilled/shared/event'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Story } from '../../../test/pid-story.ts'
import { eventsOfLines, init, linesOf, scanned } from '../../../test/recorded-host.ts'

const launcher = scanned({ pid: 900, comm: 'launcher', startTicks: 200_000, sid: 900, nsid: 1 })

/** Few pids, so that they are given out again all the time. */
const pids = [4_242, 4_243]
const names = ['web', 'worker', 'mail']

/** What happens next on a host. `by` chooses among what there is. */
type Step =
  | { readonly what: 'start'; readonly name: string; readonly by: number; readonly writes: boolean }
  | { readonly what: 'end'; readonly by: number }
  | { readonly what: 'wait'; readonly ms: number }
  | { readonly what: 'kill by file' | 'kill by name'; readonly name: string; readonly looksAt: readonly string[] }

const name = fc.constantFrom(...names)
const by = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ what: fc.constant('start' as const), name, by, writes: fc.boolean() }), weight: 5 },
  { arbitrary: fc.record({ what: fc.constant('end' as const), by }), weight: 4 },
  {
    arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.constantFrom(30, 700, 1_500, 1_500) }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      what: fc.constantFrom('kill by file' as const, 'kill by name' as const),
      name,
      looksAt: fc.array(name, { maxLength: 2 }),
    }),
    weight: 4,
  },
)

interface Life {
  readonly pid: number
  readonly name: string
  /** Counts all lives of the host. */
  readonly nth: number
}

/** Plays steps on a host, and keeps whom each kill was meant for: the nth life, by the killer's pid. */
class Host {
  readonly story = new Story().beat()
  readonly meant = new Map<number, number | undefined>()
  readonly lives: Life[] = []
  private readonly alive = new Map<number, Life>()
  private readonly files = new Map<string, { life: Life; at: bigint }>()
  private jobs = 5_000

  play(steps: readonly Step[]): void {
    for (const one of steps) {
      this.story.wait(20)
      if (one.what === 'wait') this.story.wait(one.ms)
      else if (one.what === 'start') this.start(one.name, one.by, one.writes)
      else if (one.what === 'end') this.end([...this.alive.values()][one.by % Math.max(1, this.alive.size)])
      else this.kill(one)
    }
    this.story.beat()
  }

  private start(called: string, choice: number, writes: boolean): void {
    const free = pids.filter((pid) => !this.alive.has(pid))
    const pid = free[choice % Math.max(1, free.length)]
    if (pid === undefined) return
    const life = { pid, name: called, nth: this.lives.length }
    this.lives.push(life)
    this.alive.set(pid, life)
    this.story.start(pid, 1, [called], true)
    if (!writes) return
    this.story.write(pid, `/run/${called}.pid`)
    this.files.set(called, { life, at: this.story.wallClock })
  }

  private end(life: Life | undefined, code = 0): void {
    if (life === undefined) return
    this.alive.delete(life.pid)
    this.story.exit(life.pid, code)
  }

  /** A job looks at pidfiles, and then kills by the number in a file, or by a name that it has looked up. */
  private kill({ what, name: called, looksAt }: Step & { name: string; looksAt: readonly string[] }): void {
    this.jobs += 2
    const job = this.jobs
    this.story.start(job, 900, ['sh', 'job'], true)
    for (const file of looksAt) this.read(job, file)
    const target = what === 'kill by file' ? this.files.get(called)?.life : this.living(called)
    if (what === 'kill by file') this.read(job, called)
    else this.story.start(job + 1, job, ['pgrep', called]).exit(job + 1)
    const hit = target && this.alive.get(target.pid)
    if (target !== undefined && hit !== undefined) {
      this.meant.set(job, target.nth)
      this.story.kill(job, hit.pid)
      this.end(hit, 9)
    }
    this.story.exit(job)
  }

  private read(job: number, file: string): void {
    const content = this.files.get(file)
    if (content !== undefined) this.story.read(job, `/run/${file}.pid`, content.life.pid, content.at)
  }

  private living(called: string): Life | undefined {
    return [...this.alive.values()].find((life) => life.name === called)
  }
}

const lost = fc.oneof(fc.constant([]), fc.array(fc.nat(), { maxLength: 3 }))

test('whatever happens on a host, and whatever is lost of it: who is named for certain was meant, and not hit', async () => {
  const seen = { certain: 0, likely: 0, possible: 0, wrong: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 40, size: 'max' }), lost, async (steps, drops) => {
      const host = new Host()
      host.play(steps)
      const all = linesOf(host.story.told)
      const dropped = new Set(drops.map((drop) => 1 + (drop % (all.length - 1))))
      const lines = all.filter((_, at) => !dropped.has(at))
      const deaths = (await eventsOfLines(lines, { processes: [init, launcher] })).filter(
        (event): event is DeathEvent => event.type === 'death',
      )
      for (const { wrongPid, killer, victim } of deaths) {
        if (wrongPid === null || killer === null) continue
        seen[wrongPid.confidence as 'certain'] += 1
        const meant = host.lives[host.meant.get(killer.pid) ?? -1]
        const isRight = wrongPid.previousOwner.pid === meant?.pid && wrongPid.previousOwner.id !== victim.id
        if (!isRight) seen.wrong += 1
        if (wrongPid.confidence !== 'certain') continue
        expect(isRight).toBe(true)
        expect(wrongPid.previousOwner.comm).toBe(meant?.name)
      }
    }),
    { numRuns: 250 },
  )
  expect(seen.certain).toBeGreaterThan(2)
  expect(seen.likely).toBeGreaterThan(2)
}, 60_000)
