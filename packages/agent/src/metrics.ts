import { createServer, type Server } from 'node:http'
import { type ClockOffset, readClocks } from '@whokilled/shared/clock-offset'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Agent } from './agent.ts'
import type { WatchMemory } from './coverage/watch-memory.ts'
import { AgentError } from './errors.ts'
import type { Spool } from './spool/spool.ts'
import type { SpoolSink } from './spool/spool-sink.ts'
import type { ClockRequests } from './wire/clock-requests.ts'
import type { Connection } from './wire/connection.ts'
import type { Publisher } from './wire/publish.ts'

/** What the metrics are read from. */
export interface Measured {
  readonly agent: Agent
  readonly spool: Spool
  readonly sink: SpoolSink
  readonly publisher: Publisher
  readonly connection: Connection
  readonly clockRequests: ClockRequests
  readonly offset: ClockOffset
  readonly memory: WatchMemory | undefined
}

/** Everything that the stages count, under Prometheus names. */
export function agentMetrics({
  agent,
  spool,
  sink,
  publisher,
  connection,
  clockRequests,
  offset,
  memory,
}: Measured): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = (name: string, help: string, read: () => number) =>
    registry.registerMetric(
      new Counter({
        name: `whokilled_agent_${name}`,
        help,
        registers: [],
        collect() {
          this.reset()
          this.inc(read())
        },
      }),
    )
  const gauge = (name: string, help: string, read: () => number) =>
    registry.registerMetric(
      new Gauge({
        name: `whokilled_agent_${name}`,
        help,
        registers: [],
        collect() {
          this.set(read())
        },
      }),
    )
  counter('lines_total', 'Lines that the probe printed.', () => agent.counters.lines)
  counter('records_total', 'Records taken in order.', () => agent.counters.records)
  counter('records_lost_total', 'Sequence numbers of this run that never came.', () => agent.order.counters.lost)
  counter(
    'records_late_total',
    'Records that came after they were given up, or twice.',
    () => agent.order.counters.late,
  )
  gauge('records_waiting_max', 'The most records that waited for a missing one.', () => agent.order.counters.waitingMax)
  counter('probe_runs_ended_total', 'Runs of the probe that ended.', () => agent.counters.restarts)
  gauge('processes', 'Processes remembered.', () => agent.table.size)
  counter('processes_forgotten_total', 'Ended processes forgotten at the limit.', () => agent.table.counters.forgotten)
  gauge('former_owners', 'Former owners of pids remembered.', () => agent.formerOwners.size)
  counter(
    'former_owners_forgotten_total',
    'Former owners of pids forgotten at the limit.',
    () => agent.formerOwners.counters.forgotten,
  )
  counter(
    'containers_named_total',
    'Containers whose name was found in the files of their runtime.',
    () => agent.table.containers.counters.named,
  )
  counter(
    'containers_unnamed_total',
    'Containers told by their id, since no name was found.',
    () => agent.table.containers.counters.unnamed,
  )
  counter('processes_inferred_total', 'Processes whose start was not seen.', () => agent.table.counters.inferred)
  counter('deaths_told_total', 'Ends of processes that were published.', () => agent.filter.counters.deathsTold)
  counter(
    'deaths_counted_total',
    'Ends of processes that were only counted.',
    () => agent.filter.counters.deathsCounted,
  )
  counter('signals_told_total', 'Signals that were published.', () => agent.filter.counters.signalsTold)
  counter('signals_counted_total', 'Signals that were only counted.', () => agent.filter.counters.signalsCounted)
  counter(
    'signals_over_limit_total',
    'Signals only counted because more than 200 came in a second.',
    () => agent.filter.counters.signalsOverLimit,
  )
  counter('events_total', 'Events decided.', () => agent.counters.events)
  counter(
    'events_unproven_total',
    'Events not kept, because kills were not seen yet and too many others waited.',
    () => agent.counters.unproven,
  )
  gauge('spool_events', 'Events that wait to be published.', () => spool.length)
  gauge('spool_bytes', 'Bytes of their JSON.', () => spool.bytes)
  counter('spool_refused_disk_total', 'Events refused because its disk failed.', () => spool.counters.refusedByDisk)
  counter('spool_appended_total', 'Events written to the spool.', () => spool.counters.appended)
  counter('spool_removed_total', 'Events deleted from the spool.', () => spool.counters.removed)
  counter(
    'spool_reopened_total',
    'Times the spool was opened anew after its disk failed.',
    () => spool.counters.reopened,
  )
  counter('events_shortened_total', 'Events whose arguments were cut to the size limit.', () => sink.counters.shortened)
  counter('events_too_large_total', 'Events refused because of their size.', () => sink.counters.tooLarge)
  counter('published_total', 'Events acknowledged by NATS.', () => publisher.counters.published)
  counter('published_messages_total', 'Messages acknowledged by NATS.', () => publisher.counters.messages)
  counter('publish_failures_total', 'Failed attempts to publish.', () => publisher.counters.failures)
  counter('publish_given_up_total', 'Events whose size NATS refuses.', () => publisher.counters.givenUp)
  counter('publish_held_back_total', 'Times that publishing waited for its pace.', () => publisher.pace.counters.held)
  counter(
    'publish_held_back_ms_total',
    'Milliseconds that publishing waited for its pace.',
    () => publisher.pace.counters.heldMs,
  )
  counter(
    'memory_failures_total',
    'Times that what is watched could not be written down for the next agent.',
    () => memory?.counters.failed ?? 0,
  )
  gauge(
    'memory_over_limit',
    'Main processes of services beyond those that are remembered.',
    () => memory?.counters.overLimit ?? 0,
  )
  gauge('nats_connected', '1 if connected to NATS.', () => Number(connection.isConnected))
  counter('clock_answers_total', 'Answers of a collector that told the time.', () => clockRequests.counters.answered)
  counter('clock_failures_total', 'Requests for the time without an answer.', () => clockRequests.counters.failed)
  gauge(
    'clock_offset_ms',
    "What has to be added to this host's times to get the fleet's; NaN: not known.",
    () => offset.at(readClocks())?.offsetMs ?? Number.NaN,
  )
  gauge(
    'clock_uncertainty_ms',
    'How far that may be wrong; NaN: not known.',
    () => offset.at(readClocks())?.uncertaintyMs ?? Number.NaN,
  )
  const byReason = (name: string, help: string, read: () => Partial<Record<string, number>>) =>
    registry.registerMetric(
      new Counter({
        name: `whokilled_agent_${name}`,
        help,
        labelNames: ['reason'],
        registers: [],
        collect() {
          this.reset()
          for (const [reason, count] of Object.entries(read())) this.inc({ reason }, count)
        },
      }),
    )
  byReason('lines_rejected_total', 'Lines that were no records, by reason.', () => agent.counters.rejected)
  byReason('spool_dropped_total', 'Events dropped at a limit of the spool, by limit.', () => ({
    events: spool.counters.droppedForEvents,
    bytes: spool.counters.droppedForBytes,
    age: spool.counters.droppedForAge,
  }))
  byReason('spool_unreadable_total', 'Events found damaged in the spool, by reason.', () => spool.counters.unreadable)
  byReason('publish_refusals_total', 'Attempts that failed, by reason.', () => publisher.counters.refusals)
  return registry
}

/** Serves `/metrics` on loopback. */
export async function serveMetrics(registry: Registry, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end('Only /metrics is here.\n')
      return
    }
    response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: Error) =>
      reject(
        new AgentError(
          'metrics-port-in-use',
          `expected to listen on 127.0.0.1:${port}: ${cause.message}`,
          'Set another "metricsPort", or null for none.',
          { cause },
        ),
      ),
    )
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}
