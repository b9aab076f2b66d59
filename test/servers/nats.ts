import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

/** A real nats-server with JetStream, on loopback, with its data in a folder of its own. */
export interface NatsServer extends AsyncDisposable {
  readonly port: number
  /** `nats://127.0.0.1:PORT` */
  readonly url: string
  readonly folder: string
  /** Starts it again on the same port and data, after `stop` or `kill`. */
  start(): Promise<void>
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

/** Starts nats-server with further `args` (`--user`, `--pass`); `await using` stops it and deletes its data. */
export async function startNats(args: readonly string[] = []): Promise<NatsServer> {
  const program = findNatsServer()
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-nats-'))
  const port = await freePort()
  let running: ServerProcess | undefined

  const server: NatsServer = {
    port,
    url: `nats://127.0.0.1:${port}`,
    folder,
    async start() {
      running ??= await startServerProcess({
        program,
        args: ['--jetstream', '--store_dir', folder, '--addr', '127.0.0.1', '--port', String(port), ...args],
        readyLine: 'Server is ready',
        stopSignal: 'SIGTERM',
        folder,
      })
    },
    async stop() {
      await running?.stop()
      running = undefined
    },
    async kill() {
      await running?.kill()
      running = undefined
    },
    async [Symbol.asyncDispose]() {
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  try {
    await server.start()
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return server
}

/** Debian installs it in /usr/sbin, which is not in an ordinary user's PATH. */
function findNatsServer(): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin']
  const found = folders.map((folder) => join(folder, 'nats-server')).find(isExecutable)
  if (found === undefined) {
    throw new Error('Expected nats-server in PATH, found none. Install it: apt-get install nats-server')
  }
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
