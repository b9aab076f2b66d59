import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CoverageEvent, DeathEvent, Event } from '@whokilled/shared/event'

export interface AgentRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The agent, running in the background. */
export interface RunningAgent extends AsyncDisposable {
  readonly child: ChildProcess
  readonly ended: Promise<AgentRun>
  stdout(): string
  stderr(): string
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<AgentRun>
}

export interface AgentOptions {
  readonly environment?: NodeJS.ProcessEnv
  /** Runs it as this user. */
  readonly uid?: number
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Starts `whokilled-agent`, unbuilt, without a terminal. */
export function startAgent(args: readonly string[], { environment, uid }: AgentOptions = {}): RunningAgent {
  const { WHOKILLED_NATS_URL: _, NO_COLOR: __, NODE_OPTIONS: ___, ...inherited } = process.env
  const [program = '', ...words] = [...asUser(uid), process.execPath, '--conditions=source', '--import', 'tsx', main]
  const child = spawn(program, [...words, ...args], {
    env: { ...inherited, TZ: 'UTC', ...environment },
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
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }))
  return {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return await ended
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Another user, who may read the checkout wherever it is, such as below /root, and do nothing else that he may not. */
function asUser(uid: number | undefined): string[] {
  if (uid === undefined) return []
  const capability = ['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search']
  return ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', ...capability]
}

/** Runs `whokilled-agent` to its end. */
export function runAgent(args: readonly string[], options?: AgentOptions): Promise<AgentRun> {
  return startAgent(args, options).ended
}

/** The events that `watch --json` has printed. */
export function eventsIn(stdout: string): Event[] {
  const lines = stdout.slice(0, stdout.lastIndexOf('\n') + 1).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event)
}

export const isDeath = (event: Event): event is DeathEvent => event.type === 'death'
export const isGap = (event: Event): event is CoverageEvent => event.type === 'coverage' && event.state === 'gap'
