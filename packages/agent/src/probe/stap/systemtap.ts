import { execa } from 'execa'
import { ProbeError } from '../../errors.ts'
import { spawnError, stapError } from './errors.ts'

/** The installed SystemTap translator. */
export interface SystemTap {
  /** `4.8` */
  readonly version: string
  /** The folder of its runtime, C sources that go into every module. */
  readonly runtime: string
}

/** Asks `stap` for its version and folders. */
export async function findSystemTap(): Promise<SystemTap> {
  const { all, exitCode } = await runStap(['--help'], {})
  const found = describeSystemTap(all)
  if (found === undefined) throw stapError('tell its version', exitCode, all)
  return found
}

/** What `stap --help` tells; undefined if that is something else. */
export function describeSystemTap(help: string): SystemTap | undefined {
  const version = /\(version (\d+\.\d+)/.exec(help)?.[1]
  const runtime = /look in DIR for runtime, instead of\s+(\S+)/.exec(help)?.[1]
  return version === undefined || runtime === undefined ? undefined : { version, runtime }
}

export interface StapOutput {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
  readonly all: string
}

/** Runs `stap` to its end. Its cache is kept in the given folder instead of the user's home. */
export async function runStap(
  args: readonly string[],
  options: { cwd?: string; cacheFolder?: string; timeoutMs?: number; onLine?: (line: string) => void },
): Promise<StapOutput> {
  const child = execa('stap', args, {
    reject: false,
    all: true,
    timeout: options.timeoutMs ?? 600_000,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { LC_ALL: 'C', ...(options.cacheFolder !== undefined && { SYSTEMTAP_DIR: options.cacheFolder }) },
  })
  const following = options.onLine === undefined ? undefined : follow(child.iterable({ from: 'all' }), options.onLine)
  const result = await child
  await following
  if (result.code !== undefined && result.exitCode === undefined && !result.timedOut) {
    throw spawnError('stap', Object.assign(new Error(result.shortMessage), { code: result.code }))
  }
  if (result.timedOut) {
    throw new ProbeError(
      'stap-timeout',
      `Expected stap to end within ${(options.timeoutMs ?? 600_000) / 1000} s, it did not.`,
      'The machine is overloaded or its disk is full; try again, or build the module elsewhere.',
    )
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr, all: result.all }
}

async function follow(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(String(line))
  } catch {
    // The process failed; its result, awaited by the caller, says how.
  }
}
