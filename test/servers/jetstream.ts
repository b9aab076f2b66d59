import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { Event } from '@whokilled/shared/event'
import { allSubjects, streamName } from '@whokilled/shared/subjects'

/** Makes the stream that agents publish to, as a collector does. */
export async function addStream(url: string): Promise<void> {
  const connection = await connect({ servers: url })
  await (await jetstreamManager(connection)).streams.add({ name: streamName, subjects: [allSubjects] })
  await connection.close()
}

/** All events in the stream, in the order in which they were published. */
export async function publishedTo(url: string): Promise<Event[]> {
  const connection = await connect({ servers: url })
  try {
    const manager = await jetstreamManager(connection)
    const { state } = await manager.streams.info(streamName)
    const events: Event[] = []
    // An empty stream that never held a message begins with 0, which is no message's number.
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
      const message = await manager.streams.getMessage(streamName, { seq })
      for (const line of message?.string().split('\n') ?? []) events.push(JSON.parse(line) as Event)
    }
    return events
  } finally {
    await connection.close()
  }
}
