import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { Ledger } from './ledger.ts'

declare module 'vitest' {
  interface ProvidedContext {
    ledgerBook: string
  }
}

/** One fault of the suite. */
export interface Entry extends Pick<Ledger, 'accepted' | 'stored' | 'duplicates' | 'lost' | 'gaps'> {
  readonly fault: string
  /** From the end of the fault until all that had been accepted by then was in Postgres, milliseconds. */
  readonly recoveryMs: number | null
  readonly note?: string | null
}

/** Puts a fault's ledger into the book of this run. */
export function enter(
  book: string,
  { fault, accepted, stored, duplicates, lost, gaps, recoveryMs, note = null }: Entry,
): void {
  const entry: Entry = { fault, accepted, stored, duplicates, lost, gaps, recoveryMs, note }
  appendFileSync(book, `${JSON.stringify(entry)}\n`)
}

/**
 * Vitest's global setup of the project: tests that run in workers write into one book, which is printed at the end.
 * WHOKILLED_LEDGER names a file that gets it as JSON.
 */
export default function openBook(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'whokilled-ledger-'))
  const book = join(folder, 'book.jsonl')
  writeFileSync(book, '')
  project.provide('ledgerBook', book)
  return () => {
    const entries = readFileSync(book, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Entry)
    rmSync(folder, { recursive: true })
    if (entries.length > 0) process.stdout.write(`\n${table(entries)}\n`)
    const file = process.env.WHOKILLED_LEDGER
    if (file !== undefined && file !== '') writeFileSync(file, `${JSON.stringify(entries, undefined, 2)}\n`)
  }
}

function table(entries: readonly Entry[]): string {
  const head = ['fault', 'accepted', 'stored', 'duplicates', 'lost', 'in gaps', 'recovery']
  const rows = entries.map(({ fault, accepted, stored, duplicates, lost, gaps, recoveryMs }) => [
    ...[fault, accepted, stored, duplicates, lost, gaps].map(String),
    recoveryMs === null ? '' : `${(recoveryMs / 1_000).toFixed(1)} s`,
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  const notes = entries.flatMap(({ fault, note }) => (note ? [`${fault}: ${note}`] : []))
  return [...[head, ...rows].map(line), ...notes].join('\n')
}
