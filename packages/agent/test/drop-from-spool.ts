/**
 * Appends signals to a small spool, in the folder it is given, for ever: after 150 it says how many were dropped until
 * then, and goes on until it is killed.
 */
import { signalEvent } from '../../../test/events.ts'
import { Spool } from '../src/spool/spool.ts'

const spool = await Spool.open({ folder: process.argv[2] ?? '', eventsMax: 100 })
for (let seq = 1; ; seq += 1) {
  const at = new Date(Date.UTC(2026, 10, 22) + seq * 1_000).toISOString()
  await spool.append(JSON.stringify(signalEvent({ at, agent: { version: '1', probe: 'replay', runId: 'run', seq } })))
  if (seq === 150) process.stdout.write(`${spool.counters.droppedForEvents}\n`)
}
