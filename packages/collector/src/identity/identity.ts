import { hostToken } from '@whokilled/shared/subjects'
import { UsageError } from '../errors.ts'

/** Who may connect to NATS: a host's agent, the collectors, and whoever makes the stream. */
export type Identity =
  | { readonly kind: 'host'; readonly name: string }
  | { readonly kind: 'collector' }
  | { readonly kind: 'admin' }

/** The two that there is one of. */
export const singleIdentities = [{ kind: 'admin' }, { kind: 'collector' }] as const satisfies readonly Identity[]

const nameBytesMax = 255

/**
 * The identity of a host. Any name that a host can have is one: what NATS would take as a wildcard or a separator is
 * encoded in subjects. Throws a UsageError for what could not be the same name in an agent's settings, or not be read
 * in a list.
 */
export function hostIdentity(name: string): Identity {
  const isPrintable = name === name.trim() && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)
  if (name === '' || !isPrintable || Buffer.byteLength(name) > nameBytesMax) {
    throw new UsageError(
      'bad-host-name',
      `expected the name of a host, 1 to ${nameBytesMax} bytes of printable text, received ${JSON.stringify(name.slice(0, 80))}`,
      'Give the name that the agent publishes under: hostName in its settings, else what `uname -n` prints there.',
    )
  }
  return { kind: 'host', name }
}

/** What a person calls it: `host web-3`, `collector`. */
export function titleOf(identity: Identity): string {
  return identity.kind === 'host' ? `host ${identity.name}` : identity.kind
}

/** The name of the file that its seed is written to, unless told otherwise. */
export function seedFileName(identity: Identity): string {
  return `${identity.kind === 'host' ? hostToken(identity.name) : `whokilled-${identity.kind}`}.nk`
}

export function isSame(one: Identity, other: Identity): boolean {
  return titleOf(one) === titleOf(other)
}
