import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import type { Event } from '@whokilled/shared/event'
import { describe, expect, it } from 'vitest'
import { coverageEvent, deathEvent, happenedAt, signalEvent } from '../../../test/events.ts'
import { WatchSink } from './watch.ts'

const started = coverageEvent({ from: happenedAt })

async function printed(events: readonly Event[], options: { json?: boolean; colour?: boolean } = {}): Promise<string> {
  const out = new PassThrough()
  const sink = new WatchSink({ json: false, colour: false, timeZone: 'UTC', ...options, out })
  for (const event of events) await sink.accept(event)
  return String(out.read() ?? '')
}

describe('what watch prints', () => {
  it('begins with the host, once kills are seen', async () => {
    expect(await printed([started])).toBe('Watching web-3. Ctrl-C ends it.\n')
  })

  it('is one sentence per death, with its story below', async () => {
    const text = await printed([deathEvent()])
    const [headline = '', ...lines] = text.split('\n')
    expect(headline).toContain('nginx.service on web-3 was killed at 19:40:42')
    expect(lines.find((line) => line.startsWith('  by'))).toContain('sh xdkill.sh')
    expect(lines.find((line) => line.startsWith('  from'))).toContain('bash ← sshd: deploy@pts/0')
    expect(lines.at(-1)).toBe('')
  })

  it('leaves out that the watching goes on, and signals that ended nobody', async () => {
    expect(await printed([coverageEvent(), signalEvent()])).toBe('')
  })

  it('tells of gaps and of the end, with the reason', async () => {
    const gap = coverageEvent({ state: 'gap', reason: 'the tracer\x1b[2J crashed', lostRecords: 3 })
    const stopped = coverageEvent({ state: 'stopped', reason: null })
    expect(await printed([gap, stopped])).toBe(
      'Not watched completely from 2026-11-22T19:00:00.000000Z to 2026-11-22T19:40:42.123456Z: the tracer\\x1b[2J crashed (3 lost)\n' +
        'The watching ended: no reason known\n',
    )
  })

  it('is coloured only if asked for', async () => {
    const events = [started, deathEvent(), coverageEvent({ state: 'gap' })]
    expect(await printed(events)).not.toContain('\x1b')
    expect(await printed(events, { colour: true })).toContain('\x1b[1m')
  })

  it('as JSON is every event as it is, one a line', async () => {
    const events = [started, deathEvent(), signalEvent(), coverageEvent()]
    const lines = (await printed(events, { json: true })).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(events)
  })
})

describe('a reader', () => {
  it('that is slow is waited for', async () => {
    const out = new PassThrough({ highWaterMark: 1 })
    const sink = new WatchSink({ json: true, colour: false, out })
    let isDone = false
    const accepted = sink.accept(started).then(() => {
      isDone = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDone).toBe(false)
    out.resume()
    await accepted
  })

  it('that goes away is not waited for', async () => {
    const out = new Writable({ highWaterMark: 1, write: () => undefined })
    const sink = new WatchSink({ json: true, colour: false, out })
    const accepted = sink.accept(started)
    out.destroy()
    await once(out, 'close')
    await accepted
    await sink.accept(started)
    expect(out.listenerCount('drain')).toBe(0)
  })
})
