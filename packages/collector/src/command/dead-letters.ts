import { type DeadLetter, deadLetterReasons } from '@whokilled/shared/dead-letters-api'
import { parseTime } from '@whokilled/shared/http-api'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type pg from 'pg'
import type { Config } from '../config.ts'
import { dropDeadLetters } from '../dead-letters/drop.ts'
import { listDeadLetters } from '../dead-letters/list.ts'
import { retryDeadLetters } from '../dead-letters/retry.ts'
import type { Selection } from '../dead-letters/selection.ts'
import { UsageError } from '../errors.ts'
import type { Cursor } from '../query/cursor.ts'
import { iso, isoOf } from '../query/timestamps.ts'
import { letterTable, letterText } from './print-dead-letters.ts'
import { withDatabase } from './with-database.ts'

interface Options {
  readonly digest?: string
  readonly reason?: Selection['reason']
  readonly host?: string
  readonly olderThan?: string
  readonly all?: true
  readonly json: boolean
}

/** Adds `dead-letters list|retry|drop`: events that could not be stored. */
export function addDeadLetters(program: Command, settings: () => Config): void {
  const letters = program.command('dead-letters').description('events that could not be stored')
  withSelection(letters.command('list').description('show them, newest first'))
    .option('--limit <count>', 'how many at most', wholeNumber, 50)
    .option('--payload', 'show their first bytes, too', false)
    .action((options: Options & ListOptions) =>
      withDatabase(settings(), (database) => list(database, selectionOf(options), options)),
    )
  withSelection(letters.command('retry').description('try to store them, oldest first; what still fails stays'))
    .option('--all', 'every one')
    .action((options: Options) => {
      const { eventBytesMax } = settings()
      return withDatabase(settings(), (database) => retry(database, chosen(options), options.json, eventBytesMax))
    })
  withSelection(letters.command('drop').description('delete them'))
    .option('--all', 'every one')
    .action((options: Options) => withDatabase(settings(), (database) => drop(database, chosen(options), options.json)))
}

interface ListOptions {
  readonly limit: number
  readonly payload: boolean
}

const payloadBytes = 4_096
const pageMax = 1_000

/** A page at a time, so that what is shown with its bytes need not be held all at once. */
async function list(database: pg.Pool, selection: Selection, { limit, payload, json }: Options & ListOptions) {
  const rows: DeadLetter[] = []
  let shown = 0
  let after: Cursor | null = null
  do {
    const page = { limit: Math.min(limit - shown, pageMax), payloadBytes: payload ? payloadBytes : 0, after }
    const { letters, next } = await listDeadLetters(database, selection, page)
    if (json) for (const letter of letters) print(JSON.stringify(letter))
    else if (payload) for (const letter of letters) print(letterText(letter))
    else rows.push(...letters)
    shown += letters.length
    after = next
  } while (after !== null && shown < limit)
  if (shown === 0 && !json) print('There is no dead letter like that.')
  if (rows.length > 0) process.stdout.write(letterTable(rows))
  if (after !== null) process.stderr.write(`There are more than ${limit}; --limit shows more.\n`)
}

async function retry(database: pg.Pool, selection: Selection, json: boolean, eventBytesMax: number): Promise<void> {
  const sum = { stored: 0, duplicates: 0, failed: 0, cut: 0 }
  // What is put aside meanwhile is not tried, so that it ends.
  const before = selection.before ?? (await nowOf(database))
  let after: Cursor | null = null
  do {
    const done = await retryDeadLetters(database, { ...selection, before }, { eventBytesMax, after })
    for (const key of ['stored', 'duplicates', 'failed', 'cut'] as const) sum[key] += done[key]
    after = done.next
    if (after !== null) progress(`${sum.stored} stored, ${sum.failed + sum.cut} stay …`)
  } while (after !== null)
  progress('')
  if (json) return print(JSON.stringify(sum))
  print(`${sum.stored} events stored, ${sum.duplicates} were stored already.`)
  if (sum.failed > 0) print(`${sum.failed} dead letters stay: dead-letters list tells what is wrong with them now.`)
  if (sum.cut > 0) print(`${sum.cut} stay because only their first MiB was kept: they cannot be retried.`)
}

async function drop(database: pg.Pool, selection: Selection, json: boolean): Promise<void> {
  const before = selection.before ?? (await nowOf(database))
  let dropped = 0
  for (;;) {
    const count = await dropDeadLetters(database, { ...selection, before })
    if (count === 0) break
    dropped += count
    progress(`${dropped} dropped …`)
  }
  progress('')
  print(json ? JSON.stringify({ dropped }) : `${dropped} dead letters dropped.`)
}

function withSelection(command: Command): Command {
  return command
    .addOption(new Option('--reason <reason>', 'why they were put aside').choices(deadLetterReasons))
    .option('--host <name>', 'of this host, as the subject names it; * stands for any characters', notEmpty)
    .option('--digest <digits>', 'the first digits of one, as the list shows it', digits)
    .option('--older-than <time>', 'put aside before: 12h, 7d, 2026-11-22', aTime)
    .option('--json', 'for programs', false)
}

/** Retrying and dropping want to be told what. */
function chosen(options: Options): Selection {
  const { digest, reason, host, olderThan, all } = options
  if ([digest, reason, host, olderThan, all].some((value) => value !== undefined)) return selectionOf(options)
  throw new UsageError(
    'nothing-chosen',
    'expected to be told which dead letters',
    'Choose with --reason, --host, --digest or --older-than; --all means every one.',
  )
}

function selectionOf({ digest, reason, host, olderThan }: Options): Selection {
  return { digest, reason, host, before: olderThan ?? null }
}

async function nowOf(database: pg.Pool): Promise<string> {
  const { rows } = await database.query<{ now: string }>(`select ${iso('now()')} as now`)
  return rows[0]?.now ?? isoOf(Date.now())
}

/** On a terminal alone, in one line. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function notEmpty(text: string): string {
  if (text === '' || text.length > 255) throw new InvalidArgumentError('Expected 1 to 255 characters.')
  return text
}

function digits(text: string): string {
  if (/^[0-9a-fA-F]{4,64}$/.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError('Expected 4 to 64 hexadecimal digits.')
}

function aTime(text: string): string {
  const timeMs = parseTime(text, Date.now())
  if (timeMs !== undefined && timeMs >= 0) return isoOf(timeMs)
  throw new InvalidArgumentError('Expected a duration (24h, 7d) or an ISO 8601 time (2026-11-22T03:00:00Z).')
}

function wholeNumber(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text)
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000.')
}
