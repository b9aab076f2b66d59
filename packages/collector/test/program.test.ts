import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import { allSubjects, streamName } from '@whokilled/shared/subjects'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deathEvent, messageOf } from '../../../test/events.ts'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { consumerName } from '../src/ingest/stream.ts'
import { eventually } from './running.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

let folder: string
let nats: NatsServer
let postgres: PostgresServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-program-'))
  nats = await startNats()
  postgres = await startPostgres()
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

test('migrate makes tables and stream, says so, and exits with 0; a second time it has nothing to do', async () => {
  await using nats = await startNats()
  const environment = { WHOKILLED_POSTGRES_URL: await postgres.createDatabase(), WHOKILLED_NATS_URL: nats.url }
  expect(await runToEnd(['migrate'], environment)).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^Migrated: 000001(?:, \d{6})*\nMade in NATS: stream WHOKILLED, consumer collector\n$/,
    ),
    stderr: '',
  })
  expect(await runToEnd(['migrate'], environment)).toMatchObject({
    code: 0,
    stdout: 'The tables are up to date.\nThe stream is as the settings say.\n',
  })
})

test('migrate exits with 3 if Postgres cannot be reached, and does not show the password', async () => {
  const { code, stderr } = await runToEnd(['migrate'], { WHOKILLED_POSTGRES_URL: 'postgres://u:hunter2@127.0.0.1:1/x' })
  expect(code).toBe(3)
  expect(stderr).toContain('127.0.0.1:1/x')
  expect(stderr).toContain('[postgres-unreachable]')
  expect(stderr).not.toContain('hunter2')
})

test('a wrong key in the settings exits with 2 and names the right one', async () => {
  const file = join(folder, 'wrong.json')
  await writeFile(file, JSON.stringify({ natsURL: nats.url, batch: { mesagesMax: 1 } }))
  const { code, stderr } = await runToEnd(['--config', file, 'run'], {})
  expect(code).toBe(2)
  expect(stderr).toContain('unknown setting natsURL, did you mean natsUrl?')
  expect(stderr).toContain('unknown setting batch.mesagesMax, did you mean messagesMax?')
})

test.each([[['bogus']], [['run', '--nope']], [['--config', '/does/not/exist', 'run']]])(
  '%j exits with 2',
  async (args) => {
    const { code, stderr } = await runToEnd(args, {})
    expect(code).toBe(2)
    expect(stderr).not.toBe('')
  },
)

test('run refuses tables of another version with 2, and says how to migrate', async () => {
  const environment = { WHOKILLED_POSTGRES_URL: await postgres.createDatabase(), WHOKILLED_NATS_URL: nats.url }
  const { code, stderr } = await runToEnd(['run'], { ...environment, WHOKILLED_HTTP_PORT: '0' })
  expect(code).toBe(2)
  expect(stderr).toContain('[schema-old]')
  expect(stderr).toContain('run --migrate')
})

test('run --migrate reads secrets from files, answers, and ends with 0 on SIGTERM', async () => {
  const secret = join(folder, 'postgres-url')
  const url = await postgres.createDatabase()
  await writeFile(secret, `${url}\n`)
  const file = join(folder, 'right.json')
  await writeFile(file, JSON.stringify({ natsUrl: nats.url, postgresUrlFile: secret, httpPort: 0 }))
  const child = start(['--config', file, 'run', '--migrate'], {})
  const output = collect(child)
  try {
    const listening = () => logged(output.stderr).find(({ msg }) => msg === 'listening')?.url
    const answer = await eventually(listening, (found) => found !== undefined)
    await eventually(
      () => fetch(`${answer}/readyz`),
      ({ status }) => status === 200,
    )
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    const told = logged(output.stderr).map(({ msg }) => msg)
    const made = 'the stream was missing, and has been made'
    expect(told.filter((msg) => msg !== made)).toEqual(['listening', 'connected to NATS', 'stopping', 'stopped'])
    expect(output.stderr).not.toContain(url)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query(
      `select count(*)::int from pg_stat_activity where application_name like 'whokilled%'`,
    )
    await client.end()
    expect(rows).toEqual([{ count: 0 }])
  } finally {
    child.kill('SIGKILL')
  }
})

test('a collector that is killed in the middle of its work loses nothing and doubles nothing', async () => {
  const url = await postgres.createDatabase()
  const file = join(folder, 'killed.json')
  await writeFile(
    file,
    JSON.stringify({ natsUrl: nats.url, postgresUrl: url, httpPort: 0, batch: { messagesMax: 10 } }),
  )
  const connection = await connect({ servers: nats.url })
  const stream = jetstream(connection)
  const manager = await jetstreamManager(connection)
  // Made here with a short wait, so that the test need not wait long for what the killed one had taken.
  await manager.streams.delete(streamName).catch(() => {})
  await manager.streams.add({ name: streamName, subjects: [allSubjects] })
  const consumer = { durable_name: consumerName, ack_policy: AckPolicy.Explicit, ack_wait: nanos(1_000) }
  await manager.consumers.add(streamName, consumer)
  const numbers = Array.from({ length: 2_000 }, (_, index) => index + 1)
  await Promise.all(
    numbers.map((seq) => {
      const agent = { version: '0.1.0', probe: 'replay', runId: 'killed', seq }
      const { subject, body } = messageOf([deathEvent({ agent })])
      return stream.publish(subject, body)
    }),
  )
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const stored = async () => (await client.query('select count(*)::int from deaths')).rows[0].count as number

  let killed = 0
  for (const isLast of [false, false, true]) {
    const child = start(['--config', file, 'run', '--migrate'], {})
    try {
      const before = killed
      const enough = isLast ? 2_000 : before + 100
      killed = await eventually(stored, (count) => count >= enough)
      if (!isLast) expect(killed).toBeLessThan(2_000)
    } finally {
      child.kill('SIGKILL')
    }
  }
  expect(killed).toBe(2_000)
  expect((await client.query('select seqs::text from runs')).rows).toEqual([{ seqs: '{[1,2001)}' }])
  await client.end()
  await connection.close()
})

function start(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const { PATH, HOME } = process.env
  return spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main, ...args], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function collect(child: ChildProcess) {
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return output
}

async function runToEnd(args: readonly string[], environment: NodeJS.ProcessEnv) {
  const child = start(args, environment)
  const output = collect(child)
  const [code] = await once(child, 'close')
  return { code, ...output }
}

function logged(lines: string): { msg: string; url?: string }[] {
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
