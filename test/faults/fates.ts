import { existsSync, readFileSync } from 'node:fs'

/** An event that a sender has made, and what its spool said of it. */
export interface Fate {
  readonly id: string
  readonly runId: string
  readonly seq: number
  readonly type: string
  readonly offeredMs: number
  /** When its append had resolved; undefined if that is not known: the sender was killed before it could say so. */
  acceptedMs: number | undefined
  refused: boolean
}

/** Reads what a sender wrote (`sender.ts` has the format). A torn last line is one that was not said. */
export function readFates(file: string): Map<string, Fate> {
  const fates = new Map<string, Fate>()
  if (!existsSync(file)) return fates
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [word, id = '', ...rest] = line.split(' ')
    if (word === 'offered') {
      const [runId = '', seq, type = '', ms] = rest
      const fate = { id, runId, seq: Number(seq), type, offeredMs: Number(ms), acceptedMs: undefined, refused: false }
      if (fates.has(id)) throw new Error(`expected each event to be made once, ${id} was made twice`)
      fates.set(id, fate)
      continue
    }
    const fate = fates.get(id)
    if (fate === undefined) throw new Error(`expected ${id} to be offered before it was ${word}`)
    if (word === 'accepted') fate.acceptedMs = Number(rest[0])
    if (word === 'refused') fate.refused = true
  }
  return fates
}
