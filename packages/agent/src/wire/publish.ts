import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import type { CodedError } from '@whokilled/shared/coded-error'
import type { EventType } from '@whokilled/shared/event'
import { eventSubject } from '@whokilled/shared/subjects'
import type { Spool } from '../spool/spool.ts'
import { pauseAfter } from './backoff.ts'
import type { Connection } from './connection.ts'
import { grouped, type Message, messageBytesMax, messageOf, neighbours, smaller } from './messages.ts'
import { Pace } from './pace.ts'
import { publishError, type Refusal, refusalOf } from './refusal.ts'
import { renamed } from './renamed.ts'

/** What the publisher needs of a spool. */
export type Waiting = Pick<Spool, 'length' | 'read' | 'remove'>

export interface PublisherOptions {
  readonly connection: Connection
  readonly hostName: string
  /** The host's id: what it made under a former name is known by it. */
  readonly hostId?: string
  /** Milliseconds to wait after a failure; doubled up to the maximum. */
  readonly retryMs?: number
  /** Events a second; any number if left out. */
  readonly eventsPerSecondMax?: number | undefined
  /** Told when the server takes messages again after a failure. */
  readonly onRecovered?: () => void
  /** Milliseconds until a type that this host may not publish is tried again. */
  readonly heldMs?: number
}

/** How many messages, and events, may be on their way without an acknowledgement. */
const windowMessages = 64
const windowEvents = 256
/** With more waiting than this, order gives way to large messages, within so many events. */
const backlogEvents = windowEvents
const backlogWindowEvents = 2_000
/** What a message takes beside its events: its id in a header. */
const headerBytes = 1_024
/** Between attempts while the agent ends. */
const hurriedRetryMs = 250
const ackTimeoutMs = 5_000
const heldMsDefault = 60_000

export interface PublisherCounters {
  published: number
  messages: number
  /** Attempts that failed, and why. */
  failures: number
  refusals: Record<Refusal, number>
  /** Events given up because the server takes none of their size. */
  givenUp: number
}

/**
 * Publishes what the spool holds to JetStream, and deletes it there once it is acknowledged. While the server is away it
 * keeps trying; a message published twice has the same id and is recognised.
 */
export class Publisher {
  readonly counters: PublisherCounters = {
    published: 0,
    messages: 0,
    failures: 0,
    refusals: { unreachable: 0, 'no-stream': 0, timeout: 0, full: 0, 'not-permitted': 0, 'too-large': 0, other: 0 },
    givenUp: 0,
  }
  readonly pace: Pace
  private readonly spool: Waiting
  private readonly options: PublisherOptions
  private readonly onFailure: (error: CodedError) => void
  private readonly stopping = new AbortController()
  /** Aborted when there is no time left to wait between attempts. */
  private readonly hurrying = new AbortController()
  /** What was not acknowledged. It is published again as it was: only the same message has the same id. */
  private pending: Message[] = []
  /** The ids under which messages were sent. */
  private readonly sentAs = new WeakMap<Message, string>()
  /** Types that the server does not let this host publish, and when to try again. */
  private readonly held = new Map<EventType, number>()

  constructor(spool: Waiting, options: PublisherOptions, onFailure: (error: CodedError) => void) {
    this.spool = spool
    this.options = options
    this.onFailure = onFailure
    this.pace = new Pace(options.eventsPerSecondMax ?? Number.POSITIVE_INFINITY)
  }

  /** Publishes until it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.stopping
    let failures = 0
    while (!signal.aborted) {
      try {
        const connection = await this.options.connection.open()
        const payloadMax = connection.info?.max_payload ?? messageBytesMax
        const bytesMax = Math.min(messageBytesMax, Math.max(headerBytes, payloadMax - headerBytes))
        const before = this.counters.messages
        await this.publishNext(jetstream(connection, { timeout: ackTimeoutMs }), bytesMax)
        if (failures > 0 && this.counters.messages > before) this.options.onRecovered?.()
        failures = 0
      } catch (error) {
        if (signal.aborted) break
        this.failed(error)
        failures += 1
        await this.wait(pauseAfter(failures, Math.random(), this.options.retryMs))
      }
    }
    await this.options.connection.close()
  }

  /** Gives what waits a last chance of `graceMs`, until the next failure, then ends `run`. */
  async stop(graceMs: number): Promise<void> {
    const untilMs = performance.now() + graceMs
    const { failures } = this.counters
    this.hurrying.abort()
    while (this.spool.length > 0 && this.counters.failures === failures && performance.now() < untilMs) await delay(20)
    this.stopping.abort()
  }

  private async wait(ms: number): Promise<void> {
    const { signal } = this.stopping
    if (this.hurrying.signal.aborted) await delay(hurriedRetryMs, undefined, { signal }).catch(() => undefined)
    else await delay(ms, undefined, { signal: AbortSignal.any([signal, this.hurrying.signal]) }).catch(() => undefined)
  }

