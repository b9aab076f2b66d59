import { afterAll, beforeAll, expect, test } from 'vitest'
import { coverageEvent, deathEvent, sentSignal } from '../../../test/events.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { eventually, type Running, startRunning } from '../../collector/test/running.ts'
import { runCli } from './run-cli.ts'

let postgres: PostgresServer
let running: Running

beforeAll(async () => {
  postgres = await startPostgres()
  running = await startRunning(postgres)
})
afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
})

const secondsAgo = (seconds: number) => `${new Date(Date.now() - seconds * 1_000).toISOString().slice(0, -1)}456Z`
const whokilled = (...args: string[]) => runCli(args, { WHOKILLED_URL: running.collector.url })

function killed(name: string, at: string) {
  const signal = sentSignal({ at: at.replace(/456Z$/, '056Z') })
  return deathEvent({ at, service: { name, kind: 'systemd' }, signal, killer: signal.sender })
}

/** Waits until the collector has stored what was published. */
async function stored(name: string, count: number): Promise<void> {
  await eventually(
    () => running.get(`/v1/who-killed?service=${name}`),
    ({ status, body }) => status === 200 && (body as { deathCount: number }).deathCount === count,
  )
}

test('before any agent has reported, that is the answer', async () => {
  await eventually(
    () => running.get('/v1/hosts'),
    ({ status }) => status === 200,
  )
  const asked = await whokilled('nginx')
  expect(asked.stderr).toBe('')
  expect(asked.stdout).toMatch(
    /^no death of nginx recorded since [\d :-]+; no host has reported yet: is an agent running\?\n$/,
  )
  expect(asked.status).toBe(1)
  expect(await whokilled('hosts')).toMatchObject({
    status: 1,
    stdout: 'no host has reported yet: is an agent running?\n',
  })
})

test('a death is told with the ones before it', async () => {
  await running.publishEvents([
    killed('nginx.service', secondsAgo(7_300)),
    killed('nginx.service', secondsAgo(3_700)),
    killed('nginx.service', secondsAgo(200)),
  ])
  await stored('nginx.service', 3)
  const asked = await whokilled('nginx', '--host', 'web-3', '--since', '24h')
  expect(asked.stderr).toBe('')
  const lines = asked.stdout.split('\n')
  expect(lines[0]).toMatch(/^nginx\.service on web-3 was killed (on [\d-]+ )?at [\d:]+ \(3 minutes ago\)\.$/)
  expect(lines.slice(1, 6)).toEqual([
    '  by    sh xdkill.sh (built-in kill)   pid 5120, user deploy (uid 1001)',
    '  from  bash ← sshd: deploy@pts/0',
    '  with  SIGKILL, sent by kill(2), delivered; nginx was dead 0.4 ms later',
    '  sure  certain: the signal and the death were both seen, no records were lost',
    '2 earlier deaths:',
  ])
  expect(lines).toHaveLength(9)
  expect(asked.status).toBe(0)
})

test('where nobody died, the answer is who was watching', async () => {
  const host = { id: 'host-web-4', name: 'web-4', bootId: 'boot-4' }
  const [start, end, again] = [secondsAgo(400), secondsAgo(300), secondsAgo(20)]
  const told = [
    { state: 'watching', from: start, to: end, at: end },
    { state: 'gap', from: end, to: again, at: again, reason: 'agent stopped' },
    { state: 'watching', from: again, to: secondsAgo(1), at: secondsAgo(1) },
  ]
  for (const [index, each] of told.entries()) {
    const agent = { version: '0.1.0', probe: 'systemtap', runId: 'run-4', seq: index + 1 }
    await running.publishEvents([coverageEvent({ host, agent, ...each })])
  }
  await eventually(
    () => running.get('/v1/who-killed?service=x&host=web-4&since=6m'),
    ({ body }) => JSON.stringify(body).includes('agent stopped'),
  )
  const asked = await whokilled('nginx', '--host', 'web-4', '--since', '6m')
  expect(asked.stderr).toBe('')
  expect(asked.stdout).toMatch(
    /^no death of nginx on web-4 recorded since .*; web-4 was not watched \d\d:\d\d–(.* )?\d\d:\d\d \(agent stopped\)\n$/,
  )
  expect(asked.status).toBe(1)
  const covered = await whokilled('coverage', '--host', 'web-4', '--since', '6m')
  expect(covered.stdout).toMatch(/^web-4 was not watched \d\d:\d\d–(.* )?\d\d:\d\d \(agent stopped\)\n$/)
  expect(covered.status).toBe(0)
  const json = await whokilled('coverage', '--host', 'web-4', '--since', '6m', '--json')
  expect(JSON.parse(json.stdout).coverage).toMatchObject([{ host: 'web-4', gaps: [{ reason: 'agent stopped' }] }])
  expect(await whokilled('coverage', '--host', 'nobody')).toMatchObject({
    status: 1,
    stdout: 'no such host has reported yet: is an agent running?\n',
  })
  const listed = await whokilled('hosts')
  expect(listed.stdout).toMatch(/^web-4 +watching +just now/m)
  expect(listed.status).toBe(0)
})

test('deaths lists ids, and show tells what is known of one', async () => {
  const death = killed('listed.service', secondsAgo(100))
  await running.publishEvents([death])
  await stored('listed.service', 1)
  const listed = await whokilled('deaths', '--service', 'listed')
  expect(listed.stdout).toContain(
    `web-3  listed.service  was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy)  ${death.id}\n`,
  )
  const shown = await whokilled('show', death.id)
  expect(shown).toMatchObject({ status: 0, stderr: '' })
  expect(shown.stdout).toMatch(/^listed\.service on web-3 was killed/)
  expect(shown.stdout).toContain('  arguments  ["sh","xdkill.sh"]\n')
  const json = await whokilled('show', death.id, '--json')
  expect(JSON.parse(json.stdout)).toEqual(death)
})

test('an id of no death is nothing found, and one that is no id wrong usage', async () => {
  const missing = '019ab3c2-7f00-7abc-8def-0123456789ab'
  expect(await whokilled('show', missing)).toMatchObject({ status: 1, stdout: `no death has the id ${missing}\n` })
  const wrong = await whokilled('show', 'x')
  expect(wrong.stderr).toMatch(/^whokilled: the collector at .* says: id: .* \[invalid-parameter\]\n$/)
  expect(wrong.status).toBe(2)
})

test('a time that is empty is wrong usage', async () => {
  const asked = await whokilled('nginx', '--since', '1h', '--until', '2h')
  expect(asked.stderr).toMatch(/^whokilled: the collector at .* says: since: expected a time before until/)
  expect(asked.status).toBe(2)
})

test('a list goes on where it ended', async () => {
  const first = JSON.parse((await whokilled('deaths', '--limit', '1', '--json')).stdout)
  expect(first.deaths).toHaveLength(1)
  const next = await whokilled('deaths', '--limit', '1', '--json', '--cursor', first.nextCursor)
  expect(JSON.parse(next.stdout).deaths[0].id).not.toBe(first.deaths[0].id)
})

test('while Postgres is away the collector says so, and that is status 3', async () => {
  await postgres.stop()
  try {
    const asked = await whokilled('nginx')
    expect(asked.status).toBe(3)
    expect(asked.stdout).toBe('')
    expect(asked.stderr).toMatch(/^whokilled: the collector at [^\n]* says: [^\n]* \[[a-z-]+\]\n$/)
  } finally {
    await postgres.start()
  }
})
