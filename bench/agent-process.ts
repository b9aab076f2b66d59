import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../test/servers/free-port.ts'

const root = join(import.meta.dirname, '..')

/** The built agent, as a host runs it. */
export interface AgentProcess extends AsyncDisposable {
  readonly pid: number
  /** Value of one of its own metrics; all labels together. */
  metric(name: string): Promise<number>
}

/** Builds the programs and starts the agent with the best probe of this machine. */
export async function startAgentProcess(natsUrl: string): Promise<AgentProcess> {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-bench-'))
  const metricsPort = await freePort()
  const config = join(folder, 'agent.json')
  await writeFile(config, JSON.stringify({ natsUrl, stateFolder: folder, metricsPort, logLevel: 'error' }))
  const child = spawn(process.execPath, [join(root, 'packages/agent/dist/main.js'), 'run', '--config', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const ended = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
      const values = text.matchAll(new RegExp(`^whokilled_agent_${name}(?:{[^}]*})? (\\d+)$`, 'gm'))
      return Array.from(values, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Asks again and again, for a minute. */
export async function until<T>(question: () => Promise<T | undefined>, everyMs: number): Promise<T> {
  const endsAt = Date.now() + 60_000
  while (Date.now() < endsAt) {
    const answered = await question().catch(() => undefined)
    if (answered !== undefined) return answered
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  throw new Error(`expected an answer within a minute: ${question}`)
}
