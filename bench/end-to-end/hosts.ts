/**
 * Simulated hosts in a process of their own, made of the agent's real parts: each has a spool on disk, filled before,
 * and publishes it over its own connection when told to. Started by end-to-end.ts, which it talks to over IPC.
 */
import { join } from 'node:path'
import { Spool } from '../../packages/agent/src/spool/spool.ts'
import { Connection } from '../../packages/agent/src/wire/connection.ts'
import { Publisher } from '../../packages/agent/src/wire/publish.ts'
import { eventOf, hostNameOf } from './events.ts'

/** What the process is told, as JSON in its first argument. */
export interface HostsTask {
  readonly folder: string
  readonly natsUrl: string
  readonly hosts: number
  readonly eventsEach: number
}

const { folder, natsUrl, hosts, eventsEach } = JSON.parse(process.argv[2] ?? '') as HostsTask

const spools = await Promise.all(Array.from({ length: hosts }, (_, host) => filled(host)))
process.send?.('filled')
await new Promise((resolve) => process.once('message', resolve))
const publishers = spools.map((spool, host) => {
  const hostName = hostNameOf(host)
  const connection = new Connection({ url: natsUrl, hostName })
  return new Publisher(spool, { connection, hostName }, (error) =>
    process.stderr.write(`${hostName}: ${error.message}\n`),
  )
})
const running = publishers.map((publisher) => publisher.run())
await Promise.all(publishers.map((publisher) => publisher.stop(600_000)))
await Promise.all(running)
const messages = publishers.reduce((sum, { counters }) => sum + counters.messages, 0)
process.send?.({ messages })
await Promise.all(spools.map((spool) => spool.close()))
process.disconnect?.()

async function filled(host: number): Promise<Spool> {
  const spool = await Spool.open({ folder: join(folder, hostNameOf(host)), eventsMax: eventsEach })
  const beginMs = Date.now() - eventsEach
  const kept = Array.from({ length: eventsEach }, (_, index) =>
    spool.append(JSON.stringify(eventOf(host, index, beginMs + index))),
  )
  await Promise.all(kept)
  return spool
}
