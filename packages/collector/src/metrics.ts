import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What /metrics tells. */
export type Metrics = ReturnType<typeof createMetrics>

/** A registry of its own, so that two collectors in one process (a test) do not mix. */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    messagesConsumed: new Counter({
      registers,
      name: 'whokilled_messages_consumed_total',
      help: 'Messages taken from the stream, redelivered ones too.',
    }),
    messagesRedelivered: new Counter({
      registers,
      name: 'whokilled_messages_redelivered_total',
      help: 'Messages that had been delivered before.',
    }),
    eventsStored: new Counter({
      registers,
      name: 'whokilled_events_stored_total',
      help: 'Events stored for the first time.',
      labelNames: ['type'] as const,
    }),
    eventsDuplicate: new Counter({
      registers,
      name: 'whokilled_events_duplicate_total',
      help: 'Events that were stored already.',
    }),
    deadLetters: new Counter({
      registers,
      name: 'whokilled_dead_letters_total',
      help: 'Events put into the dead letters.',
      labelNames: ['reason'] as const,
    }),
    deadLettersDropped: new Counter({
      registers,
      name: 'whokilled_dead_letters_dropped_total',
      help: 'Oldest dead letters deleted at the limit deadLettersMax.',
    }),
    runsFolded: new Counter({
      registers,
      name: 'whokilled_runs_folded_total',
      help: 'Runs of agents of which one row is kept in common, because a host made too many.',
    }),
    hostIdsForgotten: new Counter({
      registers,
      name: 'whokilled_host_ids_forgotten_total',
      help: 'Ids of hosts that were forgotten, because one name had too many.',
    }),
    batchEvents: new Histogram({
      registers,
      name: 'whokilled_batch_events',
      help: 'Events in one transaction.',
      buckets: [1, 5, 20, 100, 500, 2_000, 10_000],
    }),
    batchSeconds: new Histogram({
      registers,
      name: 'whokilled_batch_seconds',
      help: 'Time from the last message of a batch to its commit.',
      buckets: [0.002, 0.005, 0.01, 0.05, 0.2, 1, 5, 30],
    }),
    lagMessages: new Gauge({
      registers,
      name: 'whokilled_lag_messages',
      help: 'Messages in the stream not delivered yet, when the last one was.',
    }),
    lagSeconds: new Gauge({
      registers,
      name: 'whokilled_lag_seconds',
      help: 'Age of the newest message in the last batch when it was stored.',
    }),
    retries: new Counter({
      registers,
      name: 'whokilled_retries_total',
      help: 'Attempts that failed and were tried again.',
      labelNames: ['server'] as const,
    }),
    clockAnswers: new Counter({
      registers,
      name: 'whokilled_clock_answers_total',
      help: 'Agents that asked for the time and got it.',
    }),
    partitionsDropped: new Counter({
      registers,
      name: 'whokilled_partitions_dropped_total',
      help: 'Weeks deleted at the limit retentionDays.',
    }),
    httpRefused: new Counter({
      registers,
      name: 'whokilled_http_refused_total',
      help: 'Requests refused for who asked, from where or how often.',
      labelNames: ['reason'] as const,
    }),
    httpConnectionsRefused: new Counter({
      registers,
      name: 'whokilled_http_connections_refused_total',
      help: 'Connections refused at the limit httpConnectionsMax.',
    }),
    tokenUsesNotNoted: new Counter({
      registers,
      name: 'whokilled_token_uses_not_noted_total',
      help: "Times of a token's use that Postgres did not write down.",
    }),
    httpSeconds: new Histogram({
      registers,
      name: 'whokilled_http_seconds',
      help: 'Time to answer.',
      labelNames: ['route', 'status'] as const,
      buckets: [0.002, 0.01, 0.05, 0.2, 1, 5, 30],
    }),
  }
}
