import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { adminInbox, collectorInbox, hostInbox } from '@whokilled/shared/subjects'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { Identities } from '../src/identity/identities.ts'
import { hostIdentity, type Identity, seedFileName } from '../src/identity/identity.ts'

/** A nats-server that knows the identities in its file, and the keys of each in a folder. */
export interface GuardedNats extends AsyncDisposable {
  readonly nats: NatsServer
  readonly identities: Identities
  /** Of the keys. */
  readonly folder: string
  /** The file of an identity's key. */
  seedFile(identity: Identity): string
  /** A key for a host, which the server knows from its next reload on. */
  addHost(name: string): Promise<void>
  /** Connects as an identity, from its own inbox. */
  connect(identity: Identity, seedFile?: string): Promise<NatsConnection>
}

/** Starts one that knows these hosts; `moreConfiguration` stands beside the users. */
export async function startGuardedNats(
  hosts: readonly string[],
  moreConfiguration: (folder: string) => string = () => '',
): Promise<GuardedNats> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-keys-'))
  const seedFile = (identity: Identity) => join(folder, seedFileName(identity))
  let identities: Identities | undefined
  const nats = await startNats([], {
    async configure(home) {
      identities = new Identities(join(home, 'users.conf'))
      await identities.begin({ admin: seedFile({ kind: 'admin' }), collector: seedFile({ kind: 'collector' }) })
      for (const name of hosts) await identities.add(hostIdentity(name), seedFile(hostIdentity(name)))
      return `authorization { include "users.conf" }\n${moreConfiguration(home)}`
    },
  })
  if (identities === undefined) throw new Error('expected the identities to be made before the server starts')
  const known = identities
  return {
    nats,
    identities: known,
    folder,
    seedFile,
    addHost: (name) => known.add(hostIdentity(name), seedFile(hostIdentity(name))),
    connect: (identity, file = seedFile(identity)) =>
      connect({
        servers: nats.url,
        authenticator: nkeyAuthenticator(new TextEncoder().encode(readFileSync(file, 'utf8').trim())),
        inboxPrefix: inboxOf(identity),
        reconnect: false,
      }),
    async [Symbol.asyncDispose]() {
      await nats[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function inboxOf(identity: Identity): string {
  if (identity.kind === 'host') return hostInbox(identity.name)
  return identity.kind === 'admin' ? adminInbox : collectorInbox
}
