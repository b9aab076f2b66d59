import { readFileSync } from 'node:fs'
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { CoverageEvent, DeathEvent, Event, SignalEvent } from '@whokilled/shared/event'
import { eventSubject } from '@whokilled/shared/subjects'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coverageEvent, deathEvent, messageOf, signalEvent } from '../events.ts'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { ask } from './ledger.ts'
import { type Scene, startScene } from './scene.ts'

/** Agents of other versions than the collectors. */

let nats: NatsServer
let scene: Scene
beforeAll(async () => {
  nats = await startNats()
  scene = await startScene({ natsUrl: nats.url, settings: { retentionDays: null } })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

test('what a newer agent says beyond what is known, and in words that are not known, is stored as it came', async () => {
  const of = (runId: string, seq: number) => ({
    host: { id: 'newer', name: 'newer', bootId: 'boot', rack: 'B7' },
    agent: { version: '9.0.0', probe: 'ebpf-next', runId, seq, build: { commit: 'abc' } },
  })
  const events: [DeathEvent | SignalEvent | CoverageEvent, ...(DeathEvent | SignalEvent | CoverageEvent)[]] = [
    deathEvent({ ...of('newer-run', 1), cause: 'quantum', judge: { name: 'x', depth: [1, 2] } } as Partial<DeathEvent>),
    deathEvent({ ...of('newer-run', 2), service: { name: 'a', kind: 'unikernel', zone: null } }),
    signalEvent({ ...of('newer-run', 3), via: 'teleport', result: 'postponed', reception: 'forwarded' }),
    coverageEvent({ ...of('newer-run', 4), state: 'dozing', why: 'power-saving' } as Partial<CoverageEvent>),
  ]
  for (const event of events) await publish(messageOf([event]))
  await expect.poll(() => storedOf('newer')).toEqual(events.map((event) => JSON.parse(JSON.stringify(event))))
  expect(await seqsOf('newer-run')).toBe('{[1,5)}')
})

test('events in a format that is not known yet are kept as dead letters, and are no holes', async () => {
  const agent = { version: '9.0.0', probe: 'replay', runId: 'v2-run' }
  const host = { id: 'v2', name: 'v2', bootId: 'boot' }
  const next = { ...deathEvent({ host, agent: { ...agent, seq: 1 } }), v: 2, death: { of: 'everything' } }
  const known = deathEvent({ host, agent: { ...agent, seq: 2 } })
  await publish({
    subject: eventSubject('v2', 'death'),
    body: [next, known].map((event) => JSON.stringify(event)).join('\n'),
  })
  await expect.poll(() => storedOf('v2')).toEqual([known])
  const [letter, ...others] = await ask(scene.databaseUrl, async (client) => {
    const sql = `select reason, convert_from(payload, 'UTF8') as payload from dead_letters where host_id = 'v2'`
    return (await client.query<{ reason: string; payload: string }>(sql)).rows
  })
  expect([letter?.reason, others]).toEqual(['version', []])
  expect(JSON.parse(letter?.payload ?? '')).toEqual(next)
  expect(await seqsOf('v2-run')).toBe('{[1,3)}')
})

test('what the oldest agents said is stored, and can be asked for', async () => {
  // As printed by the first agent that could be run, of the recording article.wkr.
  const lines = readFileSync(new URL('oldest-events.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const events = lines.map((line) => JSON.parse(line) as Event)
  for (const [index, { host, type, id }] of events.entries()) {
    await publish({ subject: eventSubject(host.name, type), body: lines[index] ?? '', id: `${id}:1` })
  }
  await expect.poll(() => storedOf('vm')).toEqual(events)
  expect(await seqsOf(events[0]?.agent.runId ?? '')).toBe(`{[1,${events.length + 1})}`)

  const asked = `${scene.collectors[0]?.url}/v1/who-killed?service=test.sh&host=vm&since=9000d`
  const answer = (await (await fetch(asked)).json()) as { death: DeathEvent | null }
  expect(answer.death).toMatchObject({ victim: { comm: 'sh' }, killer: { args: ['sh', 'xdkill.sh'] } })
})

async function publish({ subject, body, id }: { subject: string; body: string; id?: string }): Promise<void> {
  const connection = await connect({ servers: nats.url })
  try {
    await jetstream(connection).publish(subject, body, id === undefined ? {} : { msgID: id })
  } finally {
    await connection.close()
  }
}

/** Its events whole, in the order of their numbers. */
const storedOf = (host: string) =>
  ask(scene.databaseUrl, async (client) => {
    const sql = `
      select event from (
        select seq, event from deaths where host_name = $1
        union all select seq, event from signals where host_name = $1
        union all select seq, event from coverage where host_name = $1
      ) as each order by seq`
    return (await client.query<{ event: Event }>(sql, [host])).rows.map(({ event }) => event)
  })

const seqsOf = (runId: string) =>
  ask(scene.databaseUrl, async (client) => {
    const sql = 'select seqs::text from runs where run_id = $1'
    return (await client.query<{ seqs: string }>(sql, [runId])).rows[0]?.seqs
  })
