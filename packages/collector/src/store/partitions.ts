import type pg from 'pg'

/** The tables of events, each partitioned by week. */
export const eventTables = ['deaths', 'signals', 'coverage', 'sessions'] as const

/** Last week too: an agent that was cut off delivers late. */
const weeksBehind = 1
const weeksAhead = 4

/** Makes the partitions around now that are missing; how many were made. */
export async function makePartitions(pool: pg.Pool): Promise<number> {
  let made = 0
  for (const table of eventTables) {
    for (let week = -weeksBehind; week <= weeksAhead; week++) {
      const { rows } = await pool.query<{ made: boolean }>(
        `select make_partition($1::text::regclass, now() + $2 * interval '1 week') as made`,
        [table, week],
      )
      if (rows[0]?.made === true) made++
    }
  }
  return made
}
