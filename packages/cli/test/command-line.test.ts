import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { deathEvent } from '../../../test/events.ts'
import { freePort } from '../../../test/servers/free-port.ts'
import { jsonRecording, type Recording, startRecordedCollector } from './recorded-collector.ts'
import { cliArgs, runCli } from './run-cli.ts'

const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString()

function anAnswer(changes: object = {}) {
  const coverage = [{ host: 'web-3', completeUntil: secondsAgo(5), gaps: [] }]
  const none = { death: null, deathCount: 0, earlier: [], coverage }
  return { service: 'nginx', since: secondsAgo(86_400), until: secondsAgo(0), ...none, ...changes }
}

async function ask(recording: Recording, args: readonly string[]) {
  await using collector = await startRecordedCollector(recording)
  const run = await runCli(args, { WHOKILLED_URL: collector.url })
  return { ...run, asked: collector.asked, url: collector.url }
}

describe('a collector that does not answer', () => {
  test('nothing listens: status 3 and one line with the next step', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const run = await runCli(['nginx', '--url', url])
    expect(run).toEqual({
      status: 3,
      signal: null,
      stdout: '',
      stderr: `whokilled: expected a collector at ${url}: nothing listens there (ECONNREFUSED). Is whokilled-collector running? --url or WHOKILLED_URL names another one. [collector-unreachable]\n`,
    })
  })

  test('a name that does not exist', async () => {
    const run = await runCli(['nginx', '--url', 'http://collector.invalid:9137'])
    expect(run.status).toBe(3)
    expect(run.stderr).toMatch(
      /^whokilled: expected a collector at http:\/\/collector\.invalid:9137: .*\[collector-unreachable\]\n$/,
    )
  })

  test('it is slow: the timeout ends the wait', async () => {
    const run = await ask(() => {}, ['nginx', '--timeout', '0.3'])
    expect(run.status).toBe(3)
    expect(run.stderr).toBe(
      `whokilled: expected an answer of ${run.url} within 0.3 s, got none. Is it overloaded? A larger --timeout waits longer. [collector-timeout]\n`,
    )
  })

  test('it begins to answer and then stalls: the timeout counts for all of it', async () => {
    const stalling: Recording = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"service":')
    }
    const run = await ask(stalling, ['nginx', '--timeout', '0.5'])
    expect(run.status).toBe(3)
    expect(run.stderr).toMatch(/within 0\.5 s, got none.*\[collector-timeout\]\n$/)
  })

  test('it cuts the connection in the middle', async () => {
    const cutting: Recording = (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"service":', () => response.destroy())
    }
    const run = await ask(cutting, ['nginx'])
    expect(run.status).toBe(3)
    expect(run.stderr).toMatch(
      /^whokilled: expected a collector at .* the connection was cut.*\[collector-unreachable\]\n$/,
    )
  })
})

