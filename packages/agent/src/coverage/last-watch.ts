/**
 * What an agent knew when it last watched, kept for the next one that runs on this host.
 *
 * Format: `stateFolder/last-watch.jsonl`, one JSON object a line. The first is the head: whose watching it was. The
 * others follow in the order in which they came to be known; a later line about the same process counts.
 *
 *   {"v":1,"hostId":…,"bootId":…,"runId":…,"watchedSince":…}
 *   {"seen":TIMESTAMP,"boot":"NANOSECONDS"}        until then it was watched, and what was to be told is on the disk
 *   {"process":PROCESS}                            a service's main process; its arguments are redacted
 *   {"ended":ID,"at":TIMESTAMP,"gap":GAP|null}     it is gone, and that is about to be told
 *   {"told":ID}                                    it has been told: forget it
 *   {"stopped":true}                               the agent ended in order
 *
 * A torn last line is what a crash leaves, and is passed over. Anything else that is not as above makes the file
 * worthless: half a memory could tell of a death twice.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { gapCauses } from '@whokilled/shared/gap'
import { Process } from '@whokilled/shared/process'
import { openEnum, timestamp } from '@whokilled/shared/vocabulary'
import { z } from 'zod'

/** A file larger than this was not written by an agent. */
const fileBytesMax = 64 * 1_048_576

const Head = z.looseObject({
  v: z.literal(1),
  hostId: z.string(),
  bootId: z.string(),
  runId: z.string(),
  watchedSince: timestamp,
})
export type LastWatchHead = z.infer<typeof Head>

const NotedGap = z.looseObject({ from: timestamp, to: timestamp, why: openEnum(gapCauses), reason: z.string() })
export type NotedGap = z.infer<typeof NotedGap>

const Line = z.union([
  z.strictObject({ seen: timestamp, boot: z.string().regex(/^\d{1,19}$/) }),
  z.strictObject({ process: Process }),
  z.strictObject({ ended: z.string(), at: timestamp, gap: NotedGap.nullable() }),
  z.strictObject({ told: z.string() }),
  z.strictObject({ stopped: z.literal(true) }),
])
export type LastWatchLine = LastWatchHead | z.infer<typeof Line>

/** A service's main process that was there, or whose end may not have been told. */
export interface Remembered {
  readonly process: Process
  readonly ended?: { readonly at: string; readonly gap: NotedGap | null }
}

export interface LastWatch extends Pick<LastWatchHead, 'bootId' | 'runId' | 'watchedSince'> {
  /** Until then it was watched: wall clock, and nanoseconds since that boot. */
  readonly seen: { readonly at: string; readonly boot: bigint }
  /** True if the agent ended in order. */
  readonly isStopped: boolean
  readonly processes: ReadonlyMap<string, Remembered>
}

/**
 * Reads what the last agent left for this host: `last` if it left something, `trouble` in words if that cannot be
 * used. Never throws: an agent that has forgotten still watches.
 */
export function readLastWatch(file: string, hostId: string): { last?: LastWatch; trouble?: string } {
  if (!existsSync(file)) return {}
  try {
    const size = statSync(file).size
    if (size > fileBytesMax) return { trouble: `expected at most ${fileBytesMax} bytes, found ${size}` }
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    const head = Head.parse(JSON.parse(lines[0] ?? ''))
    if (head.hostId !== hostId) return { trouble: 'it tells of another host' }
    return { last: replayed(head, lines.slice(1)) }
  } catch (cause) {
    return { trouble: `it is damaged, or of another version: ${firstLineOf(cause as Error)}` }
  }
}

function replayed({ bootId, runId, watchedSince }: LastWatchHead, lines: readonly string[]): LastWatch {
  const processes = new Map<string, Remembered>()
  let seen = { at: watchedSince, boot: 0n }
  let isStopped = false
  for (const text of lines) {
    const line = Line.parse(JSON.parse(text))
    if ('process' in line) processes.set(line.process.id, { process: line.process })
    else if ('told' in line) processes.delete(line.told)
    else if ('seen' in line) seen = { at: line.seen, boot: BigInt(line.boot) }
    else if ('stopped' in line) isStopped = true
    else {
      const known = processes.get(line.ended)
      if (known !== undefined) processes.set(line.ended, { ...known, ended: { at: line.at, gap: line.gap } })
    }
  }
  return { bootId, runId, watchedSince, seen, isStopped, processes }
}

function firstLineOf({ message }: Error): string {
  return message.split('\n', 1)[0]?.slice(0, 200) ?? ''
}
