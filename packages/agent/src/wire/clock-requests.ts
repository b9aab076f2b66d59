import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ClockAnswer, type ClockOffset, type Clocks, readClocks } from '@whokilled/shared/clock-offset'
import { clockReply, clockSubject } from '@whokilled/shared/subjects'
import type { Connection } from './connection.ts'

export interface ClockRequestOptions {
  readonly connection: Connection
  readonly hostName: string
  /** What the answers are learnt by. */
  readonly offset: ClockOffset
  /** Milliseconds between two looks at whether to ask; a second unless told otherwise. */
  readonly lookMs?: number
  /** This host's clocks; those of the process unless told otherwise. */
  readonly clocks?: () => Clocks
}

const askEveryMs = 30_000
/** After a request without an answer. */
const retryMs = 5_000
const answerMsMax = 2_000

/**
 * Asks a collector for the time over NATS, outside the stream: as soon as there is a connection, every 30 s, and at
 * once when the clock of this host was set.
 */
export class ClockRequests {
  readonly counters = { answered: 0, failed: 0 }
  private readonly options: ClockRequestOptions
  private readonly clocks: () => Clocks

  constructor(options: ClockRequestOptions) {
    this.options = options
    this.clocks = options.clocks ?? readClocks
  }

  /** Asks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let dueMs = 0
    let retryAtMs = 0
    while (!signal.aborted) {
      const nowMs = performance.now()
      const isUnknown = this.options.offset.at(this.clocks()) === null
      if (nowMs >= retryAtMs && (isUnknown || nowMs >= dueMs) && this.options.connection.ifOpen !== undefined) {
        const isLearnt = await this.ask()
        this.counters[isLearnt ? 'answered' : 'failed'] += 1
        dueMs = performance.now() + askEveryMs
        retryAtMs = isLearnt ? 0 : performance.now() + retryMs
      }
      await delay(this.options.lookMs ?? 1_000, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One question; false if no collector answers, or with something else than the time. */
  private async ask(): Promise<boolean> {
    const { connection, hostName, offset } = this.options
    const asked = this.clocks()
    try {
      const message = await connection.ifOpen?.request(clockSubject(hostName), '', {
        timeout: answerMsMax,
        // Collectors may answer there, and nowhere else.
        noMux: true,
        reply: clockReply(hostName, randomUUID()),
      })
      const answered = this.clocks()
      const { success, data } = ClockAnswer.safeParse(message?.json())
      return success && offset.learn({ asked, answered, answer: data })
    } catch {
      // Nobody answers, or the connection has gone: the publisher tells of that.
      return false
    }
  }
}
