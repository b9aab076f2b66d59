import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { CodedError } from '@whokilled/shared/coded-error'
import { deadLetterReasons } from '@whokilled/shared/dead-letters-api'
import { eventSubject, parseSubject } from '@whokilled/shared/subjects'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { coverageEvent, deathEvent, signalEvent } from '../../../test/events.ts'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { loadConfig as loadAgentConfig } from '../../agent/src/config.ts'
import { loadConfig } from '../src/config.ts'
import { validateMessage } from '../src/ingest/validate.ts'
import { mutated } from './mutations.ts'
import { outputOf, startProgram } from './run-program.ts'
import { eventually, type Running, startRunning } from './running.ts'

const corpus = new URL('corpus/', import.meta.url)
const filesIn = (folder: string) => readdirSync(new URL(`${folder}/`, corpus))
const bytesOf = (folder: string, name: string) => readFileSync(new URL(`${folder}/${name}`, corpus))
const corpusSubject = 'whokilled.v1.web-3.coverage'

/** A run that failed is run again with FUZZ_SEED. */
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const rounds = Number(process.env.FUZZ_ROUNDS ?? 1)

let postgres: PostgresServer

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(async () => {
  await postgres[Symbol.asyncDispose]()
})

describe('a message', () => {
  test.each(filesIn('messages'))('of the corpus is taken as its name says: %s', async (name) => {
    const { events, letters } = taken(bytesOf('messages', name))
    const said = name.split('.')[1]
    // Postgres finds some of those that cannot be stored.
    if (letters.length === 0 && said === 'not-storable') return
    expect(letters).toEqual(said === 'good' || said === 'empty' ? [] : [said])
    expect(events).toBe(said === 'good' ? 1 : 0)
  })

  test('however it was changed, each of its lines is an event or in the dead letters, with a reason of bounded length', () => {
    const events = [deathEvent(), signalEvent(), coverageEvent()]
    fc.assert(
      fc.property(
        fc.constantFrom(...events).chain((event) => fc.array(mutated(event), { maxLength: 5 })),
        (lines) => {
          const data = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
          const { events, deadLetters } = validateMessage(
            { subject: 'whokilled.v1.web-3.death', streamSeq: 1, data },
            262_144,
          )
          const expected = data.toString('latin1').split('\n').filter(Boolean).length
          expect(events.length + deadLetters.reduce((sum, { eventCount }) => sum + eventCount, 0)).toBe(expected)
          for (const { reason, detail, payload } of deadLetters) {
            expect(deadLetterReasons).toContain(reason)
            expect(detail.length).toBeLessThanOrEqual(501)
            expect(data.includes(Buffer.from(payload))).toBe(true)
          }
        },
      ),
      { seed, numRuns: 2_000 * rounds },
    )
  })

  test('of a million lines of rubbish becomes a few dead letters that hold every byte, and its good events are found', () => {
    const rubbish = Array.from({ length: 200_000 }, (_, index) => index.toString(36)).join('\n')
    const good = [deathEvent(), deathEvent({ incidentId: 'x' })].map((event) => JSON.stringify(event))
    const data = Buffer.from(`${rubbish}\n${good[0]}\n${rubbish}\n${good[1]}\n${rubbish}`)
    const { events, deadLetters } = validateMessage(
      { subject: 'whokilled.v1.web-3.death', streamSeq: 1, data },
      262_144,
    )
    expect(events.map(({ json }) => json)).toEqual(good)
    expect(deadLetters.length).toBeLessThan(110)
    expect(deadLetters.reduce((sum, { eventCount }) => sum + eventCount, 0)).toBe(600_000)
    expect(deadLetters.map(({ payload }) => Buffer.from(payload).toString()).join('\n')).toBe(
      `${rubbish}\n${rubbish}\n${rubbish}`,
    )
  })

  test('from a newer agent keeps its numbers, also where its events are put together', () => {
    const agent = (seq: number) => ({ version: '9', probe: 'systemtap' as const, runId: 'new', seq })
    const lines = Array.from({ length: 1_500 }, (_, index) =>
      JSON.stringify({ ...deathEvent({ agent: agent(index + 1) }), v: 2 }),
    )
    const { deadLetters } = validateMessage(
      { subject: 'whokilled.v1.web-3.death', streamSeq: 1, data: Buffer.from(lines.join('\n')) },
      262_144,
    )
    expect(deadLetters.flatMap(({ stamps }) => stamps.map(({ seq }) => seq))).toEqual(
      lines.map((_, index) => index + 1),
    )
    for (const { payload } of deadLetters) expect(payload.length).toBeLessThanOrEqual(1_048_576)
  })

  test('that would keep the schema busy is refused before', () => {
    const line = JSON.stringify({ ...deathEvent(), signals: Array.from({ length: 80_000 }, () => ({})) })
    const data = Buffer.from([line, line, line].join('\n'))
    const { deadLetters } = validateMessage({ subject: 'whokilled.v1.web-3.death', streamSeq: 1, data }, 262_144)
    expect(deadLetters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual(
      Array(3).fill('schema: expected at most 10000 arrays and objects'),
    )
  })
})

describe('a subject', () => {
  test('of a host is read as it was written, and no two are the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (host) => {
        const subject = eventSubject(host, 'death')
        expect(subject).toMatch(/^whokilled\.v1\.[A-Za-z0-9_%-]+\.death$/)
        expect(parseSubject(subject)).toEqual({ hostName: host, type: 'death' })
      }),
      { seed },
    )
  })

  test('of any other shape is none, or is the only one for its host', () => {
    const token = fc.string({
      unit: fc.constantFrom('%', '2', 'E', 'e', 'F', 'C', '3', 'a', '-', '.', '*', '>', ' ', 'é', '\0'),
      maxLength: 12,
    })
    fc.assert(
      fc.property(token, fc.constantFrom('death', 'Death', '', '.', 'x y', '*'), (host, type) => {
        const subject = `whokilled.v1.${host}.${type}`
        const parsed = parseSubject(subject)
        if (parsed !== undefined) expect(eventSubject(parsed.hostName, parsed.type as 'death')).toBe(subject)
      }),
      { seed, numRuns: 2_000 },
    )
  })
})

