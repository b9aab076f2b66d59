import {
  adminInbox,
  allClockReplies,
  allClockSubjects,
  clockSubject,
  collectorInbox,
  hostInbox,
  hostSubjects,
  parseHostInbox,
  streamName,
} from '@whokilled/shared/subjects'
import { consumerName, nextSubject } from '../ingest/stream.ts'
import type { Identity } from './identity.ts'

/** What a user of NATS may do, as its configuration says it. What is not named is refused. */
export interface Permissions {
  readonly publish: { readonly allow: readonly string[] }
  readonly subscribe: { readonly allow: readonly string[] }
}

/**
 * The least that each identity needs. A host publishes under its own name and reads its own answers. The collector
 * asks its one consumer for messages and acknowledges them. The admin has the whole of JetStream's API.
 *
 * NATS could let the collector answer wherever a request says (allow_responses), but then remembers the reply subject
 * of each message it delivers, which slows delivery to a tenth; so clock requests name a place of their own.
 */
export function permissionsOf(identity: Identity): Permissions {
  switch (identity.kind) {
    case 'host':
      return {
        publish: { allow: [hostSubjects(identity.name), clockSubject(identity.name)] },
        subscribe: { allow: [`${hostInbox(identity.name)}.>`] },
      }
    case 'collector':
      return {
        publish: { allow: [nextSubject, `$JS.ACK.${streamName}.${consumerName}.>`, allClockReplies] },
        subscribe: { allow: [`${collectorInbox}.>`, allClockSubjects] },
      }
    case 'admin':
      return { publish: { allow: ['$JS.API.>'] }, subscribe: { allow: [`${adminInbox}.>`] } }
  }
}

/** Whose permissions these are, by the inbox that each identity alone has; undefined if they are nobody's of ours. */
export function identityOf(permissions: Permissions): Identity | undefined {
  const [inbox = ''] = permissions.subscribe.allow
  if (inbox === `${adminInbox}.>`) return { kind: 'admin' }
  if (inbox === `${collectorInbox}.>`) return { kind: 'collector' }
  const name = parseHostInbox(inbox)
  return name === undefined ? undefined : { kind: 'host', name }
}
