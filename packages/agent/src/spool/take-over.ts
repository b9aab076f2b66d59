import { type EventKey, eventChecksum, keyOf } from './key.ts'
import { del, type Level, type Op, put, writeOps } from './level.ts'
import { addLoss, type Loss, lossOf } from './loss.ts'
import { factsOf } from './spooled-value.ts'
import { worthOf } from './worth.ts'

/** Events of one batch. */
const chunk = 500

/** Where the keys of format 1 are: 16 decimal digits. */
const formerKeys = { gte: '0', lt: ':' } as const

/**
 * Gives the events of a spool of format 1 (key: their place; value: the event) the keys of format 2. Each batch is whole
 * or not there, so it can be killed at any time and called again.
 * @param headOp writes the head with what was lost until then
 */
export async function takeOver(
  level: Level,
  headOp: (loss: Loss | undefined) => Op,
): Promise<{ taken: number; loss: Loss | undefined }> {
  let taken = 0
  let loss: Loss | undefined
  for (;;) {
    const found = await level.iterator({ ...formerKeys, limit: chunk }).all()
    if (found.length === 0) return { taken, loss }
    const puts: Op[] = []
    for (const [former, json] of found) {
      const key = keyOfFormer(former, json)
      if (key === undefined) loss = addLoss(loss, unreadable())
      else puts.push(put(keyOf(key), json))
    }
    const dels = found.map(([key]) => del(key))
    await writeOps(level, [...puts, ...dels, headOp(loss)], { sync: true })
    taken += puts.length
  }
}

function keyOfFormer(former: string, json: string): EventKey | undefined {
  const facts = factsOf(json)
  if (!/^0\d{15}$/.test(former) || typeof facts === 'string') return undefined
  const worth = worthOf(JSON.parse(json) as Parameters<typeof worthOf>[0])
  const seq = Number(former)
  return { seq, worth, bytes: Buffer.byteLength(json), checksum: eventChecksum(seq, worth, json) }
}

function unreadable(): Loss {
  return lossOf({ cause: 'damaged', type: 'unknown', events: 1, since: new Date().toISOString() })
}
