import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Authority, makeAuthority } from '../../../test/servers/certificates.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { addToken } from '../../collector/src/access/add-token.ts'
import { revokeToken } from '../../collector/src/access/revoke-token.ts'
import { eventually, type Running, startRunning } from '../../collector/test/running.ts'
import { jsonRecording, startRecordedCollector } from './recorded-collector.ts'
import { runCli } from './run-cli.ts'

let folder: string
let postgres: PostgresServer
let running: Running
let database: pg.Pool
let token: string
let authority: Authority

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-cli-'))
  authority = await makeAuthority(folder, 'authority')
  const { certFile, keyFile } = await authority.issue('collector')
  postgres = await startPostgres()
  running = await startRunning(postgres, { httpAccess: 'tokens', httpCertificateFile: certFile, httpKeyFile: keyFile })
  database = new pg.Pool({ connectionString: running.databaseUrl, max: 1 })
  database.on('error', () => {})
  token = await eventually(() => addToken(database, { name: 'reader', scope: 'read', expiresSeconds: null }))
})
afterAll(async () => {
  await database.end()
  await running[Symbol.asyncDispose]()
  await postgres[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const trusting = () => ({ WHOKILLED_URL: running.collector.url, NODE_EXTRA_CA_CERTS: authority.caFile })

test('a token is taken from a variable, from a file that a variable names, or from the settings file', async () => {
  const nobody = { status: 1, stderr: '', stdout: 'no host has reported yet: is an agent running?\n' }
  expect(await runCli(['hosts'], { ...trusting(), WHOKILLED_TOKEN: token })).toMatchObject(nobody)
  const file = join(folder, 'token')
  await writeFile(file, `${token}\n`)
  expect(await runCli(['hosts'], { ...trusting(), WHOKILLED_TOKEN_FILE: file })).toMatchObject(nobody)
  const settings = join(folder, 'whokilled', 'settings.json')
  await mkdir(join(folder, 'whokilled'))
  const environment = { XDG_CONFIG_HOME: folder, NODE_EXTRA_CA_CERTS: authority.caFile }
  await writeFile(settings, JSON.stringify({ url: running.collector.url, tokenFile: file }))
  expect(await runCli(['hosts'], environment)).toMatchObject(nobody)
  await writeFile(settings, JSON.stringify({ url: running.collector.url, token }))
  await chmod(settings, 0o600)
  expect(await runCli(['hosts'], environment)).toMatchObject(nobody)

  await chmod(settings, 0o644)
  const exposed = await runCli(['hosts'], environment)
  expect(exposed).toMatchObject({ status: 2, stdout: '' })
  expect(exposed.stderr).toContain('[settings-exposed]')
  await writeFile(settings, JSON.stringify({ url: running.collector.url, tokn: token }))
  const misspelt = await runCli(['hosts'], environment)
  expect(misspelt.stderr).toMatch(/unknown setting tokn, did you mean token\?.*\[bad-settings\]\n$/)
  expect(exposed.stderr + misspelt.stderr).not.toContain(token)
})

test('without one, with a wrong one and with one that was revoked it says what to do: status 2', async () => {
  const missing = await runCli(['hosts'], trusting())
  expect(missing).toMatchObject({ status: 2, stdout: '' })
  expect(missing.stderr).toMatch(
    /says: expected a token, got none\. WHOKILLED_TOKEN_FILE names a file .* \[token-missing\]\n$/,
  )
  const wrong = await runCli(['hosts'], { ...trusting(), WHOKILLED_TOKEN: `wk_${'a'.repeat(43)}` })
  expect(wrong).toMatchObject({ status: 2, stdout: '' })
  expect(wrong.stderr).toMatch(/\[token-unknown\]\n$/)
  const other = await addToken(database, { name: 'other', scope: 'read', expiresSeconds: null })
  expect((await runCli(['hosts'], { ...trusting(), WHOKILLED_TOKEN: other })).status).toBe(1)
  await revokeToken(database, 'other')
  const revoked = await runCli(['hosts'], { ...trusting(), WHOKILLED_TOKEN: other })
  expect(revoked.stderr).toMatch(/Ask for a new one\. .* \[token-revoked\]\n$/)
  expect(wrong.stderr + revoked.stderr).not.toMatch(/wk_\w/)
  expect(running.log.join('')).not.toMatch(/wk_\w/)
})

test('a certificate of nobody known is refused, with the way to trust it: status 3', async () => {
  const run = await runCli(['hosts'], { WHOKILLED_URL: running.collector.url, WHOKILLED_TOKEN: token })
  expect(run).toMatchObject({ status: 3, stdout: '' })
  expect(run.stderr).toMatch(/NODE_EXTRA_CA_CERTS names a file .* \[collector-certificate\]\n$/)
})

test('a collector that is asked too often is told with the time to wait: status 3', async () => {
  const problem = {
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    detail: 'expected at most 5 requests a minute, got more',
    code: 'too-many-requests',
    hint: 'Ask again in 30 s.',
  }
  await using collector = await startRecordedCollector(jsonRecording(problem, 429))
  const run = await runCli(['hosts', '--url', collector.url])
  expect(run).toMatchObject({ status: 3, stdout: '' })
  expect(run.stderr).toMatch(
    /expected at most 5 requests a minute, got more\. Ask again in 30 s\. \[too-many-requests\]\n$/,
  )
})

test('a token is not sent in plain text to another machine, nor on to where an answer points', async () => {
  const far = await runCli(['hosts', '--url', 'http://192.0.2.1:9137', '--timeout', '1'], { WHOKILLED_TOKEN: token })
  expect(far).toMatchObject({ status: 2, stdout: '' })
  expect(far.stderr).toMatch(/\[token-plaintext\]\n$/)
  expect(far.stderr).not.toContain(token)

  const seen: (string | undefined)[] = []
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization)
    jsonRecording({ hosts: [] })(request, response)
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1/hosts`
  await using collector = await startRecordedCollector((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(302, { location: target }).end()
  })
  await runCli(['hosts', '--url', collector.url], { WHOKILLED_TOKEN: token })
  elsewhere.close()
  expect(seen).toEqual([`Bearer ${token}`, undefined])
})

test('there is no option for a token', async () => {
  const run = await runCli(['hosts', '--token', token])
  expect(run.status).toBe(2)
  expect(run.stderr).toContain("unknown option '--token'")
})