describe('something else than a collector', () => {
  test.each<[string, Recording, RegExp]>([
    ['a page', (_, response) => response.end('<html>welcome</html>'), /got an answer in which it is wrong/],
    ['an empty answer', (_, response) => response.end(), /got an answer in which it is wrong/],
    ['JSON of another kind', jsonRecording({ ok: true }), /got an answer in which service is wrong/],
    [
      'a death of the wrong shape',
      jsonRecording(anAnswer({ death: { ...deathEvent(), victim: 'nginx' } })),
      /got an answer in which death\.victim is wrong/,
    ],
    ['an error without a problem', jsonRecording('no', 502), /got HTTP status 502 without a problem in it/],
    ['another protocol', (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'), /got something else than HTTP/],
  ])('%s: status 3', async (_, recording, expected) => {
    const run = await ask(recording, ['nginx'])
    expect(run.status).toBe(3)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(expected)
    expect(run.stderr).toMatch(/^whokilled: [^\n]* \[collector-answer\]\n$/)
  })

  test('an escape sequence in an error does not reach the terminal', async () => {
    const run = await ask(
      jsonRecording({ type: 'x', title: 'x', status: 500, detail: 'down\x1b[2J\u202e', code: 'x', hint: '\x07' }, 500),
      ['nginx'],
    )
    expect(run.stderr).toContain('says: down\\x1b[2J\\u202e. \\x07 [x]')
  })
})

describe('a problem that the collector tells', () => {
  const problem = (status: number, code: string) => ({
    type: `https://whokilled.invalid/problems/${code}`,
    title: 'Wrong parameter',
    status,
    detail: 'host: expected a host name, received ""',
    code,
    hint: 'See /docs.',
    errors: [{ parameter: 'host', expected: 'a host name', received: '' }],
  })

  test('400 is wrong usage: status 2, and what was wrong', async () => {
    const run = await ask(jsonRecording(problem(400, 'invalid-parameter'), 400), ['nginx'])
    expect(run.status).toBe(2)
    expect(run.stderr).toBe(
      `whokilled: the collector at ${run.url} says: host: expected a host name, received "". See /docs. [invalid-parameter]\n`,
    )
  })

  test('500 and 503 are not reached: status 3', async () => {
    for (const status of [500, 503]) {
      const run = await ask(jsonRecording(problem(status, 'database-away'), status), ['nginx'])
      expect(run.status).toBe(3)
      expect(run.stderr).toMatch(/expected a host name.* \[database-away\]\n$/)
    }
  })

  test('a death that does not exist is nothing found: status 1', async () => {
    const run = await ask(jsonRecording(problem(404, 'not-found'), 404), ['show', 'abc/../x'])
    expect(run).toMatchObject({ status: 1, stdout: 'no death has the id abc/../x\n', stderr: '' })
    expect(run.asked).toEqual(['/v1/deaths/abc%2F..%2Fx'])
  })
})

describe('wrong usage has status 2 and asks nobody', () => {
  test.each<[string, string[], RegExp]>([
    ['no service', [], /missing required argument 'service'/],
    ['an empty service', [''], /Expected 1 to 255 characters/],
    ['two services', ['nginx', 'mysql'], /too many arguments/],
    ['a misspelt option', ['nginx', '--sinse', '24h'], /unknown option '--sinse'\n\(Did you mean --since\?\)/],
    [
      'a time that means nothing',
      ['nginx', '--since', 'yesterday'],
      /Expected a duration \(24h, 90m, 7d\) or an ISO 8601/,
    ],
    ['a limit of none', ['deaths', '--limit', '0'], /whole number from 1 to 1000/],
    ['a wrong address', ['nginx', '--url', 'kills'], /--url: expected an http or https address/],
    ['a timeout of zero', ['nginx', '--timeout', '0'], /--timeout: expected seconds/],
    ['show without id', ['show'], /missing required argument 'id'/],
  ])('%s', async (_, args, expected) => {
    const run = await ask(jsonRecording(anAnswer()), args)
    expect(run.status).toBe(2)
    expect(run.stderr).toMatch(/^whokilled: /)
    expect(run.stderr).toMatch(expected)
    expect(run.stdout).toBe('')
    expect(run.asked).toEqual([])
  })
})

describe('the command line', () => {
  test('asks for what was given', async () => {
    const run = await ask(jsonRecording(anAnswer()), ['a b&c', '--host', 'web-*', '--since', '24h', '--until', '1h'])
    expect(run.asked).toEqual(['/v1/who-killed?service=a+b%26c&host=web-*&since=24h&until=1h'])
  })

  test('a service named like a command stands behind two dashes', async () => {
    for (const args of [
      ['--', 'deaths'],
      ['--host', 'hosts', '--', 'deaths'],
    ]) {
      const run = await ask(jsonRecording(anAnswer()), args)
      expect(run.asked[0]).toMatch(/^\/v1\/who-killed\?service=deaths/)
    }
    const run = await ask(jsonRecording({ deaths: [], nextCursor: null }), ['deaths', '--'])
    expect(run).toMatchObject({ status: 1, asked: ['/v1/deaths'] })
  })

  test('an option before a command counts for it too', async () => {
    const run = await ask(jsonRecording({ hosts: [] }), ['--json', 'hosts'])
    expect(run).toMatchObject({ status: 1, stdout: '{"hosts":[]}\n', asked: ['/v1/hosts'] })
  })

  test('an address may have a path', async () => {
    await using collector = await startRecordedCollector(jsonRecording({ hosts: [] }))
    await runCli(['hosts', '--url', `${collector.url}/behind/a/proxy/`])
    expect(collector.asked).toEqual(['/behind/a/proxy/v1/hosts'])
  })

  test('--help has examples, --version a number, and both have status 0', async () => {
    const help = await runCli(['--help'])
    expect(help).toMatchObject({ status: 0, stderr: '' })
    expect(help.stdout).toContain('whokilled nginx.service --host web-3 --since 24h')
    expect(await runCli(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})

describe('the answer', () => {
  const death = deathEvent({ at: '2026-11-20T19:40:42.123456Z' })

  test('--json prints all of it in one line, with fields this program does not know', async () => {
    const answer = anAnswer({ death: { ...death, derived: { revision: 2 } }, deathCount: 1, later: true })
    const run = await ask(jsonRecording(answer), ['nginx', '--json'])
    expect(run.status).toBe(0)
    expect(run.stdout.split('\n')).toHaveLength(2)
    expect(JSON.parse(run.stdout)).toEqual(answer)
  })

  test('--json without a death has status 1', async () => {
    const run = await ask(jsonRecording(anAnswer()), ['nginx', '--json'])
    expect(run.status).toBe(1)
    expect(JSON.parse(run.stdout)).toMatchObject({ death: null })
  })

  test('text has no colours and no spinner without a terminal', async () => {
    const slow: Recording = (request, response) => {
      setTimeout(() => jsonRecording(anAnswer({ death, deathCount: 1 }))(request, response), 600)
    }
    const run = await ask(slow, ['nginx'])
    expect(run).toMatchObject({ status: 0, stderr: '' })
    expect(run.stdout).toMatch(/^nginx\.service on web-3 was killed on 2026-11-20 at 19:40:42 \(/)
    expect(run.stdout).not.toContain('\x1b')
  })

  test('a reader that goes away early is no error', async () => {
    const deaths = Array.from({ length: 900 }, () => death)
    await using collector = await startRecordedCollector(jsonRecording({ deaths, nextCursor: null }))
    const child = spawn(process.execPath, [...cliArgs, 'deaths', '--json'], {
      env: { ...process.env, WHOKILLED_URL: collector.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    await once(child.stdout, 'readable')
    child.stdout.destroy()
    const [status, signal] = await once(child, 'exit')
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  })

  test('Ctrl-C ends it by the signal, silently', async () => {
    let arrived = () => {}
    const asked = new Promise<void>((resolve) => {
      arrived = resolve
    })
    await using collector = await startRecordedCollector(() => arrived())
    const child = spawn(process.execPath, [...cliArgs, 'nginx', '--url', collector.url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text
      })
    }
    await asked
    child.kill('SIGINT')
    const [status, signal] = await once(child, 'close')
    expect({ status, signal, printed }).toEqual({ status: null, signal: 'SIGINT', printed: '' })
  })
})