  /** Publishes one window of messages, forgets what was acknowledged, and sees to what was refused for good. */
  private async publishNext(stream: JetStreamClient, bytesMax: number): Promise<void> {
    if (this.pending.length === 0) this.pending = await this.nextWindow(bytesMax)
    const sent = this.pending
    const outcomes = await Promise.allSettled(sent.map((message) => this.send(stream, message)))
    const done = sent.filter((_, at) => outcomes[at]?.status === 'fulfilled')
    const events = done.flatMap((message) => message.events)
    if (events.length > 0) await this.spool.remove(events)
    this.counters.messages += done.length
    this.counters.published += events.length
    this.pending = []
    let passing: unknown
    for (const [at, message] of sent.entries()) {
      const outcome = outcomes[at]
      if (outcome?.status !== 'rejected') continue
      const error: unknown = outcome.reason
      const refusal = refusalOf(error)
      if (refusal === 'too-large') await this.shrink(message, error)
      else if (refusal === 'not-permitted') this.renameOrHold(message, error)
      else {
        passing ??= error
        this.pending.push(message)
      }
    }
    this.pending = this.pending.filter(({ type }) => !this.held.has(type))
    if (passing !== undefined) throw passing
  }

  /**
   * Resolves when the server has it. An id that it knows already, though this agent has not sent the message before, may
   * be another message's: an agent that was killed sent the same first event with others, or as an event of its own
   * run. So it is sent once more, under an id that no other content has.
   */
  private async send(stream: JetStreamClient, message: Message): Promise<void> {
    const sentAs = this.sentAs.get(message)
    const publishAs = (msgID: string) => {
      this.sentAs.set(message, msgID)
      const subject = eventSubject(message.hostName ?? this.options.hostName, message.type)
      return stream.publish(subject, message.body, { msgID, timeout: ackTimeoutMs })
    }
    const { duplicate } = await publishAs(sentAs ?? message.id)
    if (!duplicate || sentAs !== undefined) return
    await publishAs(`${message.id}:${createHash('sha256').update(message.body).digest('hex').slice(0, 32)}`)
  }

  /** Waits for events. Where few wait their order is kept; a backlog is sent in large messages. */
  private async nextWindow(bytesMax: number): Promise<Message[]> {
    const { signal } = this.stopping
    const isBacklog = this.spool.length > backlogEvents
    const wanted = Math.min(isBacklog ? backlogWindowEvents : windowEvents, Math.max(1, this.spool.length))
    const allowed = await this.pace.allow(wanted, signal)
    const { held, until } = this.release()
    const patience = AbortSignal.any([signal, ...(until === undefined ? [] : [AbortSignal.timeout(until)])])
    const events = await this.spool.read(allowed, patience, held)
    const messages = isBacklog ? grouped(events, bytesMax) : neighbours(events, bytesMax).slice(0, windowMessages)
    this.pace.spend(messages.reduce((sum, message) => sum + message.events.length, 0))
    return messages
  }

  /** Types that are still held, and for how many milliseconds none is to be tried again. */
  private release(): { held: ReadonlySet<EventType>; until: number | undefined } {
    const nowMs = performance.now()
    for (const [type, untilMs] of this.held) if (untilMs <= nowMs) this.held.delete(type)
    const soonest = Math.min(...this.held.values())
    return {
      held: new Set(this.held.keys()),
      until: this.held.size === 0 ? undefined : Math.max(1, Math.ceil(soonest - nowMs)),
    }
  }

  /** What was made under a name that the host had, whose subjects its key no longer opens, is sent under its name of now. */
  private renameOrHold(message: Message, error: unknown): void {
    const { hostName: name, hostId: id = '' } = this.options
    if (message.hostName === undefined || message.hostName === name) this.hold(message.type, error)
    else
      this.pending.push({ ...messageOf(message.events.map((event) => renamed(event, { id, name }))), hostName: name })
  }

  /** What this host may not publish waits in the spool; other types go on. */
  private hold(type: EventType, error: unknown): void {
    if (this.held.has(type)) return
    this.held.set(type, performance.now() + (this.options.heldMs ?? heldMsDefault))
    this.failed(error)
  }

  /** What is too large is sent smaller; what cannot be is given up, and becomes part of a gap. */
  private async shrink(message: Message, error: unknown): Promise<void> {
    const messages = smaller(message)
    if (messages !== undefined) {
      this.counters.refusals['too-large'] += 1
      this.pending.push(...messages)
      return
    }
    this.counters.givenUp += message.events.length
    await this.spool.remove(message.events, 'refused')
    this.failed(error)
  }

  private failed(error: unknown): void {
    this.counters.failures += 1
    this.counters.refusals[refusalOf(error)] += 1
    this.onFailure(publishError(error, this.options.hostName))
  }
}
