import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import { retry } from '../backoff.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Stored } from '../store/store-batch.ts'
import { batches } from './batch.ts'
import type { DeadLetter } from './dead-letter.ts'
import { type ValidEvent, validateMessage } from './validate.ts'

/** What the line of ingestion is made of. */
export interface Ingestion {
  readonly config: Config
  readonly metrics: Metrics
  readonly log: Log
  /** Opens the consumer of the stream; the messages end with an error when one of them goes away. */
  readonly openMessages: () => Promise<ConsumerMessages>
  readonly store: (events: readonly ValidEvent[], deadLetters: readonly DeadLetter[]) => Promise<Stored>
  /** Told true when messages are being consumed, false when not. */
  readonly consuming: (yes: boolean) => void
}

/**
 * Consumes until `signal` is aborted: batch by batch, validate, store, and only then acknowledge. The batch in hand is
 * finished first; where that is not possible (Postgres is away) its messages are given back and delivered again.
 */
export async function ingest(line: Ingestion, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const messages = await openMessages(line, signal)
    if (messages === undefined) return
    const stop = () => messages.stop()
    signal.addEventListener('abort', stop, { once: true })
    // It may have been aborted while the consumer was opened: then the listener hears nothing.
    if (signal.aborted) stop()
    line.consuming(true)
    try {
      await consume(line, messages, signal)
    } catch (error) {
      if (!signal.aborted) line.log.warn({ err: error }, 'consuming ended; it is started again')
    } finally {
      line.consuming(false)
      signal.removeEventListener('abort', stop)
      messages.stop()
    }
    if (!signal.aborted) {
      line.metrics.retries.inc({ server: 'nats' })
      await sleep(restartDelayMs, undefined, { signal }).catch(() => {})
    }
  }
}

const restartDelayMs = 500

/** undefined if aborted. */
async function openMessages(line: Ingestion, signal: AbortSignal): Promise<ConsumerMessages | undefined> {
  try {
    return await retry(line.openMessages, {
      signal,
      failed(error, delayMs) {
        line.metrics.retries.inc({ server: 'nats' })
        line.log.warn({ err: error, delayMs }, 'the stream cannot be opened; trying again')
      },
    })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** While a batch is stored the next one is gathered and validated, no more than that. */
async function consume(line: Ingestion, messages: ConsumerMessages, signal: AbortSignal): Promise<void> {
  let last: Promise<void> = Promise.resolve()
  try {
    for await (const batch of batches(messages, line.config.batch)) {
      const before = last
      last = storeAndAcknowledge(line, batch, before, signal)
      // It is awaited a batch later; until then nobody would listen.
      last.catch(() => {})
      await before
    }
  } finally {
    await last
  }
}

/** @param before the batch before, after which this one is stored; where it is given back, so is this one */
async function storeAndAcknowledge(
  line: Ingestion,
  batch: readonly JsMsg[],
  before: Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { metrics } = line
  const working = setInterval(
    () => {
      for (const message of batch) message.working()
    },
    (line.config.ackWaitSeconds * 1_000) / 3,
  )
  const endTimer = metrics.batchSeconds.startTimer()
  try {
    const { events, deadLetters } = await validate(line, batch)
    await before
    const stored = await retry(() => line.store(events, deadLetters), {
      signal,
      failed(error, delayMs) {
        metrics.retries.inc({ server: 'postgres' })
        line.log.warn({ err: error, delayMs }, 'a batch cannot be stored; trying again')
      },
    })
    for (const message of batch) message.ack()
    endTimer()
    count(line, batch, events.length, stored)
  } catch (error) {
    for (const message of batch) message.nak()
    throw error
  } finally {
    clearInterval(working)
  }
}

/** Lets others (the batch being stored, a query) come in between after each message: one has up to a few thousand events. */
async function validate(
  line: Ingestion,
  batch: readonly JsMsg[],
): Promise<{ events: ValidEvent[]; deadLetters: DeadLetter[] }> {
  const events: ValidEvent[] = []
  const deadLetters: DeadLetter[] = []
  for (const { subject, seq, data } of batch) {
    const validated = validateMessage({ subject, streamSeq: seq, data }, line.config.eventBytesMax)
    // Not spread into push(): a large message's would overflow the stack.
    for (const event of validated.events) events.push(event)
    for (const letter of validated.deadLetters) deadLetters.push(letter)
    await immediate()
  }
  return { events, deadLetters }
}

function count({ metrics, log }: Ingestion, batch: readonly JsMsg[], eventCount: number, stored: Stored): void {
  metrics.messagesConsumed.inc(batch.length)
  metrics.messagesRedelivered.inc(batch.filter(({ redelivered }) => redelivered).length)
  metrics.batchEvents.observe(eventCount)
  for (const [type, added] of Object.entries(stored.newByType)) metrics.eventsStored.inc({ type }, added)
  metrics.eventsDuplicate.inc(stored.duplicates)
  metrics.runsFolded.inc(stored.runsFolded)
  metrics.hostIdsForgotten.inc(stored.hostIdsForgotten)
  const last = batch.at(-1)
  if (last !== undefined) {
    metrics.lagMessages.set(last.info.pending)
    metrics.lagSeconds.set((Date.now() - Date.parse(last.timestamp)) / 1_000)
  }
  countDeadLetters(metrics, log, stored.deadLetters)
}

/** A line a reason: a host that sends rubbish must not fill the log. */
function countDeadLetters(metrics: Metrics, log: Log, letters: readonly DeadLetter[]): void {
  const byReason = new Map<string, { events: number; first: DeadLetter }>()
  for (const letter of letters) {
    metrics.deadLetters.inc({ reason: letter.reason }, letter.eventCount)
    const { events, first } = byReason.get(letter.reason) ?? { events: 0, first: letter }
    byReason.set(letter.reason, { events: events + letter.eventCount, first })
  }
  for (const [reason, { events, first }] of byReason) {
    log.warn({ reason, events, detail: first.detail, subject: first.subject }, 'put into the dead letters')
  }
}
