import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** How to run a server. */
export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  /** What the server writes to stderr once it accepts connections. */
  readonly readyLine: string
  /** Signal for an orderly end. */
  readonly stopSignal: NodeJS.Signals
  /** Deleted when this process has died without disposing of the server. */
  readonly folder: string
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  readonly env?: NodeJS.ProcessEnv
}

/** A running server. */
export interface ServerProcess {
  readonly pid: number
  /** Ends it in an orderly way; resolves when it has gone. */
  stop(): Promise<void>
  /** Ends it and its children with SIGKILL, as a crash would; resolves when they have gone. */
  kill(): Promise<void>
}

const startDelayMaxMs = 60_000
const stopDelayMaxMs = 10_000
const logBytesMax = 16_384

/**
 * Starts a server and resolves when it is ready.
 *
 * If this process dies without stopping it, even by SIGKILL, a watchdog (a small shell) sees the end of the
 * pipe it reads from, kills the server and deletes its folder.
 */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const server = spawn(command.program, command.args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A Ctrl-C at the terminal is for this process, which then stops its servers in order.
    detached: true,
    env: command.env ?? process.env,
    ...(command.user ?? {}),
  })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  if (server.pid === undefined) throw (await once(server, 'error'))[0]
  const pid = server.pid
  const watchdog = spawnWatchdog(pid, command.folder)

  const finish = async () => {
    await ended
    watchdog.stdin?.end('done\n')
  }
  try {
    await ready(server, command.readyLine)
  } catch (error) {
    server.kill('SIGKILL')
    await finish()
    throw error
  }
  return {
    pid,
    async stop() {
      server.kill(command.stopSignal)
      const timer = setTimeout(() => server.kill('SIGKILL'), stopDelayMaxMs)
      await finish()
      clearTimeout(timer)
    },
    async kill() {
      const children = childrenOf(pid)
      server.kill('SIGKILL')
      for (const child of children) killIfThere(child)
      await finish()
      await Promise.all(children.map(gone))
    },
  }
}

/** Resolves at the line; rejects with the server's own words if it ends or takes too long. */
function ready(server: ChildProcess, readyLine: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    const fail = (what: string) => reject(new Error(`${server.spawnfile} ${what}. It wrote: ${log.trim()}`))
    const timer = setTimeout(() => fail(`was not ready after ${startDelayMaxMs} ms`), startDelayMaxMs)
    server.once('exit', (code, signal) => {
      clearTimeout(timer)
      fail(`ended with ${code ?? signal} before it was ready`)
    })
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-logBytesMax)
      if (!log.includes(readyLine)) return
      clearTimeout(timer)
      resolve()
    })
  })
}

/** In a session of its own, so that Ctrl-C at the terminal does not end it before its work. */
function spawnWatchdog(pid: number, folder: string): ChildProcess {
  const script = `
    read -r word
    [ "$word" = done ] && exit
    kill -QUIT "$0"; sleep 1; kill -KILL "$0"; rm -rf -- "$1"; sleep 1; rm -rf -- "$1"`
  const watchdog = spawn('sh', ['-c', script, String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.unref()
  watchdog.stdin?.on('error', () => {}) // It has gone already when the whole machine is told to stop.
  return watchdog
}

/** Postgres' backends outlive their postmaster for a moment and hold its shared memory. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number)
  } catch {
    return [] // No /proc here, or the server has gone already.
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + stopDelayMaxMs
  while (Date.now() < deadline) {
    try {
      process.kill(pid, 0)
      if (/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
