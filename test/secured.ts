import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Identities } from '../packages/collector/src/identity/identities.ts'
import { hostIdentity } from '../packages/collector/src/identity/identity.ts'
import { type Authority, type Certificate, makeAuthority } from './servers/certificates.ts'
import { type NatsServer, startNats } from './servers/nats.ts'
import { type PostgresServer, startPostgres } from './servers/postgres.ts'

/** NATS and Postgres as a fleet has them: over TLS alone, with an identity for each, and rights for what it does. */
export interface Secured extends AsyncDisposable {
  readonly folder: string
  readonly authority: Authority
  readonly nats: NatsServer
  /** `tls://localhost:PORT` */
  readonly natsUrl: string
  readonly identities: Identities
  /** Files of keys, by who they are of. */
  readonly seeds: Readonly<Record<'admin' | 'collector' | 'web-3', string>>
  readonly postgres: PostgresServer
  /** URLs of a database of its own: of the tables' owner, and of who reads and writes. */
  readonly adminUrl: string
  readonly runtimeUrl: string
  /** What may be seen nowhere. */
  readonly passwords: readonly string[]
  /** Asks the database as its superuser. */
  ask<R extends object>(sql: string): Promise<R[]>
  /** Gives Postgres another certificate; it starts anew. */
  presentAt(certificate: Certificate): Promise<void>
}

const passwords = { owner: 'own-4711-hunter', runtime: 'run-0815-hunter' }

/** Plain text is for the superuser of the tests alone. */
const rules = `
local all all trust
hostnossl all postgres 127.0.0.1/32 trust
hostssl all all 127.0.0.1/32 scram-sha-256
`

export async function startSecured(): Promise<Secured> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-secured-'))
  const authority = await makeAuthority(folder, 'authority')
  const seeds = {
    admin: join(folder, 'admin.nk'),
    collector: join(folder, 'collector.nk'),
    'web-3': join(folder, 'web-3.nk'),
  }
  const identities = new Identities(join(folder, 'users.conf'))
  await identities.begin(seeds)
  await identities.add(hostIdentity('web-3'), seeds['web-3'])
  const certificate = await authority.issue('server')
  const nats = await startNats([], { configure: (home) => natsConfiguration(home, identities.file, certificate) })
  const postgres = await startPostgres(
    { ssl: 'on', ssl_cert_file: '../server.pem', ssl_key_file: '../server.key' },
    {
      'server.pem': await readFile(certificate.certFile),
      'server.key': await readFile(certificate.keyFile),
      'data/pg_hba.conf': rules,
    },
  )
  const superUrl = await postgres.createDatabase()
  const database = new URL(superUrl).pathname.slice(1)
  const url = (role: 'owner' | 'runtime') =>
    `postgres://${role}:${passwords[role]}@localhost:${postgres.port}/${database}`
  const ask = async <R extends object>(sql: string) => {
    const client = new pg.Client({ connectionString: superUrl })
    await client.connect()
    try {
      return (await client.query<R>(sql)).rows
    } finally {
      await client.end()
    }
  }
  for (const [role, password] of Object.entries(passwords)) {
    await ask(`create role ${role} login password '${password}'`)
  }
  await ask(`alter database ${database} owner to owner`)
  return {
    folder,
    authority,
    nats,
    natsUrl: `tls://localhost:${nats.port}`,
    identities,
    seeds,
    postgres,
    adminUrl: url('owner'),
    runtimeUrl: url('runtime'),
    passwords: Object.values(passwords),
    ask,
    async presentAt({ certFile, keyFile }) {
      await postgres.stop()
      await writeFile(join(postgres.folder, 'server.pem'), await readFile(certFile))
      await writeFile(join(postgres.folder, 'server.key'), await readFile(keyFile))
      await postgres.start()
    },
    async [Symbol.asyncDispose]() {
      await nats[Symbol.asyncDispose]()
      await postgres[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** NATS takes no absolute path to include, but one that leads out of its folder. */
function natsConfiguration(home: string, users: string, { certFile, keyFile }: Certificate): string {
  const steps = home
    .split('/')
    .filter(Boolean)
    .map(() => '..')
  return `
    authorization { include "${join(...steps, users)}" }
    tls { cert_file: "${certFile}", key_file: "${keyFile}" }`
}
