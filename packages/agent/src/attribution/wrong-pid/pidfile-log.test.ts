import { describe, expect, it } from 'vitest'
import { type ProcessEntry, processEntry } from '../../process/entry.ts'
import { PidfileLog } from './pidfile-log.ts'
import { WallTimes } from './wall-times.ts'

let seq = 0
const process = (pid: number, parent?: ProcessEntry): ProcessEntry =>
  processEntry({ id: String(pid), pid, start: 1n, parent, sid: parent?.sid ?? pid })
const open = (path: string, facts: { text?: string; mtime?: bigint; write?: number } = {}) => {
  seq += 1
  return { type: 'open', seq, time: BigInt(seq), pid: 1, path, write: 0, ...facts } as const
}

describe('readers of pidfiles', () => {
  it('are known by the number that stands first in the file', () => {
    const log = new PidfileLog(new WallTimes())
    const texts = { '4242\n': true, ' 4242': true, '4242\n/var/lib/db\n17': true, '4242 web': true }
    const others = {
      '': false,
      'pid=4242': false,
      '42424242424242': false,
      '4242.5': false,
      '-4242': false,
      '0': false,
    }
    for (const [text, isNamed] of Object.entries({ ...texts, ...others })) {
      const before = log.naming(4242).length
      log.follow(open(`/run/${text}.pid`, { text }), process(7))
      expect(log.naming(4242).length > before, JSON.stringify(text)).toBe(isNamed)
    }
  })

  it('count once however often they, or commands of one script, read the same file', () => {
    const log = new PidfileLog(new WallTimes())
    const script = process(7)
    for (let at = 0; at < 50; at += 1) log.follow(open('/run/a.pid', { text: '4242' }), process(100 + at, script))
    log.follow(open('/run/a.pid', { text: '4242' }), process(8, process(1)))
    log.follow(open('/run/a.pid', { text: '4242' }), process(9, process(1)))
    expect(log.naming(4242).map(({ by }) => by.pid)).toEqual([149, 8, 9])
  })

  it('are limited, for each number and over all', () => {
    const log = new PidfileLog(new WallTimes())
    for (let at = 0; at < 50; at += 1) log.follow(open(`/run/${at}.pid`, { text: '4242' }), process(at))
    expect(log.naming(4242)).toHaveLength(12)
    for (let at = 0; at < 600; at += 1) log.follow(open('/run/b.pid', { text: `${10_000 + at}` }), process(7))
    expect(log.naming(4242)).toEqual([])
    expect(log.naming(10_599)).toHaveLength(1)
  })

  it('know what another found in the same file, as long as nobody has written it since', () => {
    const log = new PidfileLog(new WallTimes())
    log.follow(open('/run/a.pid', { mtime: 5n }), process(7))
    expect(log.naming(4242)).toEqual([])
    log.follow(open('/run/a.pid', { mtime: 5n, text: '4242' }), process(8))
    log.follow(open('/run/a.pid', { mtime: 5n }), process(7))
    log.follow(open('/run/a.pid', { mtime: 6n }), process(9))
    expect(log.naming(4242).map(({ by }) => by.pid)).toEqual([8, 7])
  })

  it('are told who wrote the file, if that was seen before', () => {
    const log = new PidfileLog(new WallTimes())
    log.follow(open('/run/a.pid', { text: '4242' }), process(7))
    log.follow(open('/run/a.pid', { write: 1, text: '' }), { ...process(8), nsId: 3 })
    log.follow(open('/run/a.pid', { text: '4242' }), process(9))
    expect(log.naming(4242).map(({ write }) => write?.nsId)).toEqual([undefined, 3])
  })
})
