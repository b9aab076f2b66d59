import type { Event } from '@whokilled/shared/event'
import type { Answer, Claim, Death } from './judge.ts'

/** A tool's words with their time, in seconds of the wall clock. */
export interface Timed<T> {
  readonly at: number
  readonly what: T
}

/** whokilled: its death events. */
export function toldByWhokilled(events: readonly Event[]): Answer {
  const deaths = events.flatMap((event): Death[] => {
    if (event.type !== 'death') return []
    const { victim, cause, killer, signal, behalf, wrongPid } = event
    const isNobody = killer === null && cause !== 'unknown' && signal?.senderStatus !== 'unseen'
    return [
      {
        pid: victim.pid,
        cause,
        ...((killer !== null || isNobody) && { killer: killer?.pid ?? null }),
        ...(behalf !== null && { behalf: behalf.rule }),
        ...(wrongPid !== null && { wrongPid: wrongPid.previousOwner.pid }),
      },
    ]
  })
  return { claims: [], deaths }
}

/**
 * killsnoop.bt: `02:15:16  212    sender           9    210    0`. Its time has no fractions, so calls that the
 * comparison itself makes divide its lines: part n stands between marker n and the next one.
 */
export function toldByKillsnoop(output: string, markerFirst: number): ReadonlyMap<number, Answer> {
  const parts = new Map<number, Claim[]>()
  let part = -1
  // A process may have a line break in its name.
  for (const line of output.split(/\n(?=\d\d:\d\d:\d\d )/)) {
    const [, pid, signal, target, result] =
      /^\d\d:\d\d:\d\d\s+(\d+)\s+.*?\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)\s*$/s.exec(line) ?? []
    if (target === undefined) continue
    if (Number(target) >= markerFirst) part = Number(target) - markerFirst
    else if (result === '0') {
      parts.set(part, [...(parts.get(part) ?? []), claimOf(pid, signal, target)])
    }
  }
  return new Map([...parts].map(([at, claims]) => [at, { claims, deaths: [] }]))
}

/** The SystemTap scripts: `1795401128713 sender 212 sends 9 to 210`. */
export function toldByScript(output: string): Timed<Claim>[] {
  return output.split(/\n(?=\d{13} )/).flatMap((line) => {
    const [, ms, name = '', pid, signal, target] = /^(\d+) (.*) (\d+) sends (-?\d+) to (-?\d+)\s*$/s.exec(line) ?? []
    if (target === undefined) return []
    const claim = claimOf(pid, signal, target)
    return [{ at: Number(ms) / 1_000, what: kernelNames.test(name) ? { ...claim, byKernel: true } : claim }]
  })
}

/** The idle task, and threads that do the kernel's chores. */
const kernelNames = /^(?:swapper|kworker|ksoftirqd|migration|rcu)[/_]/

function claimOf(sender: string | undefined, signal: string | undefined, target: string | undefined): Claim {
  return { sender: Number(sender), signal: Number(signal), target: Number(target) }
}
