import type pg from 'pg'
import { dropLetters } from '../store/drop-letters.ts'
import { isSelected, type Selection, selected } from './selection.ts'

/** One statement deletes no more. */
const lettersMax = 1_000

/** Deletes the next thousand dead letters at most; how many. 0: there are none left. */
export async function dropDeadLetters(database: pg.Pool, selection: Selection): Promise<number> {
  const { rows } = await database.query<{ dropped: number }>(sql, [...selected(selection), lettersMax])
  return rows[0]?.dropped ?? 0
}

const sql = dropLetters(
  `select digest from dead_letters where ${isSelected} order by received_at limit $5 for update skip locked`,
)
