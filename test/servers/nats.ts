import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

/** A real nats-server with JetStream, on loopback, with its data in a folder of its own. */
export interface NatsServer extends AsyncDisposable {
  readonly port: number
  /** While it runs. */
  readonly pid: number
  /** `nats://127.0.0.1:PORT` */
  readonly url: string
  readonly folder: string
  /** Has it read its configuration again, with nats-server's own command; it is taken over a moment later. */
  reload(): Promise<void>
  /** Starts it again on the same port and data, after `stop` or `kill`. */
  start(): Promise<void>
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

/** How to start it. */
export interface NatsOptions {
  /** Writes what its configuration names into the folder, and gives the configuration itself. */
  readonly configure?: (folder: string) => Promise<string> | string
}

/** Starts nats-server with further `args` (`--user`, `--pass`); `await using` stops it and deletes its data. */
export async function startNats(args: readonly string[] = [], options: NatsOptions = {}): Promise<NatsServer> {
  const program = findNatsServer()
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-nats-'))
  const port = await freePort()
  let running: ServerProcess | undefined
  const configuration: string[] = []

  const server: NatsServer = {
    port,
    get pid() {
      if (running === undefined) throw new Error('expected it to run')
      return running.pid
    },
    url: `nats://127.0.0.1:${port}`,
    folder,
    async start() {
      // A reload takes JetStream away from a server that was told of it on its command line alone.
      const stream = options.configure === undefined ? ['--jetstream', '--store_dir', folder] : []
      const ours = [...stream, '--addr', '127.0.0.1', '--port', String(port)]
      running ??= await startServerProcess({
        program,
        args: [...ours, ...configuration, ...args],
        readyLine: 'Server is ready',
        stopSignal: 'SIGTERM',
        folder,
      })
    },
    async reload() {
      await promisify(execFile)(program, ['--signal', `reload=${running?.pid}`])
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
    if (options.configure !== undefined) {
      const file = join(folder, 'nats.conf')
      const jetstream = `jetstream { store_dir: "${folder}" }\n`
      await writeFile(file, jetstream + (await options.configure(folder)))
      configuration.push('--config', file)
    }
    await server.start()
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return server
}

/** Several servers that keep streams together. */
export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[]
  /** Of all of them, separated by commas. */
  readonly url: string
}

/** Starts a cluster of servers on loopback; it has a leader a moment later. `await using` stops all of them. */
export async function startNatsCluster(size: number): Promise<NatsCluster> {
  const routes: number[] = []
  while (routes.length < size) routes.push(await freePort())
  const started = await Promise.allSettled(
    routes.map((port, index) =>
      startNats([], {
        configure: () => `
          server_name: "server-${index + 1}"
          cluster {
            name: "whokilled"
            listen: "127.0.0.1:${port}"
            routes: [${routes.map((each) => `"nats://127.0.0.1:${each}"`).join(', ')}]
          }`,
      }),
    ),
  )
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const cluster: NatsCluster = {
    servers,
    url: servers.map(({ url }) => url).join(','),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
    },
  }
  const failed = started.find((each) => each.status === 'rejected')
  if (failed?.status !== 'rejected') return cluster
  await cluster[Symbol.asyncDispose]()
  throw failed.reason
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
