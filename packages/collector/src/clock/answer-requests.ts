import type { NatsConnection } from '@nats-io/transport-node'
import { type ClockAnswer, readClocks } from '@whokilled/shared/clock-offset'
import { allClockSubjects, asksForItself } from '@whokilled/shared/subjects'
import type { Metrics } from '../metrics.ts'
import type { FleetClock } from './fleet-clock.ts'

/** Of all collectors one answers a request. */
const queue = 'collectors'

/** Answers agents that ask for the time. While this collector does not know it itself, nobody gets an answer. */
export function answerClockRequests(connection: NatsConnection, clock: FleetClock, metrics: Metrics): void {
  connection.subscribe(allClockSubjects, {
    queue,
    callback(error, message) {
      const { reading } = clock
      if (error !== null || reading === null || !asksForItself(message.subject, message.reply)) return
      const answer: ClockAnswer = {
        atMs: readClocks().wallMs + reading.offsetMs,
        uncertaintyMs: reading.uncertaintyMs,
      }
      if (message.respond(JSON.stringify(answer))) metrics.clockAnswers.inc()
    },
  })
}
