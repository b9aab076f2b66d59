/**
 * What the agent costs a host: memory and processor time of the agent and of its tracer, idle and while many short
 * processes run, and whether records were lost then. "Idle" is this machine with nothing else that the benchmark runs.
 *
 *     npm run bench -- agent-load [execs per second] [seconds]
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { allSubjects, streamName } from '@whokilled/shared/subjects'
import { compiledPrograms } from '../test/kernel/lab/programs.ts'
import { startNats } from '../test/servers/nats.ts'
import { startAgentProcess, until } from './agent-process.ts'

const execsPerSecond = Number(process.argv[2] ?? 500)
const seconds = Number(process.argv[3] ?? 30)
const ticksPerSecond = 100

await using nats = await startNats()
const connection = await connect({ servers: nats.url })
const manager = await jetstreamManager(connection)
await manager.streams.add({ name: streamName, subjects: [allSubjects] })

await using agent = await startAgentProcess(nats.url)
await until(async () => ((await agent.metric('events_total')) > 0 ? true : undefined), 50)
await pause(5_000)
const tracers = childrenOf(agent.pid).filter(({ name }) => name !== 'sh')

const idle = await measured(() => pause(seconds * 1_000))
const flood = (await compiledPrograms()).get('flood') ?? ''
const loaded = await measured(async () => {
  const args = ['execs', String(execsPerSecond), String(seconds)]
  const { stdout } = await promisify(execFile)(flood, args)
  return stdout.trim()
})
await pause(3_000)
const lost = await agent.metric('records_lost_total')
const rejected = await agent.metric('lines_rejected_total')
const gaps = await toldAsLost()
await connection.close()

const tracerNames = tracers.map((pid) => pid.name).join(', ')
console.log(`the agent, and its tracer ${tracerNames}, on ${seconds} s each`)
print('idle', idle)
print(`under ${loaded.said}`, loaded)
console.log(`records lost: ${lost}, lines rejected: ${rejected}, told as lost in gaps: ${gaps}`)
console.log(
  JSON.stringify({
    benchmark: 'agent-load',
    tracer: tracerNames,
    execsPerSecond,
    seconds,
    idle: withoutWords(idle),
    loaded: withoutWords(loaded),
    recordsLost: lost,
    toldAsLost: gaps,
  }),
)

interface Cost {
  readonly agentMb: number
  readonly tracerMb: number
  readonly agentCpuPercent: number
  readonly tracerCpuPercent: number
  readonly said: string
}

/** The most memory, and the share of one core, while something is done. */
async function measured(work: () => Promise<unknown>): Promise<Cost> {
  const pids = tracers.map(({ pid }) => pid)
  const began = performance.now()
  const [agentTicks, tracerTicks] = [ticksOf([agent.pid]), ticksOf(pids)]
  let [agentMb, tracerMb] = [0, 0]
  const timer = setInterval(() => {
    agentMb = Math.max(agentMb, megabytesOf([agent.pid]))
    tracerMb = Math.max(tracerMb, megabytesOf(pids))
  }, 250)
  const said = String(await work())
  clearInterval(timer)
  const percent = (ticks: number) =>
    Math.round((ticks / ticksPerSecond / ((performance.now() - began) / 1_000)) * 1_000) / 10
  return {
    agentMb,
    tracerMb,
    agentCpuPercent: percent(ticksOf([agent.pid]) - agentTicks),
    tracerCpuPercent: percent(ticksOf(pids) - tracerTicks),
    said,
  }
}

function withoutWords({ said: _, ...figures }: Cost): Omit<Cost, 'said'> {
  return figures
}

function print(when: string, { agentMb, tracerMb, agentCpuPercent, tracerCpuPercent }: Cost): void {
  console.log(
    `${when}: agent ${agentMb} MB and ${agentCpuPercent} % of a core, tracer ${tracerMb} MB and ${tracerCpuPercent} %`,
  )
}

/** What the agent has published of losses. */
async function toldAsLost(): Promise<number> {
  const { state } = await manager.streams.info(streamName)
  let lostRecords = 0
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage(streamName, { seq })
    if (message === null || !message.subject.endsWith('.coverage')) continue
    for (const line of message.string().split('\n')) {
      const event = JSON.parse(line) as { state: string; lostRecords: number }
      if (event.state === 'gap') lostRecords += event.lostRecords
    }
  }
  return lostRecords
}

function childrenOf(pid: number): { pid: number; name: string }[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  const own = text === '' ? [] : text.split(' ').map((word) => ({ pid: Number(word), name: commandOf(Number(word)) }))
  return own.flatMap((child) => [child, ...childrenOf(child.pid)])
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
}

/** Resident memory. */
function megabytesOf(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return Math.round(kilobytes.reduce((sum, kb) => sum + Number(kb ?? 0), 0) / 1_024)
}

/** Processor time, in user space and in the kernel. */
function ticksOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
}
