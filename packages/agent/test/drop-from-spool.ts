/**
 * Appends signals to a small spool, in the folder it is given, for ever: after 150 it says how many were dropped until
 * then, and goes on until it is killed.
 */
import { signalEvent } from '../../../test/events.ts'
import { Spool } from '../src/spool/spool.ts'

/** The signal with this number: one each second. */
export function signalNumber(seq: number) {
  const at = new Date(Date.UTC(2026, 10, 22) + seq * 1_000).toISOString()
  return signalEvent({ at, agent: { version: '1', probe: 'replay', runId: 'run', seq } })
}

const [, program, folder = ''] = process.argv
if (program === import.meta.filename) await dropForEver()

async function dropForEver(): Promise<never> {
  const spool = await Spool.open({ folder, eventsMax: 100 })
  for (let seq = 1; ; seq += 1) {
    await spool.append(JSON.stringify(signalNumber(seq)))
    if (seq === 150) process.stdout.write(`${spool.counters.droppedForEvents}\n`)
  }
}
