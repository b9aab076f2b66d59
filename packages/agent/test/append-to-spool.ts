/**
 * Appends events to the spool in the folder it is given, and writes the number of each that is on
 * disk into a file, until it is killed.
 */
import { openSync, writeSync } from 'node:fs'
import { Spool } from '../src/spool/spool.ts'

/** As much of an event as the spool looks at, with this number. */
export function eventNumber(number: number, type = 'signal'): string {
  const at = new Date(Date.UTC(2026, 10, 22) + number).toISOString()
  return JSON.stringify({ v: 1, id: `event-${number}`, type, at, number, filling: 'x'.repeat(number % 700) })
}

const [, program, folder = '', said = ''] = process.argv
if (program === import.meta.filename) await appendForEver(openSync(said, 'a'))

async function appendForEver(said: number): Promise<never> {
  const spool = await Spool.open({ folder, eventsMax: 1_000_000 })
  for (let number = 1; ; number += 1) {
    const appended = spool
      .append(eventNumber(number))
      .then((isKept) => writeSync(said, isKept ? `${number}\n` : 'refused\n'))
    // Now and then a batch of several.
    if (number % 7 === 0) await appended
  }
}