describe('settings', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whokilled-fuzz-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const programs: Record<string, (file: string) => unknown> = {
    collector: (file) => loadConfig(file, {}),
    agent: (file) => loadAgentConfig(file, {}, {}),
  }

  /** Loads them; a refusal has a code, a bounded text and no secret, and nothing else is thrown. */
  function load(program: string, file: string): object | undefined {
    try {
      return programs[program]?.(file) as object
    } catch (error) {
      expect(error).toBeInstanceOf(CodedError)
      const { message, hint } = error as CodedError
      expect(`${message} ${hint}`).not.toContain('SECRET')
      expect(message.length).toBeLessThan(20_000)
      return undefined
    }
  }

  test.each(filesIn('settings').flatMap((name) => Object.keys(programs).map((program) => [program, name] as const)))(
    'of the corpus are taken or refused by the %s: %s',
    (program, name) => {
      const config = load(program, new URL(`settings/${name}`, corpus).pathname)
      if (config !== undefined) expect(Object.getPrototypeOf(config)).toBe(Object.prototype)
      expect({}).not.toHaveProperty('httpAccess')
    },
  )

  test.each(Object.keys(programs))('of any JSON, and of any bytes, are taken or refused by the %s', async (program) => {
    const file = join(folder, `${program}.json`)
    const known = [
      'natsUrl',
      'postgresUrl',
      'httpHost',
      'httpPort',
      'httpNames',
      'stream',
      'batch',
      'stateDir',
      'spool',
      'logLevel',
      '__proto__',
      'constructor',
      '',
    ]
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(1e308, -1, 'SECRET', 'postgres://u:SECRET@h/d', 'nats://u:SECRET@h', '\0SECRET', ['SECRET']),
    )
    const settings = fc.dictionary(fc.oneof(fc.constantFrom(...known), fc.string({ maxLength: 12 })), value, {
      maxKeys: 6,
    })
    const text = fc.oneof(
      settings.map((each) => Buffer.from(JSON.stringify(each))),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(text, async (bytes) => {
        await writeFile(file, bytes)
        load(program, file)
      }),
      { seed, numRuns: 500 * rounds },
    )
  })
})

