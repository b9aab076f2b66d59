import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Spool } from '../packages/agent/src/spool/spool.ts'
import { Connection } from '../packages/agent/src/wire/connection.ts'
import { Publisher } from '../packages/agent/src/wire/publish.ts'
import { startAgent } from '../packages/agent/test/agent-program.ts'
import { writeRecording } from '../packages/agent/test/recorded-story.ts'
import { loadConfig } from '../packages/collector/src/config.ts'
import { hostIdentity } from '../packages/collector/src/identity/identity.ts'
import { connectNats } from '../packages/collector/src/ingest/nats.ts'
import { migrate } from '../packages/collector/src/migrate.ts'
import { outputOf, runProgram, startProgram } from '../packages/collector/test/run-program.ts'
import { eventually } from '../packages/collector/test/running.ts'
import { deathEvent } from './events.ts'
import { type Secured, startSecured } from './secured.ts'
import { makeAuthority } from './servers/certificates.ts'
import { startNats } from './servers/nats.ts'

/** The line over TLS, each program with its own identity and no more rights than it needs. */

let secured: Secured
beforeAll(async () => {
  secured = await startSecured()
}, 120_000)
afterAll(() => secured[Symbol.asyncDispose]())

/** Settings of the collector that runs, in files as a service has them. */
async function collectorSettings(more: object = {}): Promise<string> {
  const { folder, natsUrl, seeds, authority, runtimeUrl, adminUrl } = secured
  const file = (name: string) => join(folder, name)
  await writeFile(file('runtime-url'), runtimeUrl, { mode: 0o600 })
  await writeFile(file('admin-url'), adminUrl, { mode: 0o600 })
  const settings = {
    natsUrl,
    natsCaFile: authority.caFile,
    natsNkeyFile: seeds.collector,
    postgresUrlFile: file('runtime-url'),
    postgresCaFile: authority.caFile,
    httpPort: 0,
    ...more,
  }
  const name = file(`collector-${Object.keys(more).length}.json`)
  await writeFile(name, JSON.stringify(settings))
  return name
}

const adminSettings = () => ({
  natsAdminNkeyFile: secured.seeds.admin,
  postgresAdminUrlFile: join(secured.folder, 'admin-url'),
})

/** A collector that runs, as a program. */
async function startCollector(settings: string) {
  const child = startProgram(['--config', settings, 'run'], {})
  const output = outputOf(child)
  const url = await eventually(
    () => /"url":"(http[^"]+)"/.exec(output.stderr)?.[1],
    (found) => found !== undefined,
  )
  return {
    child,
    output,
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve))
    },
  }
}

test('an event goes from the agent to Postgres over TLS alone, by identities that may do nothing else', async () => {
  const { folder, natsUrl, seeds, authority, ask } = secured
  const refused = await runProgram(['--config', await collectorSettings(), 'migrate'], {})
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('postgresAdminUrl') })
  const migrated = await runProgram(['--config', await collectorSettings(adminSettings()), 'migrate'], {})
  expect(migrated).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('Made in NATS: stream WHOKILLED, consumer collector'),
  })

  await using collector = await startCollector(await collectorSettings())
  await eventually(
    () => fetch(`${collector.url}/readyz`),
    ({ status }) => status === 200,
  )
  const config = join(folder, 'agent.json')
  const probe = `replay:${await writeRecording(folder, { services: ['nginx.service'] })}`
  const agentSettings = {
    natsUrl,
    natsCaFile: authority.caFile,
    natsNkeyFile: seeds['web-3'],
    hostName: 'web-3',
    stateFolder: join(folder, 'state'),
    probe,
  }
  await writeFile(config, JSON.stringify(agentSettings))
  const agent = await startAgent(['run', '--config', config]).ended
  expect(agent).toMatchObject({ status: 0 })
  expect(agent.stderr).not.toContain('"code"')

  const deaths = () => ask<{ host_name: string }>('select host_name from deaths')
  expect(await eventually(deaths, (rows) => rows.length > 0)).toEqual([{ host_name: 'web-3' }])
  const sessions = await ask(
    `select distinct usename, ssl from pg_stat_ssl join pg_stat_activity using (pid)
     where application_name like 'whokilled%'`,
  )
  expect(sessions).toEqual([{ usename: 'runtime', ssl: true }])
  expect(collector.output.stderr).not.toMatch(/"level":(40|50)/)
})

