import { describe, expect, it } from 'vitest'
import { type ProcessEntry, processEntry } from './entry.ts'
import { areRelated, commonAncestor, descendsFrom, isRaisedBy, lineageOf } from './family.ts'

let pid = 100
function child(parent: ProcessEntry | undefined, isLeader = false): ProcessEntry {
  pid += 1
  return processEntry({ id: String(pid), pid, start: BigInt(pid), parent, sid: isLeader ? pid : parent?.sid })
}

const init = processEntry({ id: '1', pid: 1, start: 1n, sid: 1 })
const cron = child(init, true)
const job = child(cron, true)
const cat = child(job)
const kill = child(job)

describe('processes are related', () => {
  it('if one script started both, or one the other', () => {
    expect(areRelated(cat, kill)).toBe(true)
    expect(areRelated(kill, job)).toBe(true)
    expect(areRelated(cron, kill)).toBe(true)
    expect(areRelated(kill, kill)).toBe(true)
    expect(commonAncestor(cat, kill)).toBe(job)
    expect(descendsFrom(kill, cron)).toBe(true)
  })

  it('not if all they have in common is who starts everything', () => {
    expect(areRelated(kill, child(child(cron, true)))).toBe(false)
    expect(areRelated(child(init), child(init))).toBe(false)
    expect([...lineageOf(kill)]).toEqual([kill, job, cron])
  })

  it('though sudo has put one into a session of its own', () => {
    const shell = child(cron, true)
    expect(areRelated(child(child(child(shell), true)), child(shell))).toBe(true)
  })

  it('not if the session of what they have in common is not known', () => {
    const unknown = { ...child(init), sid: undefined }
    expect(areRelated({ ...child(unknown), sid: 7 }, { ...child(unknown), sid: 8 })).toBe(false)
  })

  it('not if they have no session: of what a small system starts at boot, all is in session 0', () => {
    const boot = { ...child(init), sid: 0 }
    expect(areRelated(child(child(boot)), child(boot))).toBe(false)
    expect(areRelated(child(boot), boot)).toBe(true)
  })

  it('however long the line of ancestors is, without looking at all of it', () => {
    let last = job
    for (let at = 0; at < 1_000; at += 1) last = child(last)
    expect([...lineageOf(last)]).toHaveLength(64)
    expect(areRelated(last, cat)).toBe(false)
  })
})

describe('a process is raised by another', () => {
  it('if that one, or its shell, started it and it never left the session', () => {
    expect(isRaisedBy(child(kill), kill)).toBe(true)
    expect(isRaisedBy(child(job), kill)).toBe(true)
    expect(isRaisedBy(child(kill, true), kill)).toBe(true)
  })

  it('not if it became a daemon, or was started by somebody else', () => {
    expect(isRaisedBy(child(child(job), true), kill)).toBe(false)
    expect(isRaisedBy(child(child(cron, true)), kill)).toBe(false)
    expect(isRaisedBy(child(init), kill)).toBe(false)
  })
})