describe('a request', () => {
  let running: Running
  beforeAll(async () => {
    running = await startRunning(postgres)
    await eventually(
      () => running.get('/readyz'),
      ({ status }) => status === 200,
    )
  })
  afterAll(() => running[Symbol.asyncDispose]())

  test.each(filesIn('requests'))('of the corpus gets an answer that is none of an internal error: %s', async (name) => {
    const answer = await raw(running.collector.url, bytesOf('requests', name))
    if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 (?:2\d\d|3\d\d|4\d\d) /)
    expect(answer).not.toContain('root:x:0:0')
    if (/^HTTP\/1\.1 4/.test(answer)) expect(answer.toLowerCase()).toContain('application/problem+json')
    expect((await running.get('/healthz')).status).toBe(200)
  })

  test('with any parameters gets an answer or a problem, never an internal error', async () => {
    const routes = [
      '/v1/who-killed',
      '/v1/deaths',
      '/v1/hosts',
      '/v1/coverage',
      '/v1/dead-letters',
      '/v1/deaths/x',
      '/docs',
      '/metrics',
    ]
    const names = ['service', 'host', 'since', 'until', 'cause', 'limit', 'cursor', '__proto__', 'constructor', '']
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom(
        '*',
        '%',
        '\\',
        '_',
        '0',
        '-1',
        '1e9',
        '1000',
        '24h',
        '999999w',
        '2026-11-22',
        '9999-12-31',
        '\0',
        'null',
        "'",
        '01',
        ' 1',
        '1.0',
        '0x10',
      ),
    )
    const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 5 })), text), {
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...routes), query, async (route, pairs) => {
        const asked = pairs.map((pair) => pair.map(encoded).join('=')).join('&')
        const { status, type } = await running.get(`${route}?${asked}`)
        expect([200, 400, 401, 404]).toContain(status)
        if (status !== 200) expect(type).toContain('application/problem+json')
      }),
      { seed, numRuns: 600 * rounds },
    )
  })

  test('with any bytes in its headers and address does not end the collector', async () => {
    const bytes = fc.uint8Array({ maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (path, name, value) => {
        const parts = [
          'GET /',
          path,
          ' HTTP/1.1\r\nHost: localhost\r\n',
          name,
          ': ',
          value,
          '\r\nConnection: close\r\n\r\n',
        ]
        const answer = await raw(running.collector.url, Buffer.concat(parts.map((part) => Buffer.from(part as string))))
        expect(answer).not.toMatch(/^HTTP\/1\.1 5/)
      }),
      { seed, numRuns: 300 * rounds },
    )
    expect((await running.get('/healthz')).status).toBe(200)
    expect(running.log.filter((line) => line.includes('"level":50'))).toEqual([])
  })
})

