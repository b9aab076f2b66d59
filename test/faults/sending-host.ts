import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Fate, readFates } from './fates.ts'
import type { SenderSettings } from './sender.ts'

/** A host that sends events until it is told otherwise. */
export interface SendingHost extends AsyncDisposable {
  readonly name: string
  readonly stateFolder: string
  /** Starts its agent; after `kill` or `end` again, on the same state folder. */
  start(): void
  /** SIGKILL. */
  kill(): Promise<void>
  /** Makes so many events a second from now on. */
  rate(perSecond: number): void
  /** Ends it in order: it has some seconds to publish what waits. */
  end(): Promise<void>
  /** What became of its events so far, by their ids. */
  fates(): Map<string, Fate>
}

const program = fileURLToPath(new URL('sender.ts', import.meta.url))

/** Makes a host with a state folder of its own; its agent runs. `await using` ends it and deletes its folder. */
export async function sendingHost(settings: Omit<SenderSettings, 'stateFolder' | 'said'>): Promise<SendingHost> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'whokilled-host-'))
  const said = join(stateFolder, 'said')
  const { NODE_OPTIONS: _, ...env } = process.env
  let running: { child: ChildProcess; ended: Promise<unknown> } | undefined
  let failure: Error | undefined
  const host: SendingHost = {
    name: settings.hostName,
    stateFolder,
    start() {
      if (running !== undefined) return
      const given = JSON.stringify({ ...settings, stateFolder, said } satisfies SenderSettings)
      const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', program, given], {
        stdio: ['pipe', 'ignore', 'inherit'],
        env,
      })
      child.stdin?.on('error', () => {}) // It was killed.
      running = { child, ended: once(child, 'close') }
      child.once('exit', (status) => {
        if (status !== null && status !== 0) failure = new Error(`the sender of ${host.name} ended with ${status}`)
      })
    },
    async kill() {
      running?.child.kill('SIGKILL')
      await running?.ended
      running = undefined
    },
    rate(perSecond) {
      running?.child.stdin?.write(`rate ${perSecond}\n`)
    },
    async end() {
      running?.child.stdin?.write('end\n')
      await running?.ended
      running = undefined
    },
    fates() {
      if (failure !== undefined) throw failure
      return readFates(said)
    },
    async [Symbol.asyncDispose]() {
      await host.kill()
      await rm(stateFolder, { recursive: true, force: true })
    },
  }
  host.start()
  return host
}
