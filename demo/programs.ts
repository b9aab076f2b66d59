import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

/** The built programs, as they are installed on hosts. */
const programs = {
  agent: join(root, 'packages/agent/dist/main.js'),
  collector: join(root, 'packages/collector/dist/main.js'),
  cli: join(root, 'packages/cli/dist/main.js'),
}
export type ProgramName = keyof typeof programs

/** Compiles the workspaces; does nothing where nothing has changed. */
export async function buildPrograms(): Promise<void> {
  await run(join(root, 'node_modules/.bin/tsc'), ['-b'], { cwd: root })
}

export interface RunningProgram extends AsyncDisposable {
  /** Rejects with the program's last words if it ends before it is told to. */
  readonly failed: Promise<never>
  /** What it has written to stderr, the last 64 KiB. */
  words(): string
}

const wordsMax = 65_536
const stopTimeMs = 15_000

/** Starts one of the programs in the background. */
export function startProgram(
  name: ProgramName,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): RunningProgram {
  const child = spawn(process.execPath, [programs[name], ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...withoutTypeScript(process.env), ...environment },
    // Ctrl-C is for the demo: it ends its programs itself, in order.
    detached: true,
  })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-wordsMax)
  })
  let isStopping = false
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => {
    if (isStopping) return new Promise<never>(() => undefined)
    throw new Error(`whokilled-${name} ended with ${code}:\n${words}`)
  })
  failed.catch(() => undefined)
  return {
    failed,
    words: () => words,
    async [Symbol.asyncDispose]() {
      isStopping = true
      await stop(child, ended)
    },
  }
}

export interface Answer {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one of the programs to its end. */
export async function ask(
  name: ProgramName,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Answer> {
  const child = spawn(process.execPath, [programs[name], ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...withoutTypeScript(process.env), ...environment },
  })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      output[stream] += chunk.toString()
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  return { status: status ?? -1, ...output }
}

/** The demo itself runs from TypeScript; the programs are the built ones. */
function withoutTypeScript({ NODE_OPTIONS, ...environment }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return environment
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeMs)
  await ended
  clearTimeout(timer)
}
