import type { HostOrder } from '../host-order.ts'
import { durationText } from './time-text.ts'

/** A clock that is wrong by less is not worth a word. */
const offMsMin = 1_000

const hostsMax = 5

/**
 * What a reader of events of several hosts has to know of their clocks, a sentence each; none if the order stands and
 * no clock is off.
 */
export function orderSentences({ certain, uncertainPairs, clocks }: HostOrder): string[] {
  const sentences: string[] = []
  for (const { host, clock } of clocks) {
    if (clock === null || Math.abs(clock.offsetMs) < Math.max(offMsMin, clock.uncertaintyMs)) continue
    const off = durationText(Math.abs(clock.offsetMs))
    sentences.push(`the clock of ${host} was ${off} ${clock.offsetMs < 0 ? 'ahead' : 'behind'}; its times are its own`)
  }
  if (certain) return sentences.slice(0, hostsMax)
  const unknown = clocks.filter(({ clock }) => clock === null).map(({ host }) => host)
  const surest = Math.max(0, ...clocks.map(({ clock }) => clock?.uncertaintyMs ?? 0))
  const why =
    unknown.length > 0
      ? `nobody has measured the clock of ${listed(unknown)}`
      : `clocks are known to ${durationText(surest)}`
  const what = uncertainPairs === 1 ? 'two' : 'some'
  return [...sentences.slice(0, hostsMax), `${what} of different hosts may have happened in another order (${why})`]
}

function listed(hosts: readonly string[]): string {
  const named = hosts.slice(0, hostsMax)
  const more = hosts.length - named.length
  return more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`
}
