import { JetStreamApiError } from '@nats-io/jetstream'
import {
  InvalidArgumentError,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
} from '@nats-io/transport-node'
import { CodedError } from '@whokilled/shared/coded-error'
import { PublishError } from '../errors.ts'
import { wireError } from './wire-error.ts'

/**
 * Why a message was not taken. `too-large` is for this message and for ever, `not-permitted` for its subject until
 * somebody changes the permissions; all others are for all messages, and pass.
 */
export type Refusal = 'unreachable' | 'no-stream' | 'timeout' | 'full' | 'not-permitted' | 'too-large' | 'other'

/** Codes of JetStream's answers, which do not change between versions. */
const apiRefusals = new Map<number, Refusal>([
  [10_054, 'too-large'],
  [10_077, 'full'],
  [10_047, 'full'],
  [10_023, 'full'],
  [10_028, 'full'],
])

export function refusalOf(error: unknown): Refusal {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof JetStreamApiError) return apiRefusals.get(cause.code) ?? 'other'
    if (cause instanceof NoRespondersError) return 'no-stream'
    if (cause instanceof PermissionViolationError) return cause.operation === 'publish' ? 'not-permitted' : 'other'
    if (cause instanceof TimeoutError) return 'timeout'
    // The only argument of ours that can be wrong is the payload, which the client measures.
    if (cause instanceof InvalidArgumentError) return 'too-large'
  }
  return 'unreachable'
}

/** The same with a stable code and the next step. */
export function publishError(error: unknown, hostName: string): CodedError {
  const refusal = refusalOf(error)
  const wire = wireError(error, hostName)
  // A key that does not open this host's own inbox is another host's.
  if (error instanceof CodedError || !(refusal in hints) || wire.code === 'nats-forbidden') return wire
  const hint = hints[refusal as keyof typeof hints]
  return new PublishError(`nats-${refusal}`, (error as Error).message, hint, { cause: error })
}

const hints = {
  timeout: 'The server did not acknowledge in time: it is overloaded, or its cluster has no leader.',
  full: 'The stream or the disk of the server has no room: let the stream discard old messages, or give it more.',
  'too-large': 'The event is lost, and told as a gap. Raise max_payload of the server, or max_msg_size of the stream.',
  other: 'The server refuses it, for the reason that it gives; it is tried again.',
}
