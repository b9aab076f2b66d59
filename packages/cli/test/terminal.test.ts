import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { deathEvent } from '../../../test/events.ts'
import { jsonRecording, type Recording, startRecordedCollector } from './recorded-collector.ts'
import { cliArgs } from './run-cli.ts'

const deaths = { deaths: [deathEvent({ at: '2026-11-20T19:40:42.123456Z' })], nextCursor: null }
const slow: Recording = (request, response) => {
  setTimeout(() => jsonRecording(deaths)(request, response), 900)
}

/** Runs `whokilled deaths` on a terminal of its own, made by script(1); what it writes to stdout and stderr is one. */
async function onTerminal(recording: Recording, columns: number, environment: NodeJS.ProcessEnv = {}) {
  await using collector = await startRecordedCollector(recording)
  const command = [process.execPath, ...cliArgs, 'deaths', '--url', collector.url].join(' ')
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = process.env
  const child = spawn(
    '/usr/bin/script',
    ['--quiet', '--return', '--command', `stty cols ${columns}; ${command}`, '/dev/null'],
    {
      env: { ...inherited, TERM: 'xterm-256color', TZ: 'UTC', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { status, printed: printed.replaceAll('\r\n', '\n') }
}

test('a table fits the width, in colour, and nothing is shown of a short wait', async () => {
  const { status, printed } = await onTerminal(jsonRecording(deaths), 72)
  expect(status).toBe(0)
  expect(printed).toContain('\x1b[2mwhen\x1b[22m')
  expect(printed).not.toContain('asking')
  const lines = printed.replace(/\x1b\[[\d;?]*[a-zA-Z]/g, '').split('\n')
  expect(lines.length).toBeGreaterThan(3)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(72)
})

test('on a terminal that does not tell its width the answer comes without a spinner', async () => {
  const { status, printed } = await onTerminal(slow, 0)
  expect(status).toBe(0)
  expect(printed).not.toContain('asking')
  expect(printed).toContain('nginx.service')
})

test('NO_COLOR takes the colours away', async () => {
  const { printed } = await onTerminal(slow, 72, { NO_COLOR: '1' })
  expect(printed).toContain('asking')
  expect(printed).not.toMatch(/\x1b\[\d*m/)
})

test('a longer wait is shown, and the line is cleared before the answer', async () => {
  const { printed } = await onTerminal(slow, 200)
  const beforeAnswer = printed.slice(0, printed.indexOf('when'))
  expect(beforeAnswer).toContain('asking 127.0.0.1:')
  expect(beforeAnswer).toMatch(/\x1b\[0K\x1b\[2m$/)
})
