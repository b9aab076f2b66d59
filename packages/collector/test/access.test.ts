import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deathEvent } from '../../../test/events.ts'
import { makeAuthority } from '../../../test/servers/certificates.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { addToken } from '../src/access/add-token.ts'
import { revokeToken } from '../src/access/revoke-token.ts'
import type { Scope } from '../src/access/token.ts'
import { startCollector } from '../src/collector.ts'
import type { Config } from '../src/config.ts'
import { createLog } from '../src/log.ts'
import { migrate } from '../src/migrate.ts'
import { outputOf, runProgram, startProgram } from './run-program.ts'
import { eventually, startRunning, testConfig } from './running.ts'

let postgres: PostgresServer
let folder: string

beforeAll(async () => {
  postgres = await startPostgres()
  folder = await mkdtemp(join(tmpdir(), 'whokilled-access-'))
})
afterAll(async () => {
  await postgres[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe('whokilled-collector token', () => {
  test('prints a token once, alone on stdout, and keeps its hash alone', async () => {
    await using place = await aDatabase()
    const added = await place.program('token', 'add', 'grafana')
    expect(added.code).toBe(0)
    expect(added.stdout).toMatch(/^wk_[A-Za-z0-9_-]{43}\n$/)
    expect(added.stderr).toBe('grafana: read, expires in 90d. Only its hash is kept: it is not shown again.\n')
    const token = added.stdout.trim()
    const { rows } = await place.pool.query(`select *, expires_at - created_at = interval '90 days' as ok from tokens`)
    expect(rows).toMatchObject([{ name: 'grafana', scope: 'read', revoked_at: null, last_used_at: null, ok: true }])
    expect(rows[0].digest).toEqual(createHash('sha256').update(token).digest())
    expect(JSON.stringify(rows)).not.toContain(token)

    await place.program('token', 'add', 'root', '--scope', 'admin', '--expires', 'never')
    const listed = await place.program('token', 'list')
    expect(listed.stdout).toMatch(/^name +scope +state +created \(UTC\) +expires +last used +revoked\n/)
    expect(listed.stdout).toMatch(/^grafana +read +good +[\d-]{10} [\d:]{5} +[\d-]{10} [\d:]{5} +never +never$/m)
    expect(listed.stdout).toMatch(/^root +admin +good +[\d-]{10} [\d:]{5} +never +never +never$/m)
    const json = await place.program('token', 'list', '--json')
    expect(
      json.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { name: 'grafana', scope: 'read', state: 'good', lastUsedAt: null, revokedAt: null },
      { name: 'root', scope: 'admin', expiresAt: null },
    ])
    expect(listed.stdout + json.stdout).not.toContain(token.slice(3))
  })

  test('a name has one token that is good; after it was revoked the name is free', async () => {
    await using place = await aDatabase()
    await place.program('token', 'add', 'ci')
    const again = await place.program('token', 'add', 'ci')
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(again.stderr).toContain('[token-exists]')
    expect(await place.program('token', 'revoke', 'ci')).toMatchObject({ code: 0, stdout: 'ci is revoked.\n' })
    expect((await place.program('token', 'add', 'ci')).code).toBe(0)
    expect((await place.program('token', 'list')).stdout.match(/^ci /gm)).toHaveLength(2)
    const unknown = await place.program('token', 'revoke', 'cl')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toMatch(/\[no-such-token\]\n {2}Did you mean ci\?\n$/)
  })

  test.each([
    [['token', 'add', ''], 'Expected 1 to 63 letters'],
    [['token', 'add', '../x'], 'Expected 1 to 63 letters'],
    [['token', 'add', 'x'.repeat(64)], 'Expected 1 to 63 letters'],
    [['token', 'add', 'x', '--scope', 'root'], 'Allowed choices are read, admin'],
    [['token', 'add', 'x', '--expires', 'soon'], 'Expected a time from now'],
    [['token', 'add', 'x', '--expires', '0d'], 'Expected a time from now'],
    [['token', 'add', 'x', '--expires', '99999w'], 'Expected a time from now'],
    [['token', 'add'], "missing required argument 'name'"],
    [['token', 'ad', 'x'], "unknown command 'ad'"],
  ])('%j is wrong usage', async (args, words) => {
    const run = await runProgram(args, { WHOKILLED_POSTGRES_URL: 'postgres://x@127.0.0.1:1/x' })
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain(words)
  })

  test('without Postgres it exits with 3, without the tables with 2, and shows no password', async () => {
    const away = await runProgram(['token', 'list'], { WHOKILLED_POSTGRES_URL: 'postgres://u:hunter2@127.0.0.1:1/x' })
    expect(away.code).toBe(3)
    expect(away.stderr).toContain('[postgres-unreachable]')
    expect(away.stderr).not.toContain('hunter2')
    const empty = await runProgram(['token', 'add', 'x'], { WHOKILLED_POSTGRES_URL: await postgres.createDatabase() })
    expect(empty).toMatchObject({ code: 2, stdout: '' })
    expect(empty.stderr).toContain('[schema-old]')
  })
})

describe('where it may listen', () => {
  const url = 'postgres://x@127.0.0.1:1/x'
  test.each([
    [{ httpHost: '0.0.0.0' }, 'access-loopback'],
    [{ httpHost: '::' }, 'access-loopback'],
    [{ httpHost: '10.0.0.1' }, 'access-loopback'],
    [{ httpHost: '127.0.0.1.example.org' }, 'access-loopback'],
    [{ httpHost: '0.0.0.0', httpAccess: 'tokens' }, 'access-plain-text'],
    [{ httpHost: '::', httpAccess: 'anyone' }, 'access-plain-text'],
    [{ httpCertificateFile: '/x' }, 'config-invalid'],
    [{ httpKeyFile: '/x' }, 'config-invalid'],
    [{ httpCertificateFile: '/does/not/exist', httpKeyFile: '/does/not/exist' }, 'certificate-unusable'],
    [{ httpCertificateFile: '/etc/passwd', httpKeyFile: '/does/not/exist' }, 'key-unreadable'],
    [{ httpCertificateFile: '/etc/passwd', httpKeyFile: '/etc/passwd' }, 'key-exposed'],
  ] as [Partial<Config>, string][])('%j is refused: %s', async (settings, code) => {
    const config = { ...testConfig('nats://127.0.0.1:1', url), ...settings }
    await expect(startCollector(config, createLog('silent'), { migrate: false })).rejects.toMatchObject({ code })
  })

  test.each([
    { httpHost: '127.0.0.1' },
    { httpHost: '127.1.2.3' },
    { httpHost: 'localhost' },
    { httpHost: '::1' },
    { httpHost: '0.0.0.0', httpAccess: 'anyone', httpPlaintext: true },
    { httpHost: '0.0.0.0', httpAccess: 'tokens', httpPlaintext: true },
  ] as Partial<Config>[])('%j is allowed', async (settings) => {
    const config = { ...testConfig('nats://127.0.0.1:1', url), ...settings }
    const collector = await startCollector(config, createLog('silent'), { migrate: false })
    const answer = await fetch(`${collector.url.replace('0.0.0.0', '127.0.0.1')}/healthz`)
    expect(answer.status).toBe(200)
    await collector.stop()
  })

  test('the program says so, and exits with 2', async () => {
    const run = await runProgram(['run'], { WHOKILLED_POSTGRES_URL: url, WHOKILLED_HTTP_HOST: '0.0.0.0' })
    expect(run.code).toBe(2)
    expect(run.stderr).toMatch(/\[access-loopback\]\n {2}Set httpAccess to tokens \(whokilled-collector token add NAME/)
  })
})

describe('on loopback', () => {
  test('whoever is on this machine may read, and nobody may more without a token for it', async () => {
    await using running = await startRunning(postgres)
    await ready(running.collector.url)
    expect(await ask(running.collector.url, '/v1/hosts')).toMatchObject({ status: 200 })
    expect(await ask(running.collector.url, '/v1/dead-letters')).toMatchObject({ status: 401, code: 'token-missing' })
    expect(await ask(running.collector.url, '/v1/dead-letters', {}, 'HEAD')).toMatchObject({ status: 401 })
    expect(await ask(running.collector.url, '/v1/dead-letters/drop', {}, 'POST')).toMatchObject({ status: 401 })
    const read = await tokenFor(running.databaseUrl, 'reader', 'read')
    const admin = await tokenFor(running.databaseUrl, 'boss', 'admin')
    expect(await ask(running.collector.url, '/v1/dead-letters', bearer(read))).toMatchObject({
      status: 403,
      code: 'scope-missing',
      challenge: 'Bearer realm="whokilled", error="insufficient_scope", scope="admin"',
    })
    expect(await ask(running.collector.url, '/v1/dead-letters', bearer(admin))).toMatchObject({ status: 200 })
    // A token that is shown is looked at here, too.
    expect(await ask(running.collector.url, '/v1/hosts', bearer(`wk_${'a'.repeat(43)}`))).toMatchObject({ status: 401 })
    // What a proxy was asked with is not ours.
    expect(await ask(running.collector.url, '/v1/hosts', { authorization: 'Basic eDp5' })).toMatchObject({
      status: 200,
    })
  })

  test('a page whose name was made to resolve to this machine is refused, as are proxies and other origins', async () => {
    await using running = await startRunning(postgres, { httpNames: ['kills.example'] })
    const port = new URL(running.collector.url).port
    const status = async (headers: string) =>
      (await raw(port, `GET /v1/hosts HTTP/1.1\r\n${headers}\r\n\r\n`)).slice(9, 12)
    await ready(running.collector.url)
    for (const host of [
      '127.0.0.1',
      'localhost',
      `LOCALHOST:${port}`,
      'localhost.',
      '127.9.9.9:1',
      '[::1]:80',
      'Kills.Example',
    ]) {
      expect(await status(`Host: ${host}`), host).toBe('200')
    }
    for (const host of [
      'attacker.example',
      'localhost.attacker.example',
      '127.0.0.1.nip.io',
      '10.0.0.1',
      'localhost:1:2',
      'kills.example.org',
      '[::2]',
      ' ',
    ]) {
      expect(await status(`Host: ${host}`), host).toBe('421')
    }
    expect((await raw(port, 'GET /v1/hosts HTTP/1.0\r\n\r\n')).slice(9, 12)).toBe('421')
    expect(await status('Host: localhost\r\nX-Forwarded-For: 10.0.0.9')).toBe('403')
    expect(await status('Host: localhost\r\nForwarded: for=10.0.0.9')).toBe('403')
    expect(await status('Host: localhost\r\nOrigin: https://attacker.example')).toBe('403')
    expect(await status('Host: localhost\r\nOrigin: null')).toBe('403')
    expect(await status(`Host: localhost:${port}\r\nOrigin: http://localhost:${port}`)).toBe('200')
    const answer = await raw(port, 'GET /v1/hosts HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(answer.toLowerCase()).not.toContain('access-control-allow')
    expect(answer.toLowerCase()).toContain('cross-origin-resource-policy: same-origin')
    // Whether it lives may be asked in any way.
    expect(await raw(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 200/)
  })
})

describe('with tokens', () => {
  test('every route but /healthz wants one, and says so', async () => {
    await using running = await startRunning(postgres, { httpAccess: 'tokens' })
    const { url } = running.collector
    const token = await eventually(() => tokenFor(running.databaseUrl, 'reader', 'read'))
    for (const path of [
      '/v1/hosts',
      '/v1/deaths',
      '/v1/who-killed?service=x',
      '/v1/coverage',
      '/metrics',
      '/readyz',
      '/docs',
      '/docs/json',
      '/docs/static/index.css',
      '/',
      '/none',
      '/v1/deaths/%00',
      '/v1/deaths?bogus=1',
      '//healthz',
      '/healthz/',
    ]) {
      expect(await ask(url, path), path).toMatchObject({
        status: 401,
        type: 'application/problem+json',
        code: 'token-missing',
        challenge: 'Bearer realm="whokilled"',
      })
      for (const method of ['POST', 'OPTIONS', 'PUT']) expect((await ask(url, path, {}, method)).status, path).toBe(401)
    }
    expect(await ask(url, '/healthz')).toMatchObject({ status: 200 })
    await eventually(
      () => ask(url, '/readyz', bearer(token)),
      ({ status }) => status === 200,
    )
    for (const path of ['/v1/hosts', '/metrics', '/docs/json']) {
      expect((await ask(url, path, bearer(token))).status, path).toBe(200)
    }
    expect((await ask(url, '/none', bearer(token))).status).toBe(404)
  })

  test('a wrong one is refused with words that do not repeat it; in an address none is taken', async () => {
    await using running = await startRunning(postgres, { httpAccess: 'tokens' })
    const { url } = running.collector
    const token = await eventually(() => tokenFor(running.databaseUrl, 'reader', 'read'))
    const wrong = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    for (const authorization of [`Bearer ${wrong}`, `Bearer ${token}x`, `bearer  ${token.slice(3)}`, 'Bearer x']) {
      expect(await ask(url, '/v1/hosts', { authorization })).toMatchObject({
        status: 401,
        code: 'token-unknown',
        challenge: 'Bearer realm="whokilled", error="invalid_token"',
      })
    }
    for (const authorization of [token, `Basic ${token}`, 'Bearer', '']) {
      expect(await ask(url, '/v1/hosts', { authorization })).toMatchObject({ status: 401, code: 'token-missing' })
    }
    expect((await ask(url, '/v1/hosts', { authorization: `bearer  ${token} ` })).status).toBe(200)
    for (const path of [
      `/v1/hosts?token=${token}`,
      `/v1/hosts?access_token=${token}`,
      `/v1/deaths?${token}`,
      `/${token}`,
    ]) {
      const answer = await ask(url, path, bearer(token))
      expect(answer).toMatchObject({ status: 400, code: 'token-in-address' })
      expect(answer.text).not.toContain(token)
    }
    expect(running.log.join('')).not.toContain(token.slice(3))
  })

  test('revoking and expiry count from the next request on, and its use is noted once a minute', async () => {
    await using running = await startRunning(postgres, { httpAccess: 'tokens' })
    const { url } = running.collector
    const token = await eventually(() => tokenFor(running.databaseUrl, 'reader', 'read'))
    const short = await tokenFor(running.databaseUrl, 'short', 'read', 3_600)
    await using pool = poolOf(running.databaseUrl)
    const used = async () =>
      (await pool.query(`select last_used_at from tokens where name = 'reader'`)).rows[0].last_used_at
    expect((await ask(url, '/v1/hosts', bearer(token))).status).toBe(200)
    const first = await eventually(used, (at) => at !== null)
    for (let count = 0; count < 5; count++) await ask(url, '/v1/hosts', bearer(token))
    expect(await used()).toEqual(first)
    await pool.query(`update tokens set last_used_at = now() - interval '61 seconds' where name = 'reader'`)
    await ask(url, '/v1/hosts', bearer(token))
    await eventually(used, (at) => at > first)

    await revokeToken(pool, 'reader')
    expect(await ask(url, '/v1/hosts', bearer(token))).toMatchObject({ status: 401, code: 'token-revoked' })
    expect((await ask(url, '/v1/hosts', bearer(short))).status).toBe(200)
    await pool.query(`update tokens set expires_at = now() where name = 'short'`)
    expect(await ask(url, '/v1/hosts', bearer(short))).toMatchObject({ status: 401, code: 'token-expired' })
  })

  test('while Postgres is away, a token that was good gets /metrics and /readyz, and any other nothing', async () => {
    await using own = await startPostgres()
    await using running = await startRunning(own, { httpAccess: 'tokens' })
    const { url } = running.collector
    const token = await eventually(() => tokenFor(running.databaseUrl, 'reader', 'read'))
    const other = await tokenFor(running.databaseUrl, 'other', 'read')
    expect((await ask(url, '/v1/hosts', bearer(token))).status).toBe(200)
    await own.kill()
    expect(await ask(url, '/v1/hosts', bearer(token))).toMatchObject({ status: 503, code: 'database-unavailable' })
    expect((await ask(url, '/metrics', bearer(token))).status).toBe(200)
    const readyz = await ask(url, '/readyz', bearer(token))
    expect(readyz.status).toBe(503)
    expect(readyz.text).toContain('"postgres"')
    expect(await ask(url, '/metrics', bearer(other))).toMatchObject({ status: 503, code: 'database-unavailable' })
    expect(await ask(url, '/metrics')).toMatchObject({ status: 401 })
    await own.start()
    await eventually(
      () => ask(url, '/v1/hosts', bearer(other)),
      ({ status }) => status === 200,
    )
  })
})

describe('limits', () => {
  test('a token that asks too often waits, others and other addresses do not', async () => {
    await using running = await startRunning(postgres, { httpAccess: 'tokens', httpRequestsPerMinuteMax: 5 })
    const { url } = running.collector
    const [first, second] = await eventually(() => twoTokens(running.databaseUrl))
    const statuses = []
    for (let count = 0; count < 7; count++) statuses.push((await ask(url, '/v1/hosts', bearer(first))).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
    const refused = await ask(url, '/v1/hosts', bearer(first))
    expect(refused).toMatchObject({ status: 429, code: 'too-many-requests', type: 'application/problem+json' })
    expect(Number(refused.retryAfter)).toBeGreaterThan(0)
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(60)
    expect((await ask(url, '/v1/hosts', bearer(second))).status).toBe(200)
    expect((await ask(url, '/healthz')).status).toBe(200)
  })

  test('guesses are limited more, before Postgres is asked, and do not shut out a token that was good', async () => {
    await using running = await startRunning(postgres, { httpAccess: 'tokens', httpRequestsPerMinuteMax: 1_000 })
    const { url } = running.collector
    const [good, late] = await eventually(() => twoTokens(running.databaseUrl))
    expect((await ask(url, '/v1/hosts', bearer(good))).status).toBe(200)
    const statuses = new Map<number, number>()
    for (let count = 0; count < 60; count++) {
      const guess = `wk_${createHash('sha256').update(String(count)).digest('base64url')}`
      const { status } = await ask(url, '/v1/hosts', bearer(guess))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    // One of the twenty was the good one's first request.
    expect(Object.fromEntries(statuses)).toEqual({ 401: 19, 429: 41 })
    expect((await ask(url, '/v1/hosts', bearer(good))).status).toBe(200)
    expect((await ask(url, '/v1/hosts', bearer(late))).status).toBe(429)
    const metrics = await ask(url, '/metrics', bearer(good))
    expect(metrics.text).toContain('whokilled_http_refused_total{reason="token-unknown"} 19')
    expect(metrics.text).toContain('whokilled_http_refused_total{reason="too-many-requests"} 42')
  })

  test('a slow client is told to go, whether it sends nothing, half a line, or a header a second', async () => {
    await using running = await startRunning(postgres)
    const port = new URL(running.collector.url).port
    const slow = Promise.all([
      raw(port, ''),
      raw(port, 'GET /v1/ho'),
      raw(port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n', (socket) => {
        const timer = setInterval(() => socket.write('X-A: b\r\n'), 300)
        socket.once('close', () => clearInterval(timer))
      }),
      raw(
        port,
        'POST /healthz HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\nContent-Length: 100\r\n\r\n{',
        (socket) => {
          const timer = setInterval(() => socket.write(' '), 500)
          socket.once('close', () => clearInterval(timer))
        },
      ),
    ])
    // Others are answered meanwhile.
    expect((await ask(running.collector.url, '/healthz')).status).toBe(200)
    const [silent, half, headers, body] = await slow
    for (const answer of [silent, half, headers]) expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request-too-slow"/)
    expect(body).toMatch(/^HTTP\/1\.1 4/)
  })

  test('headers and bodies that are too large, and what is not HTTP, are refused with a problem', async () => {
    await using running = await startRunning(postgres)
    const port = new URL(running.collector.url).port
    expect(await raw(port, `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(9_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*"headers-too-large"/,
    )
    expect(await raw(port, 'SSH-2.0-OpenSSH_9.2\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"not-http"/)
    const admin = await eventually(() => tokenFor(running.databaseUrl, 'boss', 'admin'))
    const large = await fetch(`${running.collector.url}/v1/dead-letters/drop`, {
      method: 'POST',
      headers: { ...bearer(admin), 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'x'.repeat(20_000) }),
    })
    expect(large.status).toBe(413)
    expect(large.headers.get('content-type')).toContain('application/problem+json')
  })

  test('more connections than httpConnectionsMax are refused and counted', async () => {
    await using running = await startRunning(postgres, { httpConnectionsMax: 3 })
    const port = Number(new URL(running.collector.url).port)
    const held = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'))
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    expect(await raw(String(port), 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(() => '')).toBe('')
    for (const socket of held) socket.destroy()
    const metrics = await eventually(() => running.get('/metrics'))
    expect(metrics.body).toMatch(/^whokilled_http_connections_refused_total [1-9]/m)
  })
})

describe('HTTPS', () => {
  test('it answers with its certificate, and with a new one after SIGHUP; a bad one leaves the old in place', async () => {
    const authority = await makeAuthority(folder, 'authority')
    const first = await authority.issue('first')
    const second = await authority.issue('second')
    const ca = await readFile(authority.caFile)
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    await copyFile(first.certFile, cert)
    await copyFile(first.keyFile, key)
    const child = startProgram(
      [
        '--config',
        await settingsFile({
          httpHost: '0.0.0.0',
          httpPort: 0,
          httpAccess: 'tokens',
          httpCertificateFile: cert,
          httpKeyFile: key,
        }),
        'run',
      ],
      {
        WHOKILLED_POSTGRES_URL: 'postgres://x@127.0.0.1:1/x',
        WHOKILLED_NATS_URL: 'nats://127.0.0.1:1',
      },
    )
    try {
      const output = outputOf(child)
      const url = await eventually(
        () => /"url":"(https:[^"]+)"/.exec(output.stderr)?.[1] ?? '',
        (found) => found !== '',
      )
      const healthz = url.replace('0.0.0.0', '127.0.0.1')
      expect(await overTls(`${healthz}/healthz`, ca)).toMatchObject({
        status: 200,
        name: 'first',
      })
      expect(await overTls(`${healthz}/readyz`, ca)).toMatchObject({ status: 401 })
      await copyFile(second.certFile, cert)
      child.kill('SIGHUP')
      await eventually(() => output.stderr.includes('the old one stays'), Boolean)
      expect(await overTls(`${healthz}/healthz`, ca)).toMatchObject({ name: 'first' })
      await copyFile(second.keyFile, key)
      child.kill('SIGHUP')
      await eventually(() => output.stderr.includes('the certificate was read again'), Boolean)
      expect(await overTls(`${healthz}/healthz`, ca)).toMatchObject({ name: 'second' })
      expect(
        await raw(new URL(url).port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(() => ''),
      ).not.toContain('alive')
    } finally {
      child.kill('SIGKILL')
    }
  })
})

test('an event that was published is read with a token', async () => {
  await using running = await startRunning(postgres, { httpAccess: 'tokens' })
  const token = await eventually(() => tokenFor(running.databaseUrl, 'reader', 'read'))
  await running.publishEvents([deathEvent({ service: { name: 'told', kind: 'process' } })])
  await eventually(
    () => ask(running.collector.url, '/v1/deaths?service=told', bearer(token)),
    ({ text }) => text.includes('told'),
  )
})

/** A migrated database with the program's commands for it. */
async function aDatabase() {
  const url = await postgres.createDatabase()
  await migrate({ postgresUrl: url })
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', () => {})
  return {
    pool,
    program: (...args: string[]) => runProgram(args, { WHOKILLED_POSTGRES_URL: url }),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function poolOf(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', () => {})
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}

/** Rejects while the tables are being made. */
async function tokenFor(databaseUrl: string, name: string, scope: Scope, expiresSeconds: number | null = null) {
  await using pool = poolOf(databaseUrl)
  return await addToken(pool, { name, scope, expiresSeconds })
}

async function twoTokens(databaseUrl: string): Promise<[string, string]> {
  return [await tokenFor(databaseUrl, 'first', 'read'), await tokenFor(databaseUrl, 'second', 'read')]
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

async function ready(url: string): Promise<void> {
  await eventually(
    () => ask(url, '/readyz'),
    ({ status }) => status === 200,
  )
}

async function ask(url: string, path: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(`${url}${path}`, { headers, method })
  const text = await response.text()
  const type = response.headers.get('content-type')?.split(';')[0] ?? ''
  const code = type.includes('problem') && text !== '' ? (JSON.parse(text) as { code: string }).code : undefined
  return {
    status: response.status,
    type,
    text,
    code,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
  }
}

/** Sends bytes as they are; all that comes back until the server ends the connection, or answers and asks for more. */
function raw(
  port: string,
  bytes: string,
  then: (socket: ReturnType<typeof connect>) => void = () => {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), '127.0.0.1')
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
      // The head is there: enough, unless the server ends it itself.
      if (/^HTTP[\s\S]*\r\n\r\n[\s\S]+/.test(answer)) socket.end()
    })
    socket.once('error', (error) => (answer === '' ? reject(error) : resolve(answer)))
    socket.once('close', () => resolve(answer))
    socket.write(bytes)
    then(socket)
  })
}

async function settingsFile(settings: object): Promise<string> {
  const file = join(folder, 'settings.json')
  await writeFile(file, JSON.stringify(settings))
  return file
}

function overTls(url: string, ca: Buffer): Promise<{ status: number | undefined; name: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(url, { ca, agent: false }, (response) => {
      const { subject } = (response.socket as TLSSocket).getPeerCertificate()
      response.resume().once('end', () => resolve({ status: response.statusCode, name: String(subject.CN) }))
    })
    asked.once('error', reject)
    asked.end()
  })
}
