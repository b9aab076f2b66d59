import {
  AckPolicy,
  type ConsumerConfig,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { allSubjects, streamName } from '@whokilled/shared/subjects'
import type { Config } from '../config.ts'
import { NatsError } from '../errors.ts'
import { connectAdmin, natsError } from './nats.ts'
import { consumerName } from './stream.ts'

/** What was done with the stream and its consumer. */
export interface StreamSetup {
  /** `stream WHOKILLED`, `consumer collector`. */
  readonly made: readonly string[]
  /** What differs from the settings, as sentences: changed now if `isChanged`, else left as it was. */
  readonly differences: readonly string[]
  readonly isChanged: boolean
}

/**
 * Makes the stream and its consumer where they are missing, with the identity for that. What exists is left as it is,
 * because somebody may have chosen it, unless `change` is true. Rejects with a CodedError: those of the connection, and
 * stream-settings if NATS refuses them.
 */
export async function setUpStream(config: Config, { change }: { change: boolean }): Promise<StreamSetup> {
  const connection = await connectAdmin(config)
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false })
    const stream = await setUp(streamParts(manager), wantedStream(config), change)
    const consumer = await setUp(consumerParts(manager), wantedConsumer(config), change)
    return {
      made: [...stream.made, ...consumer.made],
      differences: [...stream.differences, ...consumer.differences],
      isChanged: change,
    }
  } catch (error) {
    throw error instanceof JetStreamApiError ? refused(error) : natsError(error)
  } finally {
    await connection.close()
  }
}

/** A value of NATS' configuration, and the setting it comes from. */
type Wanted<C> = { readonly [K in keyof C]?: { readonly value: C[K]; readonly setting: string } }

function wantedStream({ stream }: Config): Wanted<StreamConfig> {
  return {
    max_age: { value: nanos(stream.ageMaxHours * 3_600_000), setting: 'stream.ageMaxHours (in nanoseconds)' },
    max_bytes: { value: stream.bytesMax, setting: 'stream.bytesMax' },
    max_msgs_per_subject: { value: stream.subjectMessagesMax, setting: 'stream.subjectMessagesMax' },
    duplicate_window: {
      value: nanos(stream.duplicateWindowSeconds * 1_000),
      setting: 'stream.duplicateWindowSeconds (in nanoseconds)',
    },
    num_replicas: { value: stream.replicas, setting: 'stream.replicas' },
    // NATS acknowledges a message by publishing to the reply subject that its sender chose, with the server's own
    // rights. A host could so have the stream purged, or messages deleted, that may not ask for it itself.
    deny_delete: { value: true, setting: 'the refusal to delete messages' },
    deny_purge: { value: true, setting: 'the refusal to purge' },
  }
}

function wantedConsumer(config: Config): Wanted<ConsumerConfig> {
  return {
    ack_wait: { value: nanos(config.ackWaitSeconds * 1_000), setting: 'ackWaitSeconds (in nanoseconds)' },
    max_ack_pending: { value: config.ackPendingMax, setting: 'ackPendingMax' },
  }
}

/** What stream and consumer have in common here. */
interface Parts<C> {
  readonly name: string
  read(): Promise<C | undefined>
  make(wanted: Partial<C>): Promise<unknown>
  change(wanted: Partial<C>): Promise<unknown>
}

async function setUp<C extends object>(
  parts: Parts<C>,
  wanted: Wanted<C>,
  change: boolean,
): Promise<Pick<StreamSetup, 'made' | 'differences'>> {
  const values = Object.fromEntries(keysOf(wanted).map((key) => [key, wanted[key]?.value])) as Partial<C>
  const found = await parts.read()
  if (found === undefined) {
    await parts.make(values)
    return { made: [parts.name], differences: [] }
  }
  const different = keysOf(wanted).filter((key) => (found[key] ?? false) !== wanted[key]?.value)
  if (change && different.length > 0) await parts.change(values)
  return {
    made: [],
    differences: different.map(
      (key) => `${parts.name}: ${wanted[key]?.setting} was ${found[key] ?? 'not set'}, wanted ${wanted[key]?.value}`,
    ),
  }
}

function streamParts({ streams }: JetStreamManager): Parts<StreamConfig> {
  return {
    name: `stream ${streamName}`,
    read: () => ifThere(async () => (await streams.info(streamName)).config, JetStreamApiCodes.StreamNotFound),
    make: (wanted) =>
      streams.add({
        ...wanted,
        name: streamName,
        subjects: [allSubjects],
        storage: StorageType.File,
        // Kept after they were stored, so that a second consumer or a restored database can read them again.
        retention: RetentionPolicy.Limits,
        // At a limit the oldest go. The holes they leave in a run's numbers show as missing events.
        discard: DiscardPolicy.Old,
      }),
    change: (wanted) => streams.update(streamName, wanted),
  }
}

function consumerParts({ consumers }: JetStreamManager): Parts<ConsumerConfig> {
  return {
    name: `consumer ${consumerName}`,
    read: () =>
      ifThere(async () => (await consumers.info(streamName, consumerName)).config, JetStreamApiCodes.ConsumerNotFound),
    make: (wanted) =>
      consumers.add(streamName, {
        ...wanted,
        durable_name: consumerName,
        ack_policy: AckPolicy.Explicit,
        // What cannot be stored is put into the dead letters and acknowledged, so nothing is delivered for ever.
        max_deliver: -1,
      }),
    change: (wanted) => consumers.update(streamName, consumerName, wanted),
  }
}

async function ifThere<T>(read: () => Promise<T>, notFound: number): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === notFound) return undefined
    throw error
  }
}

function refused(error: JetStreamApiError): NatsError {
  return new NatsError(
    'stream-settings',
    `expected NATS to take the settings of stream ${streamName}, it said: ${error.message}`,
    'docs/store.md names the settings; a stream of several replicas needs as many servers with JetStream.',
    { cause: error },
  )
}

function keysOf<T extends object>(of: T): (keyof T)[] {
  return Object.keys(of) as (keyof T)[]
}
