import { expect, test } from 'vitest'
import { ProbeError } from '../errors.ts'
import { firstThatStarts } from './first-that-starts.ts'
import type { Probe, ProbeKind, ProbeRun } from './probe.ts'

const run: ProbeRun = {
  async *lines() {},
  stop: async () => undefined,
  ended: Promise.resolve({ expected: true, error: null, warnings: [] }),
}
const missing = (what: string) => new ProbeError('tracer-missing', `no ${what}.`, `Install ${what}.`)

function candidate(kind: ProbeKind, ...outcomes: (Error | undefined)[]): Probe & { starts: number } {
  return {
    kind,
    starts: 0,
    async start() {
      const outcome = outcomes[this.starts]
      this.starts += 1
      if (outcome !== undefined) throw outcome
      return run
    },
  }
}

test('the first that starts is taken, and told why a better one was passed over', async () => {
  const passedOver: ProbeError[] = []
  const stap = candidate('systemtap', missing('stap'))
  const probe = firstThatStarts([stap, candidate('bpftrace')], (error) => passedOver.push(error))
  expect(await probe.start()).toBe(run)
  expect(probe.kind).toBe('bpftrace')
  expect(passedOver.map(({ message }) => message)).toEqual(['no stap.'])
})

test('it stays the one for all later runs, even if it fails then', async () => {
  const stap = candidate('systemtap', missing('stap'))
  const bpftrace = candidate('bpftrace', undefined, missing('memory'))
  const probe = firstThatStarts([stap, bpftrace], () => {})
  await probe.start()
  await expect(probe.start()).rejects.toThrow('no memory.')
  await probe.start()
  expect([stap.starts, bpftrace.starts]).toEqual([1, 3])
})

test('if none starts, the error names every reason and every remedy, and nothing was passed over for the last', async () => {
  const passedOver: ProbeError[] = []
  const probe = firstThatStarts(
    [candidate('systemtap', missing('stap')), candidate('bpftrace', missing('bpftrace'))],
    (error) => passedOver.push(error),
  )
  await expect(probe.start()).rejects.toMatchObject({
    code: 'no-probe',
    message: expect.stringMatching(/no stap\..*no bpftrace\./),
    hint: 'Install stap. Or: Install bpftrace.',
  })
  expect(passedOver).toHaveLength(1)
})

test('a mistake in the program is no reason to take the next', async () => {
  const bpftrace = candidate('bpftrace')
  const probe = firstThatStarts([candidate('systemtap', new TypeError('mistake')), bpftrace], () => {})
  await expect(probe.start()).rejects.toThrow(TypeError)
  expect(bpftrace.starts).toBe(0)
})
