import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findSystemTap } from '@whokilled/agent/probe/stap/systemtap'
import { labCacheFolder } from '../kernel/lab/cache-folder.ts'
import { headersKernel } from '../kernel/lab/debian-packages.ts'
import { runInGuest } from '../kernel/lab/guest.ts'
import { bundledRecorder } from '../kernel/lab/recorder.ts'
import { scriptOf } from '../ways/script.ts'
import type { Way } from '../ways/way.ts'
import { stapModule } from './stap-module.ts'

/** What the tools of the last run printed, and `ways`: the names of the ways, in the order in which they ran. */
export const keptFolder = join(labCacheFolder, 'comparison')

/** No process has such a number (PID_MAX_LIMIT is 4,194,304): `kill -0` of it is a mark in what killsnoop prints. */
export const markerFirst = 5_000_000

const startTimeoutMs = 600_000
const waySecondsMax = 5

/** Makes ways happen in one boot of the Debian guest while all tools watch, and keeps what each printed. */
export async function runCompared(ways: readonly Way[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-comparison-'))
  try {
    await using recorder = await bundledRecorder()
    await writeFile(join(folder, 'ways.sh'), scriptOf(ways.map(marked)))
    const { release } = await headersKernel()
    const module = (name: string) => stapModule(join(import.meta.dirname, `${name}.stp`), release, folder)
    await using run = await runInGuest({
      root: 'debian',
      script: `SECONDS_MAX=${ways.length * waySecondsMax}\n${await readFile(join(import.meta.dirname, 'watch.sh'), 'utf8')}`,
      node: true,
      bpftrace: true,
      // Else audit knows nothing of processes that are older than auditd, process 1 among them (auditd(8)).
      kernelArguments: 'audit=1 audit_backlog_limit=8192',
      timeoutMs: startTimeoutMs + ways.length * waySecondsMax * 1_000,
      files: {
        '/lab/recorder': recorder.folder,
        '/lab/ways.sh': join(folder, 'ways.sh'),
        '/probes/whokilled.bt': join(import.meta.dirname, '../../packages/agent/probes/whokilled.bt'),
        '/lab/killsnoop.bt': '/usr/sbin/killsnoop.bt',
        '/lab/article.ko': await module('article'),
        '/lab/signal_send.ko': await module('signal_send'),
      },
    })
    await rm(keptFolder, { recursive: true, force: true })
    await mkdir(keptFolder, { recursive: true })
    for (const name of await run.list()) await writeFile(join(keptFolder, name), await run.read(name))
    const { version } = await findSystemTap()
    await writeFile(join(keptFolder, 'versions'), `${await run.read('versions')}SystemTap ${version}\n`)
    await writeFile(join(keptFolder, 'ways'), ways.map(({ name }) => `${name}\n`).join(''))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function marked(way: Way, at: number): Way {
  return { ...way, before: `kill -0 ${markerFirst + at} 2> /dev/null\n${way.before ?? ''}` }
}
