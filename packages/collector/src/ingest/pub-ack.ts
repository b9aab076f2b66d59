import { streamName } from '@whokilled/shared/subjects'
import { z } from 'zod'

/** https://docs.nats.io/reference/reference-protocols/nats_api_reference: what JetStream answers to who published. */
const PubAck = z.looseObject({ stream: z.literal(streamName), seq: z.int().nonnegative() })

/** The number of the message in the stream that a value acknowledges; undefined if it is no acknowledgement. */
export function acknowledged(value: object): number | undefined {
  if ('v' in value || 'id' in value) return undefined
  return PubAck.safeParse(value).data?.seq
}
