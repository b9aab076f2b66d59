import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How the program ended and what it printed. */
export interface CliRun {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** node's flags that run the unbuilt program. */
export const cliArgs = ['--conditions=source', '--import', 'tsx', main]

/** Runs `whokilled` as a child process, in UTC, without a terminal. */
export function runCli(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CliRun> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:WHOKILLED_.*|NO_COLOR)$/.test(name))
  const child = spawn(process.execPath, [...cliArgs, ...args], {
    // Nor what this user has set for himself.
    env: { ...Object.fromEntries(inherited), XDG_CONFIG_HOME: '/nonexistent', TZ: 'UTC', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}
