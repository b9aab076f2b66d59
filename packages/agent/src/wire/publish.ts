import { setTimeout as delay } from 'node:timers/promises'
import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import type { Event, EventType } from '@whokilled/shared/event'
import { eventSubject, messageId } from '@whokilled/shared/subjects'
import type { Spool, SpooledEvent } from '../spool/spool.ts'
import type { Connection } from './connection.ts'

export interface PublisherOptions {
  readonly connection: Connection
  readonly hostName: string
  /** Milliseconds to wait after a failure; doubled up to the maximum. */
  readonly retryMs?: number
}

/** How many messages may be on their way without an acknowledgement, and how large each may be. */
const windowMessages = 64
const messageEventsMax = 100
const messageBytesMax = 256 * 1_024
const retryMsMax = 10_000
/** Between attempts while the agent ends. */
const hurriedRetryMs = 250
const ackTimeoutMs = 5_000

export interface PublisherCounters {
  published: number
  messages: number
  failures: number
}

/**
 * Publishes what the spool holds, in its order, to JetStream, and deletes it there once it is acknowledged.
 * While the server is away it keeps trying; a message published twice has the same id and is recognised.
 */
export class Publisher {
  readonly counters: PublisherCounters = { published: 0, messages: 0, failures: 0 }
  private readonly spool: Spool
  private readonly options: PublisherOptions
  private readonly onFailure: (error: Error) => void
  private readonly stopping = new AbortController()
  /** Aborted when there is no time left to wait between attempts. */
  private readonly hurrying = new AbortController()
  /** What was not acknowledged. It is published again as it was: only the same message has the same id. */
  private pending: Message[] = []

  constructor(spool: Spool, options: PublisherOptions, onFailure: (error: Error) => void) {
    this.spool = spool
    this.options = options
    this.onFailure = onFailure
  }

  /** Publishes until it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.stopping
    let waitMs = this.options.retryMs ?? 200
    while (!signal.aborted) {
      try {
        const stream = jetstream(await this.options.connection.open(), { timeout: ackTimeoutMs })
        await this.publishNext(stream, signal)
        waitMs = this.options.retryMs ?? 200
      } catch (error) {
        if (signal.aborted) break
        this.counters.failures += 1
        this.onFailure(error as Error)
        await this.wait(waitMs * (0.5 + Math.random()))
        waitMs = Math.min(waitMs * 2, retryMsMax)
      }
    }
    await this.options.connection.close()
  }

  private async wait(ms: number): Promise<void> {
    const { signal } = this.stopping
    if (this.hurrying.signal.aborted) await delay(hurriedRetryMs, undefined, { signal }).catch(() => undefined)
    else await delay(ms, undefined, { signal: AbortSignal.any([signal, this.hurrying.signal]) }).catch(() => undefined)
  }

  /** Gives what waits a last chance of `graceMs`, until the next failure, then ends `run`. */
  async stop(graceMs: number): Promise<void> {
    const until = Date.now() + graceMs
    const { failures } = this.counters
    this.hurrying.abort()
    while (this.spool.length > 0 && this.counters.failures === failures && Date.now() < until) await delay(20)
    this.stopping.abort()
  }

  /** Publishes one window of messages and forgets what was acknowledged without a hole. */
  private async publishNext(stream: JetStreamClient, signal: AbortSignal): Promise<void> {
    if (this.pending.length === 0) {
      const events = await this.spool.read(windowMessages * 8, signal)
      this.pending = messagesOf(events).slice(0, windowMessages)
    }
    const acks = this.pending.map(({ type, first, lines }) =>
      stream.publish(eventSubject(this.options.hostName, type), lines.join('\n'), {
        msgID: messageId(first, lines.length),
        timeout: ackTimeoutMs,
      }),
    )
    const outcomes = await Promise.allSettled(acks)
    const failedAt = outcomes.findIndex((outcome) => outcome.status === 'rejected')
    const done = this.pending.splice(0, failedAt === -1 ? this.pending.length : failedAt)
    const last = done.at(-1)
    if (last !== undefined) {
      await this.spool.remove(last.lastKey)
      this.counters.messages += done.length
      this.counters.published += done.reduce((sum, { lines }) => sum + lines.length, 0)
    }
    const failed = outcomes[failedAt]
    if (failed?.status === 'rejected') throw failed.reason
  }
}

interface Message {
  readonly type: EventType
  readonly first: string
  readonly lines: string[]
  lastKey: string
}

/** Puts neighbours of the same type into one message, so the order of all events stays. */
function messagesOf(events: readonly SpooledEvent[]): Message[] {
  const messages: Message[] = []
  let bytes = 0
  for (const { key, json } of events) {
    const { type, id } = JSON.parse(json) as Event
    const last = messages.at(-1)
    const length = Buffer.byteLength(json) + 1
    bytes += length
    if (last?.type === type && last.lines.length < messageEventsMax && bytes < messageBytesMax) {
      last.lines.push(json)
      last.lastKey = key
    } else {
      messages.push({ type, first: id, lines: [json], lastKey: key })
      bytes = length
    }
  }
  return messages
}
