import type { DeathEvent, Event, SignalEvent } from '@whokilled/shared/event'
import { keptNames, readKept } from '../../test/ways/kept.ts'
import { eventsOf } from '../../test/ways/tell.ts'

/** Recordings are read until this many events have come. */
const eventsMax = 400

/** Deaths and signals as an agent decides them, from the recordings that the tests keep. */
export async function recordedEvents(): Promise<(DeathEvent | SignalEvent)[]> {
  const events: Event[] = []
  for (const name of keptNames('systemtap')) {
    const kept = readKept('systemtap', name)
    if (kept !== undefined) events.push(...(await eventsOf(kept)))
    if (events.length >= eventsMax) break
  }
  return events.filter((event) => event.type === 'death' || event.type === 'signal')
}
