import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findSystemTap } from '@whokilled/agent/probe/stap/systemtap'
import { labCacheFolder } from '../kernel/lab/cache-folder.ts'
import { headersKernel } from '../kernel/lab/debian-packages.ts'
import { type GuestRun, runInGuest } from '../kernel/lab/guest.ts'
import { bundledRecorder } from '../kernel/lab/recorder.ts'
import { readWayFacts, type WayFacts } from '../ways/facts.ts'
import { recordingOf } from '../ways/in-guest.ts'
import { scriptOf } from '../ways/script.ts'
import { slices } from '../ways/slice.ts'
import { eventsOf } from '../ways/tell.ts'
import type { Way } from '../ways/way.ts'
import type { Answer, Claim, Death } from './judge.ts'
import { stapModule } from './stap-module.ts'
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
  /** The kernel's own counters of auditd. */
  readonly auditStatus: string
  readonly log: string
}

/** What the tools of the last run printed. */
const keptFolder = join(labCacheFolder, 'comparison')

/** No process has such a number (PID_MAX_LIMIT is 4,194,304): `kill -0` of it is a mark in what killsnoop prints. */
const markerFirst = 5_000_000
const startTimeoutMs = 600_000
const wayTimeoutMs = 20_000

/** Makes ways happen in one boot of the Debian guest while all tools watch. */
export async function runCompared(ways: readonly Way[]): Promise<ComparedRun> {
  await rm(keptFolder, { recursive: true, force: true })
  await mkdir(keptFolder, { recursive: true })
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-comparison-'))
  try {
    await using recorder = await bundledRecorder()
    await writeFile(join(folder, 'ways.sh'), scriptOf(ways.map(marked)))
    const { release } = await headersKernel()
    const module = (name: string) => stapModule(join(import.meta.dirname, `${name}.stp`), release, folder)
    await using run = await runInGuest({
      root: 'debian',
      script: await readFile(join(import.meta.dirname, 'watch.sh'), 'utf8'),
      node: true,
      bpftrace: true,
      // Else audit knows nothing of processes that are older than auditd, process 1 among them (auditd(8)).
      kernelArguments: 'audit=1 audit_backlog_limit=8192',
      timeoutMs: startTimeoutMs + ways.length * wayTimeoutMs,
      files: {
        '/lab/recorder': recorder.folder,
        '/lab/ways.sh': join(folder, 'ways.sh'),
        '/probes/whokilled.bt': join(import.meta.dirname, '../../packages/agent/probes/whokilled.bt'),
        '/lab/killsnoop.bt': '/usr/sbin/killsnoop.bt',
        '/lab/article.ko': await module('article'),
        '/lab/signal_send.ko': await module('signal_send'),
      },
    })
    for (const name of await run.list()) await writeFile(join(keptFolder, name), await run.read(name))
    const text = async (name: string) => String(await run.read(name))
    const facts = readWayFacts(await text('facts'))
    return {
      facts,
      answers: await answersOf(run, ways, facts),
      versions: `${(await text('versions')).trim()}\nSystemTap ${(await findSystemTap()).version}`,
      auditStatus: await text('audit.status'),
      log: await text('ways.log'),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function marked(way: Way, at: number): Way {
  return { ...way, before: `kill -0 ${markerFirst + at} 2> /dev/null\n${way.before ?? ''}` }
}

async function answersOf(run: GuestRun, ways: readonly Way[], facts: ReadonlyMap<string, WayFacts>) {
  const text = async (name: string) => (await run.read(name)).toString('latin1')
  const answers = new Map<Tool, ReadonlyMap<string, Answer>>()
  for (const probe of ['systemtap', 'bpftrace'] as const) {
    const told = new Map<string, Answer>()
    for (const [way, recording] of slices(await recordingOf(run, probe), facts)) {
      told.set(way, toldByWhokilled(await eventsOf(recording)))
    }
    answers.set(probe, told)
  }
  const killsnoop = toldByKillsnoop(await text('killsnoop'), markerFirst)
  const nothing: Answer = { claims: [], deaths: [] }
  answers.set('killsnoop', new Map(ways.map(({ name }, at) => [name, killsnoop.get(at) ?? nothing])))
  const bootToReal = bootToRealIn(await text('systemtap.wkr'))
  const byTime = (told: readonly Timed<Claim | Death>[]) =>
    new Map([...facts].map(([way, time]) => [way, inTime(told, time, bootToReal)]))
  answers.set('auditd', byTime(toldByAuditd(await text('audit.log'))))
  for (const script of ['article', 'signal_send'] as const)
    answers.set(script, byTime(toldByScript(await text(script))))
  return answers
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
