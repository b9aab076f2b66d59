import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../servers/free-port.ts'
import { type ServerProcess, startServerProcess } from '../servers/server-process.ts'

/** A collector that runs as a program of its own, so that it can be killed. */
export interface CollectorProcess extends AsyncDisposable {
  readonly url: string
  /** Starts it again after `kill` or `stop`. */
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  stop(): Promise<void>
  /** SIGSTOP: it hangs. */
  hang(): Promise<void>
  /** SIGCONT. */
  goOn(): void
  /** A metric, its labels summed, over all its lives; of one that ended by `kill` as of just before. */
  count(metric: string): Promise<number>
}

const main = fileURLToPath(new URL('../../packages/collector/src/main.ts', import.meta.url))

/** Starts one with these settings (docs/store.md); `migrate` brings the tables up to date first. */
export async function startCollectorProcess(
  settings: object,
  { migrate }: { migrate: boolean },
): Promise<CollectorProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-collector-'))
  const config = join(folder, 'collector.json')
  const httpPort = await freePort()
  const url = `http://127.0.0.1:${httpPort}`
  // It is asked again and again until something has come.
  await writeFile(config, JSON.stringify({ httpRequestsPerMinuteMax: 1_000_000, ...settings, httpPort }))
  const { NODE_OPTIONS: _, ...env } = process.env
  const former = new Map<string, number>()
  let running: ServerProcess | undefined

  const collector: CollectorProcess = {
    url,
    async start() {
      running ??= await startServerProcess({
        program: process.execPath,
        args: [
          ...['--conditions=source', '--import', 'tsx', main, '--config', config, 'run'],
          ...(migrate ? ['--migrate'] : []),
        ],
        readyLine: '"msg":"listening"',
        stopSignal: 'SIGTERM',
        folder,
        env,
      })
    },
    async kill() {
      await keepCounts()
      await running?.kill()
      running = undefined
    },
    async stop() {
      await keepCounts()
      await running?.stop()
      running = undefined
    },
    async hang() {
      await keepCounts()
      if (running !== undefined) process.kill(running.pid, 'SIGSTOP')
    },
    goOn() {
      if (running !== undefined) process.kill(running.pid, 'SIGCONT')
    },
    async count(metric) {
      return (former.get(metric) ?? 0) + ((await counts()).get(metric) ?? 0)
    },
    async [Symbol.asyncDispose]() {
      await running?.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await collector.start()
  } catch (error) {
    await collector[Symbol.asyncDispose]()
    throw error
  }
  return collector

  async function keepCounts(): Promise<void> {
    for (const [metric, value] of await counts()) former.set(metric, (former.get(metric) ?? 0) + value)
  }

  /** Empty if it does not answer. */
  async function counts(): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    if (running === undefined) return found
    const text = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(answerDelayMaxMs) }).then(
      (answer) => answer.text(),
      () => '',
    )
    for (const [, metric = '', value] of text.matchAll(/^(\w+_total)(?:\{.*\})? (\d+)$/gm)) {
      found.set(metric, (found.get(metric) ?? 0) + Number(value))
    }
    return found
  }
}

const answerDelayMaxMs = 2_000