describe('the user that stores', () => {
  const asRuntime = async (sql: string) => {
    const ca = await readFile(secured.authority.caFile)
    const client = new pg.Client({ connectionString: secured.runtimeUrl, ssl: { ca } })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  test.each([
    'create table mine ()',
    'drop table deaths',
    'alter table deaths add column mine text',
    'truncate deaths',
    `insert into migrations (name, run_on) values ('999999', now())`,
    'delete from migrations',
    `select make_partition('tokens', now())`,
    `select drop_partitions('hosts', '2100-01-01')`,
    `create function make_partition(text) returns void language sql as ''`,
  ])('may not: %s', async (sql) => {
    await expect(asRuntime(sql)).rejects.toThrow(/permission denied|must be owner|no table of events/)
  })

  test('makes and drops weeks by the functions for it, and a table of its own does not mislead them', async () => {
    const weeks = `select count(*)::int from pg_class where relname ~ '^deaths_20010101$'`
    await asRuntime(`create temp table deaths (); select make_partition('public.deaths', '2001-01-03')`)
    expect(await asRuntime(weeks)).toEqual([{ count: 1 }])
    expect(await asRuntime(`select drop_partitions('deaths', '2001-02-01')`)).toEqual([{ drop_partitions: 1 }])
    expect(await asRuntime(weeks)).toEqual([{ count: 0 }])
    await expect(
      asRuntime(`create temp table deaths (); select make_partition('pg_temp.deaths', '2001-01-03')`),
    ).rejects.toThrow(/no table of events/)
  })
})

describe('a server that is not the one', () => {
  /** What both programs say of a NATS server with this certificate. */
  async function sayOfNats(tls: string, settings: Record<string, string>, host = 'localhost') {
    await using nats = await startNats([], { configure: () => tls })
    const natsUrl = `tls://${host}:${nats.port}`
    const connection = new Connection({ url: natsUrl, hostName: 'web-3', ...settings })
    const config = {
      ...loadConfig(undefined, { WHOKILLED_POSTGRES_URL: 'postgres://127.0.0.1/x' }),
      natsUrl,
      ...settings,
    }
    const outcomes = await Promise.all([
      connection.open().then(() => connection.close().then(() => 'connected'), codeOf),
      connectNats(config, () => {}).then((open) => open.close().then(() => 'connected'), codeOf),
    ])
    return outcomes
  }
  const codeOf = ({ code, hint }: { code: string; hint: string }) => ({ code, hint })
  const both = (code: string, hint: string) => Array(2).fill({ code, hint: expect.stringContaining(hint) })
  const certificateOf = async (options: Parameters<Secured['authority']['issue']>[1], name: string) => {
    const { certFile, keyFile } = await secured.authority.issue(name, options)
    return `cert_file: "${certFile}", key_file: "${keyFile}"`
  }

  test('is refused as NATS: its authority, its time, its name, its plain text; the remedy is named', async () => {
    const ca = { natsCaFile: secured.authority.caFile }
    const right = `tls { ${await certificateOf({}, 'right')} }`
    expect(await sayOfNats(right, ca)).toEqual(['connected', 'connected'])
    expect(await sayOfNats(right, ca, '127.0.0.1')).toEqual(['connected', 'connected'])
    expect(await sayOfNats(right, {})).toEqual(both('tls-untrusted', 'natsCaFile'))
    const other = await makeAuthority(secured.folder, 'other')
    expect(await sayOfNats(right, { natsCaFile: other.caFile })).toEqual(both('tls-untrusted', 'natsCaFile'))
    const old = `tls { ${await certificateOf({ isExpired: true }, 'old')} }`
    const nowhere = { natsCaFile: join(secured.folder, 'no-ca.pem') }
    expect(await sayOfNats(right, nowhere)).toEqual(both('certificate-unreadable', 'Check the path'))
    expect(await sayOfNats(old, ca)).toEqual(both('tls-expired', 'Renew'))
    const elsewhere = `tls { ${await certificateOf({ names: ['DNS:nats.example'] }, 'elsewhere')} }`
    expect(await sayOfNats(elsewhere, ca)).toEqual(both('tls-wrong-name', 'natsUrl'))
    const named = `tls { ${await certificateOf({ names: ['DNS:localhost'] }, 'named')} }`
    expect(await sayOfNats(named, ca, '127.0.0.1')).toEqual(both('tls-wrong-name', 'natsUrl'))
    expect(await sayOfNats('', ca)).toEqual(both('tls-not-offered', 'certificate'))
    expect(await sayOfNats('', {})).toEqual(both('tls-not-offered', 'certificate'))
  })

  test('a NATS server that wants a certificate gets the one in the settings', async () => {
    const { caFile, issue } = secured.authority
    const tls = `tls { ${await certificateOf({}, 'wanting')}, ca_file: "${caFile}", verify: true }`
    const client = await issue('client')
    const pair = { natsCertificateFile: client.certFile, natsKeyFile: client.keyFile }
    expect(await sayOfNats(tls, { natsCaFile: caFile, ...pair })).toEqual(['connected', 'connected'])
    // The server may have hung up before its reason is read.
    const without = await eventually(
      () => sayOfNats(tls, { natsCaFile: caFile }),
      (said) => said.every((each) => typeof each === 'object' && each.code === 'tls-client-certificate'),
    )
    expect(without).toEqual(both('tls-client-certificate', 'natsCertificateFile'))
  })

  test('is refused as Postgres, likewise', async () => {
    const { authority, runtimeUrl, folder, presentAt } = secured
    const say = (settings: object, url = runtimeUrl) =>
      migrate({ postgresUrl: url, ...settings }).then(
        () => 'connected',
        ({ code, hint }) => ({ code, hint }),
      )
    const ca = { postgresCaFile: authority.caFile }
    const told = (code: string, hint: string) => ({ code, hint: expect.stringContaining(hint) })
    // What comes after the connection: its user may not migrate.
    const connected = told('migration-failed', 'postgresAdminUrl')
    const byAddress = runtimeUrl.replace('@localhost:', '@127.0.0.1:')
    expect(await say(ca)).toEqual(connected)
    expect(await say(ca, byAddress)).toEqual(connected)
    expect(await say({}, `${runtimeUrl}?sslmode=require`)).toEqual(told('tls-untrusted', 'postgresCaFile'))
    const other = await makeAuthority(folder, 'other')
    expect(await say({ postgresCaFile: other.caFile })).toEqual(told('tls-untrusted', 'postgresCaFile'))
    expect(await say({}, runtimeUrl)).toMatchObject({ code: 'postgres-refused' })
    await presentAt(await authority.issue('old-postgres', { isExpired: true }))
    expect(await say(ca)).toEqual(told('tls-expired', 'Renew'))
    await presentAt(await authority.issue('named-postgres', { names: ['DNS:localhost'] }))
    expect(await say(ca)).toEqual(connected)
    expect(await say(ca, byAddress)).toEqual(told('tls-wrong-name', 'postgresUrl'))
    await presentAt(await authority.issue('server-again'))
  })
})

test('a key is renewed under an agent that publishes: no event is lost, and the old key is refused', async () => {
  const { folder, natsUrl, seeds, authority, identities, nats, ask } = secured
  await migrate({
    postgresUrl: secured.runtimeUrl,
    postgresAdminUrl: secured.adminUrl,
    postgresCaFile: authority.caFile,
  })
  const prepared = await runProgram(['--config', await collectorSettings(adminSettings()), 'migrate'], {})
  expect(prepared.code).toBe(0)
  await using _collector = await startCollector(await collectorSettings())
  const spool = await Spool.open({ folder: join(folder, 'rotating'), eventsMax: 100_000 })
  const options = { url: natsUrl, hostName: 'web-3', natsCaFile: authority.caFile, natsNkeyFile: seeds['web-3'] }
  const connection = new Connection(options)
  const failures: Error[] = []
  const publisher = new Publisher(spool, { connection, hostName: 'web-3', retryMs: 20 }, (error) =>
    failures.push(error),
  )
  const publishing = publisher.run()
  let seq = 0
  const publish = async (count: number) => {
    for (let done = 0; done < count; done++) {
      const agent = { version: '0.1.0', probe: 'replay', runId: 'rotating', seq: ++seq }
      await spool.append(JSON.stringify(deathEvent({ agent })))
    }
  }
  const emptied = () =>
    eventually(
      () => spool.length,
      (length) => length === 0,
    )
  await publish(200)
  await emptied()
  const fresh = join(folder, 'web-3.new.nk')
  await identities.rotate(hostIdentity('web-3'), fresh)
  await nats.reload()
  await publish(200)
  await emptied()
  expect(failures).toEqual([])
  await identities.endRotation(hostIdentity('web-3'), 'old')
  await nats.reload()
  await eventually(
    () => connection.isConnected,
    (yes) => !yes,
  )
  // The key is brought only now: what happens meanwhile waits.
  await publish(200)
  await eventually(
    () => failures.some((error) => (error as { code?: string }).code === 'nats-refused'),
    (yes) => yes,
  )
  expect(spool.length).toBeGreaterThan(0)
  await rename(fresh, seeds['web-3'])
  await publish(200)
  await emptied()
  await publisher.stop(0)
  await publishing
  await spool.close()
  const runs = () => ask<{ seqs: string }>(`select seqs::text from runs where run_id = 'rotating'`)
  expect(await eventually(runs, ([run]) => run?.seqs === `{[1,${seq + 1})}`)).toEqual([{ seqs: `{[1,801)}` }])
})

test('no seed and no password is in the output of programs that cannot connect, nor in their arguments or metrics', async () => {
  const { folder, seeds, authority, natsUrl, nats, postgres } = secured
  expect(await runProgram(['--config', await collectorSettings(adminSettings()), 'migrate'], {})).toMatchObject({
    code: 0,
  })
  const seedTexts = await Promise.all(Object.values(seeds).map(async (file) => (await readFile(file, 'utf8')).trim()))
  const secrets = [...seedTexts, ...secured.passwords, 'pass-w0rd', 'pass%2Dw0rd', 't0p-secret']
  const wrong = {
    natsUrl: [
      `tls://collector:pass-w0rd@localhost:${nats.port}`,
      `tls://t0p-secret@localhost:${nats.port}`,
      `nats://collector:pass-w0rd@10.255.255.1:4222`,
      'tls://collector:pass-w0rd@localhost:1',
    ],
    postgresUrl: [
      `postgres://runtime:pass-w0rd@localhost:${postgres.port}/none`,
      'postgres://runtime:pass-w0rd@127.0.0.1:1/none',
      'postgres://runtime:pass-w0rd@db.example/none?sslmode=no-verify',
      'postgres://runtime:pass-w0rd@db.example/none?sslmode=disable',
      'postgres://runtime:pass-w0rd@db.exa mple:port/none',
    ],
  }
  const exposed = join(folder, 'exposed.nk')
  await writeFile(exposed, seedTexts[0] ?? '')
  await chmod(exposed, 0o644)
  const broken = join(folder, 'broken.nk')
  await writeFile(broken, `${seedTexts[1]?.slice(0, 40)} t0p-secret`, { mode: 0o600 })
  const common = { natsCaFile: authority.caFile, postgresCaFile: authority.caFile, httpPort: 0, logLevel: 'trace' }
  const right = { natsUrl, postgresUrl: secured.runtimeUrl, natsNkeyFile: seeds.collector }
  const cases: object[] = [
    ...wrong.natsUrl.map((url) => ({ ...right, natsNkeyFile: undefined, natsUrl: url })),
    ...wrong.postgresUrl.map((postgresUrl) => ({ ...right, postgresUrl })),
    { ...right, natsNkeyFile: seeds['web-3'] },
    { ...right, natsNkeyFile: exposed },
    { ...right, natsNkeyFile: broken },
    { ...right, natsNkeyFile: undefined, natsCredentialsFile: broken },
    { ...right, natsKeyFile: exposed, natsCertificateFile: authority.caFile },
  ]
  const told: string[] = []
  const codes = new Set<string>()
  for (const [index, settings] of cases.entries()) {
    const file = join(folder, `failing-${index}.json`)
    await writeFile(file, JSON.stringify({ ...common, ...settings }))
    const child = startProgram(['--config', file, 'run'], {})
    const output = outputOf(child)
    try {
      const closed = () => child.exitCode !== null
      await eventually(
        () => closed() || /trying again/.test(output.stderr),
        (yes) => yes,
      )
      const url = /"url":"(http[^"]+)"/.exec(output.stderr)?.[1]
      if (url !== undefined && !closed()) {
        told.push(await (await fetch(`${url}/metrics`)).text(), await (await fetch(`${url}/readyz`)).text())
        told.push(await readFile(`/proc/${child.pid}/cmdline`, 'utf8'))
      }
    } finally {
      child.kill('SIGKILL')
    }
    told.push(output.stdout, output.stderr)
    for (const [, code = ''] of output.stderr.matchAll(/(?:"code":"|\[)([a-z]+-[a-z-]+)["\]]/g)) codes.add(code)
  }
  const agentCases = [
    ...wrong.natsUrl.map((url) => ({ natsUrl: url })),
    { natsUrl, natsNkeyFile: seeds.collector },
    { natsUrl, natsNkeyFile: exposed },
    { natsUrl, natsCredentialsFile: broken },
  ]
  for (const [index, settings] of agentCases.entries()) {
    const file = join(folder, `failing-agent-${index}.json`)
    const probe = `replay:${await writeRecording(folder, { services: ['nginx.service'] })}`
    const stateFolder = join(folder, `failing-state-${index}`)
    const more = { natsCaFile: authority.caFile, stateFolder, probe, logLevel: 'trace', hostName: 'web-3' }
    // The plain one has no authority either: it would ask for TLS.
    const isPlain = settings.natsUrl.startsWith('nats:')
    await writeFile(file, JSON.stringify({ ...more, ...(isPlain && { natsCaFile: undefined }), ...settings }))
    const { stdout, stderr } = await startAgent(['run', '--config', file]).ended
    told.push(stdout, stderr)
    for (const [, code = ''] of stderr.matchAll(/(?:"code":"|\[)([a-z]+-[a-z-]+)["\]]/g)) codes.add(code)
  }
  for (const secret of secrets) for (const text of told) expect(text).not.toContain(secret)
  // They were told of what they were meant to be told of.
  const expected = [
    'nats-refused',
    'nats-unreachable',
    'nats-plaintext',
    'nats-forbidden',
    'key-exposed',
    'key-invalid',
  ]
  expect([...codes].sort()).toEqual(expect.arrayContaining([...expected, 'postgres-tls-weakened']))
}, 300_000)
