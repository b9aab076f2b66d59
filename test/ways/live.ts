import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Probe } from '@whokilled/agent/probe/probe'
import { type ProcSnapshot, scanProc } from '@whokilled/agent/process/proc-scan'
import { execa } from 'execa'
import { compiledPrograms } from '../kernel/lab/programs.ts'
import { readWayFacts, type WayFacts } from './facts.ts'
import { scriptOf } from './script.ts'
import { slices } from './slice.ts'
import type { Recording } from './tell.ts'
import { unifiedFolder } from './unified-folder.ts'
import type { Way } from './way.ts'

export interface LiveRun {
  readonly facts: ReadonlyMap<string, WayFacts>
  readonly recordings: ReadonlyMap<string, Recording>
}

/** A way takes a second; on a busy machine it may take three. */
const startTimeoutMs = 120_000
const wayTimeoutMs = 3_000

/** Without who logged in, where that may be taken back, and with the script's text alone. */
const alone = 'echo 4294967295 2> /dev/null > /proc/self/loginuid; exec sh /proc/self/fd/3 3< "$0"'

/** Makes ways happen on this machine under a probe. */
export async function runLive(ways: readonly Way[], probe: Probe): Promise<LiveRun> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-ways-'))
  // Ways run programs as other users.
  await chmod(folder, 0o755)
  try {
    // No links: a probe tells the path of the file that is executed, and sentences name programs by it.
    for (const [name, path] of await compiledPrograms()) await copyFile(path, join(folder, name))
    const env = {
      FACTS: join(folder, 'facts'),
      SCRATCH: await mkdtemp(join(folder, 'scratch-')),
      CGROUP: await unifiedFolder(),
      PATH: `${folder}:${process.env.PATH}`,
    }
    await writeFile(env.FACTS, '')
    const script = join(folder, 'ways.sh')
    await writeFile(script, scriptOf(ways))
    const recording = await recorded(probe, async () => {
      // Neither a script with a name nor a login stands behind the ways, or it would be told of as who had them done: a
      // session of its own, whose parent has gone. Its output ends when it does.
      await execa('setsid', ['--fork', 'sh', '-c', alone, script], {
        env,
        stdin: 'ignore',
        stdout: ['pipe', 'inherit'],
        stderr: ['pipe', 'inherit'],
        timeout: startTimeoutMs + ways.length * wayTimeoutMs,
      })
    })
    const facts = readWayFacts(await readFile(env.FACTS, 'utf8'))
    return { facts, recordings: slices(recording, facts) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function recorded(probe: Probe, act: () => Promise<void>): Promise<Recording> {
  const run = await probe.start()
  const lines: string[] = []
  let sawHeartbeat: () => void = () => undefined
  const firstHeartbeat = new Promise<void>((resolve) => {
    sawHeartbeat = resolve
  })
  const reading = (async () => {
    for await (const line of run.lines()) {
      lines.push(line)
      if (line.startsWith('heartbeat\t')) sawHeartbeat()
    }
  })()
  let snapshot: ProcSnapshot
  try {
    await firstHeartbeat
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim()
    snapshot = { bootId, hostName: 'here', processes: await scanProc() }
    await act()
  } finally {
    await run.stop()
  }
  await reading
  const { error } = await run.ended
  if (error !== null) throw error
  return { lines, snapshot }
}
