import { type ConsumerInfo, type ConsumerMessages, jetstream } from '@nats-io/jetstream'
import { errors, type NatsConnection, nanos } from '@nats-io/transport-node'
import { streamName } from '@whokilled/shared/subjects'
import type { Config } from '../config.ts'
import { NatsError } from '../errors.ts'
import { natsError } from './nats.ts'

/** The durable consumer that all collectors share: each message goes to one of them. */
export const consumerName = 'collector'

/** Where the consumer is asked for messages: the only subject of JetStream's API that a running collector needs. */
export const nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${streamName}.${consumerName}`

const answerDelayMaxMs = 3_000
/** Twice this without a word from NATS means that the consumer has gone. */
const heartbeatMs = 5_000
const pullDelayMaxMs = 30_000

/**
 * The messages of the consumer, without asking NATS about stream or consumer, which needs more rights. Rejects with a
 * CodedError (stream-missing, nats-forbidden, …); the messages end with one when stream or consumer go away.
 */
export async function openMessages(connection: NatsConnection, { batch }: Config): Promise<ConsumerMessages> {
  await ask(connection)
  const known = { name: consumerName, stream_name: streamName, config: {} } as ConsumerInfo
  const messages = await jetstream(connection).consumers.getConsumerFromInfo(known).consume({
    max_messages: batch.messagesMax,
    expires: pullDelayMaxMs,
    idle_heartbeat: heartbeatMs,
    bind: true,
    abort_on_missing_resource: true,
  })
  void endWhenSilent(messages)
  return messages
}

/**
 * Nobody answers for a consumer that is not there: neither with an error nor with "no responders". So a request is
 * made that each consumer refuses at once (a heartbeat as long as the request), without delivering anything.
 */
async function ask(connection: NatsConnection): Promise<void> {
  const second = nanos(1_000)
  const refused = JSON.stringify({ batch: 1, expires: second, idle_heartbeat: second })
  try {
    await connection.request(nextSubject, refused, { timeout: answerDelayMaxMs })
  } catch (error) {
    const isSilence = [error, (error as Error).cause].some(
      (each) => each instanceof errors.TimeoutError || each instanceof errors.NoRespondersError,
    )
    throw isSilence ? missing(error) : natsError(error)
  }
}

/** The client asks again for ever. A server that lost its data does not tell that the consumer went with it. */
async function endWhenSilent(messages: ConsumerMessages): Promise<void> {
  for await (const { type } of messages.status()) {
    if (type === 'heartbeats_missed') messages.stop(missing())
  }
}

function missing(cause?: unknown): NatsError {
  return new NatsError(
    'stream-missing',
    `expected the stream ${streamName} with its consumer ${consumerName}, nothing answers for them`,
    'Run: whokilled-collector migrate (or start with run --migrate). A cluster without a majority does not answer either.',
    { cause },
  )
}
