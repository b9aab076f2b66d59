import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readWayFacts, type WayFacts } from '../ways/facts.ts'
import { slices } from '../ways/slice.ts'
import { eventsOf, type Recording } from '../ways/tell.ts'
import type { Answer, Claim, Death } from './judge.ts'
import { keptFolder, markerFirst } from './run.ts'
import { type Timed, toldByKillsnoop, toldByScript, toldByWhokilled } from './told-by.ts'
import { toldByAuditd } from './told-by-auditd.ts'

/** The tools that watch, in the order of the table's columns. */
export const tools = ['systemtap', 'bpftrace', 'killsnoop', 'auditd', 'article', 'signal_send'] as const
export type Tool = (typeof tools)[number]

export interface ComparedRun {
  readonly facts: ReadonlyMap<string, WayFacts>
  /** What each tool told in the time of each way. */
  readonly answers: ReadonlyMap<Tool, ReadonlyMap<string, Answer>>
  /** Versions of what ran, one a line, as the programs print them. */
  readonly versions: string
  /** The kernel's own counters of audit. */
  readonly auditStatus: string
  /** What the ways' scripts printed. */
  readonly log: string
}

/** Reads what the last run has kept. */
export async function readCompared(): Promise<ComparedRun> {
  const facts = readWayFacts(await kept('facts'))
  return {
    facts,
    answers: await answersOf(facts),
    versions: await kept('versions'),
    auditStatus: await kept('audit.status'),
    log: await kept('ways.log'),
  }
}

async function kept(name: string): Promise<string> {
  return await readFile(join(keptFolder, name), 'latin1')
}

async function answersOf(facts: ReadonlyMap<string, WayFacts>) {
  const answers = new Map<Tool, ReadonlyMap<string, Answer>>()
  for (const probe of ['systemtap', 'bpftrace'] as const) {
    const told = new Map<string, Answer>()
    for (const [way, recording] of slices(await recordingOf(probe), facts)) {
      told.set(way, toldByWhokilled(await eventsOf(recording)))
    }
    answers.set(probe, told)
  }
  const parts = toldByKillsnoop(await kept('killsnoop'), markerFirst)
  const order = (await kept('ways')).trim().split('\n')
  answers.set('killsnoop', new Map(order.map((way, at) => [way, parts.get(at) ?? { claims: [], deaths: [] }])))
  const bootToReal = bootToRealIn(await kept('systemtap.wkr'))
  const byTime = (told: readonly Timed<Claim | Death>[]) =>
    new Map([...facts].map(([way, time]) => [way, inTime(told, time, bootToReal)]))
  answers.set('auditd', byTime(toldByAuditd(await kept('audit.log'))))
  for (const script of ['article', 'signal_send'] as const)
    answers.set(script, byTime(toldByScript(await kept(script))))
  return answers
}

async function recordingOf(probe: string): Promise<Recording> {
  return {
    lines: (await kept(`${probe}.wkr`)).split('\n').slice(0, -1),
    snapshot: JSON.parse(await readFile(join(keptFolder, `${probe}.procs.json`), 'utf8')),
  }
}

/** What to add to the time since boot for the wall clock's, in seconds: a heartbeat has both. */
function bootToRealIn(recording: string): number {
  const [, real, boot] = /^heartbeat\t.*\treal=(\d+)\t.*\tboot=(\d+)/m.exec(recording) ?? []
  if (real === undefined || boot === undefined) throw new Error('Expected a heartbeat in the recording, found none.')
  return Number(BigInt(real) - BigInt(boot)) / 1e9
}

/** How far the clocks may be apart: /proc/uptime has hundredths of a second, audit's clock goes in steps of 4 ms. */
const marginSeconds = 0.05

function inTime(told: readonly Timed<Claim | Death>[], { begin, end }: WayFacts, bootToReal: number): Answer {
  const here = told.filter(({ at }) => {
    const boot = at - bootToReal
    return boot >= begin - marginSeconds && boot <= end + marginSeconds
  })
  return {
    claims: here.flatMap(({ what }) => ('target' in what ? [what] : [])),
    deaths: here.flatMap(({ what }) => ('target' in what ? [] : [what])),
  }
}