describe('a collector of its own process, with good and bad events mixed', () => {
  let nats: NatsServer
  let child: ChildProcess
  let database: pg.Pool
  let output: { stderr: string }
  let url: string

  beforeAll(async () => {
    nats = await startNats()
    const databaseUrl = await postgres.createDatabase()
    database = new pg.Pool({ connectionString: databaseUrl, max: 2 })
    child = startProgram(['run', '--migrate'], {
      WHOKILLED_NATS_URL: nats.url,
      WHOKILLED_POSTGRES_URL: databaseUrl,
      WHOKILLED_HTTP_PORT: '0',
    })
    output = outputOf(child)
    url = await eventually(
      () => /"url":"([^"]+)"/.exec(output.stderr)?.[1] ?? '',
      (found) => found !== '',
    )
    await eventually(
      () => fetch(`${url}/readyz`),
      ({ status }) => status === 200,
    )
  })
  afterAll(async () => {
    child.kill('SIGKILL')
    await database.end()
    await nats[Symbol.asyncDispose]()
  })

  test('puts each file of the corpus where its name says', async () => {
    const connection = await connect({ servers: nats.url })
    const stream = jetstream(connection)
    const expected: Record<string, number> = {}
    for (const name of filesIn('messages')) {
      const reason = name.split('.')[1] ?? ''
      if (reason !== 'good' && reason !== 'empty') expected[reason] = (expected[reason] ?? 0) + 1
      await stream.publish(corpusSubject, bytesOf('messages', name))
    }
    await connection.close()
    await drained()
    const { rows } = await database.query('select reason, count(*)::int from dead_letters group by reason')
    expect(Object.fromEntries(rows.map(({ reason, count }) => [reason, count]))).toEqual(expected)
    expect((await database.query('select count(*)::int from coverage')).rows).toEqual([{ count: 1 }])
    expect({}).not.toHaveProperty('polluted')
  })

  test('puts subjects that are none of ours aside, also such that are no text', async () => {
    const subjects = [
      'whokilled.v1.a',
      'whokilled.v1.a.b.c',
      'whokilled.v1.%ZZ.death',
      'whokilled.v1.web%2d3.death',
      'whokilled.v1.é.death',
      'whokilled.v1.\u202e\x1b[2J.death',
      `whokilled.v1.${'a'.repeat(2_000)}.death`,
      `whokilled.v1.${'a.'.repeat(100)}b`,
    ]
    const connection = await connect({ servers: nats.url })
    const stream = jetstream(connection)
    for (const subject of subjects) await stream.publish(subject, JSON.stringify(deathEvent()))
    await connection.close()
    const line = Buffer.from(JSON.stringify(deathEvent()))
    for (const bytes of [Buffer.from([0xff, 0xfe]), Buffer.from([0]), Buffer.from([0x80, 0x2e, 0xc3])]) {
      const subject = Buffer.concat([Buffer.from('whokilled.v1.'), bytes, Buffer.from('.death')])
      await publishRaw(
        nats.port,
        Buffer.concat([Buffer.from('PUB '), subject, Buffer.from(` ${line.length}\r\n`), line, Buffer.from('\r\n')]),
      )
    }
    await drained()
    const { rows } = await database.query(`select count(*)::int from dead_letters where reason = 'subject'`)
    expect(rows[0].count).toBeGreaterThanOrEqual(subjects.length)
    expect(child.exitCode).toBeNull()
  })

  test('stores every good event exactly once, accounts for each bad one, and stays small', {
    timeout: 600_000,
  }, async () => {
    const before = await counted()
    const good = new Set<string>()
    const seen = new Set<string>()
    let bad = 0
    const connection = await connect({ servers: nats.url })
    const stream = jetstream(connection)
    const under: Promise<unknown>[] = []
    const messages = 600 * rounds
    for (let index = 0; index < messages; index++) {
      const lines: Buffer[] = []
      for (const each of fc.sample(mutated(numbered(-1 - index)), { seed: seed + index, numRuns: index % 4 })) {
        for (const piece of linesIn(each)) {
          if (seen.has(piece.toString('latin1'))) continue
          seen.add(piece.toString('latin1'))
          lines.push(piece)
          bad++
        }
      }
      for (let count = 0; count < 10; count++) {
        const event = numbered(good.size)
        good.add(event.id)
        lines.splice((count * 7) % (lines.length + 1), 0, Buffer.from(JSON.stringify(event)))
      }
      under.push(
        stream.publish('whokilled.v1.web-3.death', Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))),
      )
      if (index % 300 === 0) {
        const rubbish = Buffer.from(
          Array.from({ length: 180_000 }, (_, n) => `r${(n + index).toString(36)}`)
            .join('\n')
            .slice(0, 1_000_000),
        )
        bad += linesIn(rubbish).length
        under.push(stream.publish('whokilled.v1.web-3.death', rubbish))
      }
      if (under.length >= 100) await Promise.all(under.splice(0))
    }
    await Promise.all(under)
    await connection.close()
    await drained()
    const after = await counted()
    const ledger = {
      goodStoredOnce: await storedOnce([...good]),
      accounted: after.stored + after.duplicates + after.dead - before.stored - before.duplicates - before.dead,
    }
    expect({ seed, ...ledger }).toEqual({ seed, goodStoredOnce: good.size, accounted: good.size + bad })
    expect(child.exitCode).toBeNull()
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(residentMaxMiB(child.pid)).toBeLessThan(600)
    // The log does not grow with the rubbish.
    expect(output.stderr.length).toBeLessThan(20_000_000)
    console.log(JSON.stringify({ seed, good: good.size, bad, residentMaxMiB: residentMaxMiB(child.pid), ...ledger }))
  })

  function numbered(index: number) {
    const agent = { version: '0.1.0', probe: 'systemtap', runId: index < 0 ? 'bad' : 'good', seq: Math.abs(index) + 1 }
    return deathEvent({
      agent,
      service: { name: index < 0 ? 'bad' : 'good', kind: 'process' },
      incidentId: String(index),
    })
  }

  /** All that was published has been stored or put aside. */
  async function drained(): Promise<void> {
    const connection = await connect({ servers: nats.url })
    try {
      const manager = await jetstream(connection).jetstreamManager()
      for (let tries = 0; ; tries++) {
        const info = await manager.consumers.info('WHOKILLED', 'collector')
        if (info.num_pending === 0 && info.num_ack_pending === 0) return
        if (tries > 3_000) throw new Error(`not consumed: ${JSON.stringify(info)}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    } finally {
      await connection.close()
    }
  }

  async function counted() {
    const text = await (await fetch(`${url}/metrics`)).text()
    const sum = (name: string) =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
        (all, [, value]) => all + Number(value),
        0,
      )
    return {
      stored: sum('whokilled_events_stored_total'),
      duplicates: sum('whokilled_events_duplicate_total'),
      dead: sum('whokilled_dead_letters_total'),
    }
  }

  async function storedOnce(ids: readonly string[]): Promise<number> {
    const sql = `select count(*)::int from (select id from deaths where id = any ($1::uuid[]) group by id having count(*) = 1) as one`
    return (await database.query(sql, [ids])).rows[0].count
  }
})

function taken(data: Buffer): { events: number; letters: string[] } {
  const { events, deadLetters } = validateMessage({ subject: corpusSubject, streamSeq: 1, data }, 262_144)
  return { events: events.length, letters: deadLetters.map(({ reason }) => reason) }
}

function linesIn(bytes: Buffer): Buffer[] {
  const text = bytes.toString('latin1')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => Buffer.from(line, 'latin1'))
}

/** As it stands in an address; half surrogate pairs as the bytes that UTF-8 would have for them. */
function encoded(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

/** What comes back for these bytes, until it is whole or the connection ends. */
function raw(url: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1')
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      answer += text
      if (/\r\n\r\n/.test(answer)) socket.end()
    })
    socket.once('error', () => resolve(answer))
    socket.once('close', () => resolve(answer))
    socket.write(bytes)
  })
}

/** Publishes with bytes that no client would send; resolves when the server has taken them. */
function publishRaw(port: number, command: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, '127.0.0.1')
    socket.once('error', reject)
    socket.setEncoding('latin1').on('data', (text: string) => {
      if (/PONG|-ERR/.test(text)) {
        socket.end()
        resolve()
      }
    })
    socket.write(Buffer.concat([Buffer.from('CONNECT {"verbose":false}\r\n'), command, Buffer.from('PING\r\n')]))
  })
}

function residentMaxMiB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024)
}
