import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { encodeRecord } from '@whokilled/agent/record/encode'
import type { KernelRecord } from '@whokilled/agent/record/record'
import { Spool } from '@whokilled/agent/spool/spool'
import { freePort } from '../test/servers/free-port.ts'
import { addStream } from '../test/servers/jetstream.ts'
import { startNats } from '../test/servers/nats.ts'
import { mixedEvent } from './mixed-events.ts'

/** The most resident memory of the agent, megabytes; `files` is the part of it that are mapped files. */
export interface Resident {
  all: number
  files: number
}

export interface FullSpool {
  /** With NATS there from the beginning, while it decides as many events: what the agent takes without a backlog. */
  readonly without: Resident
  readonly filling: Resident
  readonly full: Resident
  readonly draining: Resident
  readonly events: number
  readonly megabytes: number
  readonly dropped: number
}

const root = join(import.meta.dirname, '..')
const watchMs = 20_000

/** The last part of what fills the spool the agent decides itself: more than it has room for. */
const decidedShare = 0.06
const roomShare = 0.04

/**
 * The memory of a whole agent while its spool fills because NATS is away, while it is full, and while it is drained as
 * fast as can be. It begins with a spool that is nearly full; the rest are deaths that it decides itself, from a recording
 * of processes that are killed; then heartbeats keep it alive.
 */
export async function fullSpool(spoolEventsMax: number): Promise<FullSpool> {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-full-'))
  try {
    const recording = join(folder, 'flood.wkr')
    await writeRecording(recording, Math.round(spoolEventsMax * decidedShare))
    const without = await withoutBacklog(recording, spoolEventsMax)
    return { without, ...(await withBacklog(recording, spoolEventsMax)) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function withoutBacklog(recording: string, spoolEventsMax: number): Promise<Resident> {
  await using nats = await startNats()
  await addStream(nats.url)
  await using agent = await startAgent(nats.url, recording, spoolEventsMax, 0)
  const decided = spoolEventsMax * decidedShare
  return await agent.mostResident(async () => (await agent.metric('events_total').catch(() => 0)) >= decided)
}

async function withBacklog(recording: string, spoolEventsMax: number): Promise<Omit<FullSpool, 'without'>> {
  await using nats = await startNats()
  await addStream(nats.url)
  await nats.stop()
  await using agent = await startAgent(nats.url, recording, spoolEventsMax, spoolEventsMax * (1 - roomShare))
  const { metric, mostResident } = agent
  const filling = await mostResident(
    async () => (await metric('spool_dropped_total').catch(() => 0)) > spoolEventsMax / 100,
  )
  const fullUntil = Date.now() + watchMs
  const full = await mostResident(async () => Date.now() > fullUntil)
  const [events, bytes] = [await metric('spool_events'), await metric('spool_bytes')]
  const dropped = await metric('spool_dropped_total')
  await nats.start()
  const draining = await mostResident(async () => (await metric('spool_events')) === 0)
  return { filling, full, draining, events, megabytes: Math.round(bytes / 1e6), dropped }
}

async function startAgent(natsUrl: string, recording: string, spoolEventsMax: number, spooled: number) {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-full-'))
  await fill(join(folder, 'spool'), spooled)
  const metricsPort = await freePort()
  const config = join(folder, 'agent.json')
  const settings = {
    ...{ natsUrl, stateFolder: folder, metricsPort, logLevel: 'silent', spoolEventsMax, spoolMegabytesMax: 8_192 },
    ...{ publish: { eventsPerSecondMax: null }, replay: { speed: 'real' }, probe: `replay:${recording}` },
  }
  await writeFile(config, JSON.stringify(settings))
  const agent = spawn(process.execPath, [join(root, 'packages/agent/dist/main.js'), 'run', '--config', config], {
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const ended = once(agent, 'exit')
  return {
    async metric(name: string) {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
      const values = text.matchAll(new RegExp(`^whokilled_agent_${name}(?:{[^}]*})? (\\d+)$`, 'gm'))
      return Array.from(values, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0)
    },
    mostResident: (isDone: () => Promise<boolean>) => mostResident(agent.pid ?? 0, isDone),
    async [Symbol.asyncDispose]() {
      agent.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function fill(folder: string, events: number): Promise<void> {
  const spool = await Spool.open({ folder, eventsMax: events + 1, bytesMax: 2 ** 40 })
  for (let at = 0; at < events; at += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, events - at) }, (_, index) => mixedEvent(at + index))
    await Promise.all(batch.map((event) => spool.append(JSON.stringify(event), event)))
  }
  await spool.close()
}

async function mostResident(pid: number, isDone: () => Promise<boolean>): Promise<Resident> {
  const most: Resident = { all: 0, files: 0 }
  const look = () => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const of = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1_000
    most.all = Math.max(most.all, Math.round(of('VmRSS')))
    most.files = Math.max(most.files, Math.round(of('RssFile')))
  }
  const timer = setInterval(look, 50)
  const endsAt = Date.now() + 600_000
  try {
    while (!(await isDone())) {
      if (Date.now() > endsAt) throw new Error(`expected it within ten minutes: ${isDone}`)
      await pause(500)
    }
  } finally {
    clearInterval(timer)
  }
  return most
}

const secondNs = 1_000_000_000n
const realAtBoot = BigInt(Date.UTC(2026, 10, 22)) * 1_000_000n

/** Processes that somebody killed unseen, all within a minute, and ten minutes of heartbeats. */
async function writeRecording(file: string, deaths: number): Promise<void> {
  const out = createWriteStream(file)
  let seq = 0
  const write = async (record: object) => {
    seq += 1
    if (!out.write(`${encodeRecord({ ...record, seq } as KernelRecord)}\n`)) await once(out, 'drain')
  }
  const clocks = (boot: bigint) => ({ time: boot, boot, mono: boot, real: realAtBoot + boot })
  const from = 3_600n * secondNs
  await write({ type: 'start', v: 1, probe: 'systemtap', ...clocks(from) })
  const stepNs = secondNs / 4_000_000n
  for (let death = 0; death < deaths; death += 1) {
    const pid = 1_000 + (death % 4_000_000)
    const start = from - 10n * secondNs + BigInt(death) * 1_000n
    const time = from + BigInt(death) * 3n * stepNs
    const argv = `worker\0--queue\0mail\0--job\0${death}\0`
    const life = { pid, start, comm: 'worker', uid: 1_001, euid: 1_001, cgroup: '/system.slice/worker.service' }
    await write({ type: 'fork', time, pid, start, ppid: 1, pstart: 10_000_000n, ptid: 1 })
    await write({ type: 'exec', time: time + stepNs, ...life, argv, argn: argv.length, exe: '/usr/bin/worker' })
    await write({ type: 'exit', time: time + 2n * stepNs, ...life, code: 9 })
  }
  for (let beat = 1n; beat <= 600n; beat += 1n) await write({ type: 'heartbeat', ...clocks(from + beat * secondNs) })
  out.end()
  await once(out, 'finish')
}
