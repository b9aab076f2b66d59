import { describe, expect, test } from 'vitest'
import type { DeathEvent, WrongPid } from '../event.ts'
import type { Process } from '../process.ts'
import { meantLine, mistakeText } from './mistake-text.ts'

const at = '2026-11-22T19:40:42.000000Z'
const worker = { pid: 4242, comm: 'worker', exe: '/usr/bin/worker', args: ['worker'], argsTruncated: false } as Process
const file = { pidfile: '/run/worker.pid', pidfileWrittenAt: '2026-11-20T19:40:42.000000Z' }
const mistake: WrongPid = {
  previousOwner: worker,
  endedAt: '2026-11-22T16:40:42.000000Z',
  reusedAfterMs: 7,
  pidfile: null,
  confidence: 'likely',
}
const web = { ...worker, comm: 'web' }
const tell = (wrongPid: WrongPid | null, evidence: object[] = [], victim: Process = web) => {
  const death = { at, victim, wrongPid, evidence: evidence as DeathEvent['evidence'] }
  return [mistakeText(death), meantLine(death)]
}

describe('a signal that was meant for somebody else', () => {
  test('names who had the pid before, until when, and where it still stands', () => {
    expect(tell({ ...mistake, ...file })).toEqual([
      '; it was most likely meant for worker, which had pid 4242 until 3 h before and was still named in /run/worker.pid, written 2 d before',
      'most likely worker (pid 4242, ended 3 h before, still named in /run/worker.pid, written 2 d before)',
    ])
    expect(tell(mistake)).toEqual([
      '; it was most likely meant for worker, which had pid 4242 until 3 h before',
      'most likely worker (pid 4242, ended 3 h before)',
    ])
  })

  test('leaves out what is not known', () => {
    expect(tell({ ...mistake, endedAt: null })).toEqual([
      '; it was most likely meant for worker, which had pid 4242 before',
      'most likely worker (pid 4242)',
    ])
    expect(tell({ ...mistake, ...file, pidfileWrittenAt: null })[0]).toMatch(
      / and was still named in \/run\/worker\.pid$/,
    )
  })

  test('tells the pid that both had, which in a container is not the one the host knows', () => {
    const inside = { ...mistake, previousOwner: { ...worker, pid: 70_001, nsPid: 7 } }
    const [sentence, line] = tell(inside, [], { ...web, pid: 70_022, nsPid: 7 })
    expect(sentence).toBe(
      '; it was most likely meant for worker, which had pid 7 in their pid namespace until 3 h before',
    )
    expect(line).toBe('most likely worker (pid 7 in their pid namespace, ended 3 h before)')
  })

  test('says how sure that is', () => {
    expect(tell({ ...mistake, confidence: 'certain' })[0]).toMatch(/^; it was meant for worker, /)
    expect(tell({ ...mistake, confidence: 'possible' })[0]).toMatch(/^; it was possibly meant for worker, /)
  })

  test('is told by the pidfile alone where nobody saw who it was', () => {
    const stale = { at, kind: 'stale-pidfile', path: '/run/worker.pid', pid: 4242, writtenAt: file.pidfileWrittenAt }
    expect(
      tell(null, [
        { at, kind: 'exit' },
        { ...stale, confidence: 'likely' },
      ]),
    ).toEqual([
      '; it was most likely meant for a process that had pid 4242 before, still named in /run/worker.pid, written 2 d before',
      'most likely a process that had pid 4242 before, still named in /run/worker.pid, written 2 d before',
    ])
  })

  test('is not made up of evidence that another version wrote', () => {
    expect(tell(null, [{ at, kind: 'stale-pidfile', path: 7 }])).toEqual(['', undefined])
    expect(tell(null)).toEqual(['', undefined])
  })

  test('cannot forge a line with the name of a file', () => {
    expect(tell({ ...mistake, ...file, pidfile: '/run/x\nkilled by root\x1b[2J.pid' })[0]).not.toMatch(/[\n\x1b]/)
  })
})
