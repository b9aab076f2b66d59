import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProcSnapshot } from '@whokilled/agent/process/proc-scan'
import { type GuestRun, runInGuest } from '../kernel/lab/guest.ts'
import { bundledRecorder } from '../kernel/lab/recorder.ts'
import { readWayFacts, type WayFacts } from './facts.ts'
import type { ProbeName } from './judge.ts'
import { scriptOf } from './script.ts'
import { slices } from './slice.ts'
import type { Recording } from './tell.ts'
import type { Way } from './way.ts'

/** Emulated, and beside other work: a boot with both probes took 40 s, a way 1 to 5 s. */
const startTimeoutMs = 300_000
const wayTimeoutMs = 15_000

export interface GuestWays {
  readonly facts: ReadonlyMap<string, WayFacts>
  /** What each probe told of each way. */
  readonly recordings: ReadonlyMap<ProbeName, ReadonlyMap<string, Recording>>
  /** What the scripts printed. */
  readonly log: string
}

/** Makes ways happen in a guest, all in one boot, while both probes watch. */
export async function runInGuestWays(
  ways: readonly Way[],
  root: 'small' | 'debian',
  probes: readonly ProbeName[] = ['systemtap', 'bpftrace'],
): Promise<GuestWays> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-ways-'))
  try {
    await using recorder = await bundledRecorder()
    await writeFile(join(folder, 'ways.sh'), scriptOf(ways))
    const script = await readFile(join(import.meta.dirname, 'in-guest.sh'), 'utf8')
    await using run = await runInGuest({
      root,
      script: `PROBES='${probes.join(' ')}'\n${script}`,
      node: true,
      bpftrace: probes.includes('bpftrace'),
      timeoutMs: startTimeoutMs + ways.length * wayTimeoutMs,
      files: {
        '/lab/recorder': recorder.folder,
        '/lab/ways.sh': join(folder, 'ways.sh'),
        // Where a program in /lab/recorder looks for it, as the installed agent does.
        '/probes/whokilled.bt': join(import.meta.dirname, '../../packages/agent/probes/whokilled.bt'),
      },
    })
    const facts = readWayFacts(String(await run.read('facts')))
    const recordings = new Map<ProbeName, ReadonlyMap<string, Recording>>()
    for (const probe of probes) recordings.set(probe, slices(await recordingOf(run, probe), facts))
    return { facts, recordings, log: String(await run.read('ways.log')) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The root that a way runs in: the small one if it needs no whole system. */
export function rootOf({ needs }: Way): 'small' | 'debian' {
  return needs === 'debian' ? 'debian' : 'small'
}

/** What a probe's recorder left in /out. */
async function recordingOf(run: GuestRun, probe: ProbeName): Promise<Recording> {
  const lines = await run.read(`${probe}.wkr`).catch(async () => {
    throw new Error(`Expected a recording of ${probe}, its recorder said: ${await run.read(`${probe}.log`)}`)
  })
  const snapshot = JSON.parse(String(await run.read(`${probe}.procs.json`))) as ProcSnapshot
  return { lines: lines.toString('latin1').split('\n').slice(0, -1), snapshot }
}
