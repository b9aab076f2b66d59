import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ProcessEntry, processEntry, processId } from './entry.ts'
import { pack, unpack } from './former-owner.ts'
import { FormerOwners } from './former-owners.ts'

const second = 1_000_000_000n

function ended(pid: number, start: bigint, livedNs: bigint, facts: Partial<ProcessEntry> = {}): ProcessEntry {
  return processEntry({ id: processId('boot', start, pid), pid, start, endedAt: start + livedNs, ...facts })
}

const program = { comm: 'worker', exe: '/usr/bin/worker', args: ['worker', '--queue', 'mail'], argsTruncated: false }

describe('former owners of a pid', () => {
  it('are told with what they ran and where they belonged, without their ancestors', () => {
    const owners = new FormerOwners({ bootId: 'boot' })
    const parent = ended(7, 1n, 1n, { endedAt: undefined })
    const facts = {
      parent,
      program,
      uid: 33,
      cgroup: '/system.slice/worker.service',
      tty: 'pts/1',
      nsPid: 4242,
      nsId: 1,
    }
    owners.remember(ended(4242, 5n * second, 9n * second, facts), true)
    const [owner] = owners.of(4242)
    expect(owner).toMatchObject({ parentPid: 7, parentStart: 1n, isEndSeen: true })
    expect(owner?.process).toMatchObject({
      ...{ id: 'boot:500:4242', program, uid: 33, cgroup: facts.cgroup, tty: 'pts/1' },
      ...{ parent: undefined, ppid: 7, endedAt: 14n * second },
    })
  })

  it('come the latest first, and by the number they had in their pid namespace', () => {
    const owners = new FormerOwners({ bootId: 'boot' })
    for (const at of [1n, 20n, 40n]) {
      owners.remember(
        ended(4242, at * second, second, { nsPid: 7, nsId: 99, program: { ...program, comm: `w${at}` } }),
        true,
      )
    }
    const names = (list: ReturnType<typeof owners.of>) => list.map(({ process }) => process.program.comm)
    expect(names(owners.of(4242))).toEqual(['w40', 'w20', 'w1'])
    expect(names(owners.of(7, 99))).toEqual(['w40', 'w20', 'w1'])
    expect(owners.of(7)).toEqual([])
    expect(owners.of(7, 98)).toEqual([])
  })

  it('that lived long are not forgotten for a flood of short ones', () => {
    const owners = new FormerOwners({ bootId: 'boot', ownersMax: 400 })
    owners.remember(ended(4242, 1n, 3_600n * second, { program }), true)
    for (let at = 0; at < 10_000; at += 1) owners.remember(ended(1_000 + (at % 3_000), BigInt(at) * second, 5n), true)
    expect(owners.of(4242)).toHaveLength(1)
    expect(owners.size).toBe(101)
    expect(owners.counters.forgotten).toBe(9_900)
    for (let at = 0; at < 1_000; at += 1) owners.remember(ended(20_000 + at, BigInt(at), second), true)
    expect(owners.of(4242)).toEqual([])
    expect(owners.size).toBe(400)
  })

  it('of one pid are limited, and the short-lived of them go first', () => {
    const owners = new FormerOwners({ bootId: 'boot', ownersMax: 1_000 })
    owners.remember(ended(4242, 1n, 60n * second, { program }), true)
    for (let at = 1n; at <= 100n; at += 1n) owners.remember(ended(4242, at * second, 5n), true)
    const held = owners.of(4242)
    expect(held).toHaveLength(8)
    expect(held.at(-1)?.endedAt).toBe(60n * second + 1n)
  })

  it('keep no more arguments than fit, cut between two', () => {
    const owners = new FormerOwners({ bootId: 'boot' })
    const args = ['java', '-Xmx1g', `--password=${'x'.repeat(600)}`, 'more']
    owners.remember(ended(4242, 1n, 2n, { program: { ...program, args } }), true)
    owners.remember(ended(4243, 1n, 2n, { program: { ...program, args: undefined } }), true)
    const tell = (pid: number) => owners.of(pid).map(({ process }) => process.program)
    expect(tell(4242)).toMatchObject([{ args: ['java', '-Xmx1g'], argsTruncated: true }])
    expect(tell(4243)).toMatchObject([{ args: undefined, argsTruncated: false }])
  })

  it('have the name that their container has got since', () => {
    const web = { id: 'c0ffee', name: 'web', runtime: 'docker', pod: null }
    const owners = new FormerOwners({ bootId: 'boot', containerIn: (cgroup) => (cgroup === '/web' ? web : null) })
    owners.remember(ended(4242, 1n, 2n, { cgroup: '/web' }), true)
    owners.remember(ended(4243, 1n, 2n, { cgroup: '/other' }), true)
    expect([4242, 4243].map((pid) => owners.of(pid)[0]?.process.container)).toEqual([web, null])
  })

  it('are not remembered without a start, nor of another boot: nothing could be said of when they had the pid', () => {
    const owners = new FormerOwners({ bootId: 'boot' })
    owners.remember({ ...ended(4242, 1n, 2n), start: undefined }, true)
    owners.remember(ended(4242, -5n * second, second), true)
    expect(owners.of(4242)).toEqual([])
  })

  it('are the same after packing, whatever they were', () => {
    const texts = fc.option(
      fc.string({ unit: 'binary-ascii', minLength: 1 }).map((text) => text.replaceAll('\0', '?')),
      { nil: undefined },
    )
    const numbers = fc.option(fc.nat(4_294_967_295), { nil: undefined })
    const big = fc.bigInt({ min: 0n, max: 1n << 63n })
    const facts = fc.record({
      uid: numbers,
      euid: numbers,
      loginUid: numbers,
      sessionId: numbers,
      tty: texts,
      cgroup: texts,
    })
    const programs = fc.record({
      ...{ comm: texts, exe: texts, argsTruncated: fc.boolean() },
      args: fc.option(
        fc.array(
          fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\0', '?')),
          { maxLength: 9 },
        ),
        { nil: undefined },
      ),
    })
    fc.assert(
      fc.property(
        fc.nat(4_194_304),
        big,
        big,
        facts,
        programs,
        fc.boolean(),
        (pid, start, lived, more, program, isSeen) => {
          const entry = {
            ...ended(pid, start, lived),
            ...more,
            program,
            nsPid: pid,
            birth: 1,
            parent: { ...ended(1, 0n, 0n), children: 2 },
          }
          const owner = unpack(pack(entry, isSeen) ?? '', 'boot')
          expect(owner).toMatchObject({
            pid,
            start,
            endedAt: start + lived,
            isEndSeen: isSeen,
            parentPid: 1,
            parentStart: 0n,
            inBackground: true,
          })
          expect(owner.process).toMatchObject({ id: entry.id, ...more, program, nsPid: pid })
        },
      ),
    )
  })
})
