import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/transport-node'
import { allSubjects, streamName } from '@whokilled/shared/subjects'
import type { Config } from '../config.ts'

/** The durable consumer that all collectors share: each message goes to one of them. */
export const consumerName = 'collector'

/**
 * The consumer of the stream; both are made if they are missing. Settings of an existing stream are left as they are:
 * somebody may have chosen them.
 */
export async function openConsumer(connection: NatsConnection, config: Config): Promise<Consumer> {
  const manager = await jetstreamManager(connection)
  await ensureStream(manager, config)
  await ensureConsumer(manager, config)
  return await jetstream(connection).consumers.get(streamName, consumerName)
}

async function ensureStream(manager: JetStreamManager, { stream }: Config): Promise<void> {
  if (await exists(manager.streams.info(streamName), JetStreamApiCodes.StreamNotFound)) return
  await manager.streams.add({
    name: streamName,
    subjects: [allSubjects],
    storage: StorageType.File,
    // Kept after they were stored, so that a second consumer or a restored database can read them again.
    retention: RetentionPolicy.Limits,
    // At a limit the oldest go. The holes they leave in a run's numbers show as missing events.
    discard: DiscardPolicy.Old,
    max_age: nanos(stream.ageMaxHours * 3_600_000),
    max_bytes: stream.bytesMax,
    duplicate_window: nanos(stream.duplicateWindowSeconds * 1_000),
    num_replicas: stream.replicas,
  })
}

async function ensureConsumer(manager: JetStreamManager, config: Config): Promise<void> {
  if (await exists(manager.consumers.info(streamName, consumerName), JetStreamApiCodes.ConsumerNotFound)) return
  await manager.consumers.add(streamName, {
    durable_name: consumerName,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(config.ackWaitSeconds * 1_000),
    max_ack_pending: config.ackPendingMax,
    // What cannot be stored is put into the dead letters and acknowledged, so nothing is delivered for ever.
    max_deliver: -1,
  })
}

async function exists(info: Promise<unknown>, notFound: number): Promise<boolean> {
  try {
    await info
    return true
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === notFound) return false
    throw error
  }
}
