import { z } from 'zod'
import { ClockReading } from './event.ts'
import { millisecondsBetween } from './vocabulary.ts'

/** How far the order of events of different hosts can be trusted: each host tells its own clock's time. */
export const HostOrder = z.object({
  /** False where two that stand next to each other may have happened the other way round. */
  certain: z.boolean(),
  /** How many neighbours of different hosts are nearer to each other than their clocks are known. */
  uncertainPairs: z.int().nonnegative(),
  /** How each host's clock stood to the fleet's, by its newest event here; null: not known. By name. */
  clocks: z.array(z.object({ host: z.string(), clock: ClockReading.nullable() })),
})
export type HostOrder = z.infer<typeof HostOrder>

/** What the order is judged by. */
export interface Timed {
  readonly at: string
  readonly host: { readonly name: string }
  readonly clock?: ClockReading | null | undefined
}

/** Judges events that stand newest first by their own clocks. */
export function hostOrderOf(events: readonly Timed[]): HostOrder {
  const clocks = new Map<string, ClockReading | null>()
  for (const { host, clock } of events) if (!clocks.has(host.name)) clocks.set(host.name, clock ?? null)
  const uncertainPairs = events.filter((event, index) => {
    const earlier = events[index + 1]
    return earlier !== undefined && !isAfter(event, earlier)
  }).length
  const hosts = [...clocks.keys()].sort()
  return {
    certain: uncertainPairs === 0,
    uncertainPairs,
    clocks: hosts.map((host) => ({ host, clock: clocks.get(host) ?? null })),
  }
}

function isAfter(later: Timed, earlier: Timed): boolean {
  if (later.host.name === earlier.host.name) return true
  if (!later.clock || !earlier.clock) return false
  const apartMs = millisecondsBetween(earlier.at, later.at) + later.clock.offsetMs - earlier.clock.offsetMs
  return apartMs > later.clock.uncertaintyMs + earlier.clock.uncertaintyMs
}
