import { describe, expect, it } from 'vitest'
import { deathsOf, init, scanned, type Told } from '../../test/recorded-host.ts'

const second = 1_000_000_000n
const service = scanned({ pid: 4000, comm: 'sh', args: ['sh', 'service.sh'], startTicks: 200_000 })
const inner = scanned({ pid: 4001, ppid: 4000, comm: 'sh', args: ['sh', 'inner.sh'], startTicks: 200_100 })
const app = scanned({ pid: 4242, ppid: 4001, comm: 'app', args: ['app'], startTicks: 300_000 })
const killer = scanned({ pid: 900, comm: 'bash', args: ['bash'], startTicks: 100_000 })
const processes = [init, service, inner, app, killer]

const kill: Told = {
  ...{ type: 'signal', pid: 900, tid: 900, start: 1_000n * second, sig: 9, code: 0, info: 'user', group: 1 },
  ...{ result: 'delivered', call: 'kill', arg: 4242, ctx: 0, exiting: 0, disp: 'default', blocked: 0 },
  ...{ tpid: 4242, ttid: 4242, tstart: 3_000n * second },
}
const ends = (pid: number, start: bigint, code: number, afterMs = 1): Told => ({
  ...{ type: 'exit', pid, tid: pid, start, code, afterMs },
})
const appEnds = ends(4242, 3_000n * second, 9)
const innerEnds = (code: number, afterMs?: number) => ends(4001, 2_001n * second, code, afterMs)
const serviceEnds = (code: number) => ends(4000, 2_000n * second, code)
const earlierOf = (death: { evidence: readonly object[] } | undefined) =>
  death?.evidence.find((one) => 'kind' in one && one.kind === 'earlier-death')

describe('an end that only passes on another', () => {
  it('is told with the death it comes from, also through several shells', async () => {
    const told = [kill, appEnds, innerEnds(137 << 8), serviceEnds(137 << 8)]
    const death = (await deathsOf(told, { processes })).find(({ victim }) => victim.pid === 4000)
    expect(death).toMatchObject({
      cause: 'exit',
      exit: { code: 137 },
      killer: null,
    })
    expect(earlierOf(death)).toMatchObject({
      ...{ relation: 'child', cause: 'signal', victim: { pid: 4242 }, killer: { pid: 900 } },
    })
  })

  it('is one also where a shell sends itself the signal', async () => {
    const raise: Told = { ...kill, pid: 4001, tid: 4001, start: 2_001n * second, call: 'tgkill', tpid: 4001 } as Told
    const told = [kill, appEnds, { ...raise, ttid: 4001, tstart: 2_001n * second } as Told, innerEnds(9)]
    const death = (await deathsOf(told, { processes })).find(({ victim }) => victim.pid === 4001)
    expect(death).toMatchObject({ cause: 'self', exit: { signal: { name: 'SIGKILL' } } })
    expect(earlierOf(death)).toMatchObject({ relation: 'child', victim: { pid: 4242 } })
  })

  it('is not one if the child ended long before, or nobody’s child ended', async () => {
    for (const told of [
      [kill, appEnds, innerEnds(137 << 8, 5_000)],
      [kill, appEnds, innerEnds(0)],
      [innerEnds(137 << 8)],
    ]) {
      const all = await deathsOf(told, { processes, only: 'inner.sh' })
      expect(all.map((death) => earlierOf(death))).toEqual([undefined])
    }
  })
})

describe('an exit with an error right after a child was killed', () => {
  const told = async (records: Told[]) => (await deathsOf(records, { processes, only: 'inner.sh' })).at(-1)

  it('is told with the death of the child, and may be because of it', async () => {
    for (const code of [1, 143]) {
      const death = await told([kill, appEnds, innerEnds(code << 8, 30)])
      expect(death).toMatchObject({ cause: 'exit', killer: null, exit: { code } })
      expect(earlierOf(death)).toMatchObject({ relation: 'lost-child', victim: { pid: 4242 }, killer: { pid: 900 } })
      expect(death?.verdict.alternatives).toContain('it may have failed because its child 4242 had just died')
    }
  })

  it('is told alone if it exits in order, later, or had killed the child itself', async () => {
    const byItself: Told = { ...kill, pid: 4001, tid: 4001, start: 2_001n * second } as Told
    for (const records of [
      [kill, appEnds, innerEnds(0)],
      [kill, appEnds, innerEnds(1 << 8, 5_000)],
      [byItself, appEnds, innerEnds(1 << 8)],
    ]) {
      expect(earlierOf(await told(records))).toBeUndefined()
    }
  })
})

describe('an end that another one caused', () => {
  const first = scanned({ pid: 4001, comm: 'sh', args: ['sh'], startTicks: 200_100, nspid: 1 })
  const namespaceEnd: Told = {
    ...kill,
    ...{ pid: 4001, tid: 4001, start: 2_001n * second, call: 'exit', info: 'priv', exiting: 1, nspid: 1 },
  } as Told

  it('is told with the end of the first process of its pid namespace, and how that came', async () => {
    const killsFirst: Told = { ...kill, arg: 4001, tpid: 4001, ttid: 4001, tstart: 2_001n * second } as Told
    const told = [killsFirst, innerEnds(9), namespaceEnd, appEnds]
    const death = (await deathsOf(told, { processes: [init, killer, first, app] })).at(-1)
    expect(death).toMatchObject({ cause: 'pid-namespace-exit', killer: null, victim: { pid: 4242 } })
    expect(earlierOf(death)).toMatchObject({ relation: 'first-process', cause: 'signal', killer: { pid: 900 } })
  })

  it('says no more than it knows if the other end was not seen', async () => {
    const [death] = await deathsOf([namespaceEnd, appEnds], { processes: [init, killer, first, app] })
    expect(earlierOf(death)).toBeUndefined()
    expect(death?.verdict.summary).toMatch(/the first process of its pid namespace \(its container\) ended\.$/)
  })
})
