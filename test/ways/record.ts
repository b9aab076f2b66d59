/**
 * Makes ways happen in a guest and keeps what the probes told, for the tests that run on recordings:
 *   node --conditions=source --import tsx test/ways/record.ts [WAY…]
 * Without names it records all and removes recordings of ways that are no more.
 */
import { rootOf, runInGuestWays } from './in-guest.ts'
import { faultsOf } from './judge.ts'
import { forgetOthers, keep } from './kept.ts'
import { eventsOf } from './tell.ts'
import type { Way } from './way.ts'
import { ways } from './ways.ts'

const names = process.argv.slice(2)
const all = [...ways.values()].flat()
const wanted = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
const unknown = names.filter((name) => !all.some((way) => way.name === name))
if (unknown.length > 0) throw new Error(`Expected names of ways, ${unknown.join(', ')} is none.`)

for (const root of ['small', 'debian'] as const) {
  const here = wanted.filter((way) => rootOf(way) === root)
  if (here.length > 0) await record(here, root)
}
if (names.length === 0) {
  for (const probe of ['systemtap', 'bpftrace'] as const)
    await forgetOthers(probe, new Set(all.map(({ name }) => name)))
}

async function record(here: readonly Way[], root: 'small' | 'debian') {
  const { facts, recordings, log } = await runInGuestWays(here, root)
  if (log !== '') console.log(`The scripts printed:\n${log}`)
  for (const [probe, cut] of recordings) {
    for (const way of here) {
      const recording = cut.get(way.name)
      const roles = facts.get(way.name)
      const faults = faultsOf(way, roles, recording === undefined ? [] : await eventsOf(recording), probe)
      console.log(`${probe} ${way.name}: ${faults.length === 0 ? 'right' : faults.join('\n  ')}`)
      if (recording !== undefined && roles !== undefined) await keep(probe, way.name, { ...recording, facts: roles })
    }
  }
}
