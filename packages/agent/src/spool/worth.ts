import type { Event, EventType } from '@whokilled/shared/event'

/**
 * What an event is worth when the spool has no room for all, as the letter in its key: `w` the note that a host is
 * watched, which the next one says again; `s` a signal; `t` a session; `d` a death; `g` what tells of a loss or an end.
 */
export type Worth = 'w' | 's' | 't' | 'd' | 'g'

/** What goes first where room is needed; docs/adr/0008 says why. */
export const dropOrder: readonly Worth[] = ['w', 's', 't', 'd', 'g']

/** The worth of an event; of a type that is not known that of a death. */
export function worthOf(event: Pick<Event, 'type'>): Worth {
  if (event.type === 'coverage') return 'state' in event && event.state === 'watching' ? 'w' : 'g'
  return { signal: 's' as const, session: 't' as const, death: 'd' as const }[event.type] ?? 'd'
}

/** The type of events of this worth. */
export const typeOfWorth: Readonly<Record<Worth, EventType>> = {
  w: 'coverage',
  s: 'signal',
  t: 'session',
  d: 'death',
  g: 'coverage',
}
