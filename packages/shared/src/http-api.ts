import { z } from 'zod'
import { DeathEvent } from './event.ts'
import { HostOrder } from './host-order.ts'
import { timestamp } from './vocabulary.ts'

/** The collector's HTTP port: 128 + SIGKILL. */
export const httpPort = 9137

/** RFC 9457. `expected` and `received` tell what was wrong with a named parameter. */
export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().optional(),
  errors: z
    .array(z.object({ parameter: z.string(), expected: z.string(), received: z.string().nullable() }))
    .optional(),
})
export type Problem = z.infer<typeof Problem>

/** `web-3`, or a pattern with `*`. */
const hostPattern = z.string().min(1).max(255)

/** `24h`, `90m`, `7d`, `30s`, `2w`, or ISO 8601 (`2026-11-22`, `2026-11-22T03:00:00Z`). */
export const timeExpression = z
  .string()
  .max(64)
  .refine((value) => parseTime(value, 0) !== undefined, 'expected a duration (24h, 90m, 7d) or an ISO 8601 time')

/** Milliseconds since 1970 that a time expression means when it is `nowMs`; undefined if it means nothing. */
export function parseTime(expression: string, nowMs: number): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(expression) ?? []
  if (count !== undefined && unit !== undefined) return nowMs - Number(count) * (unitMs[unit] ?? 0)
  if (!/^\d{4}-\d\d-\d\d(T|$)/.test(expression)) return undefined
  const at = Date.parse(expression)
  return Number.isNaN(at) ? undefined : at
}

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export const WhoKilledQuery = z.object({
  service: z.string().min(1).max(255),
  host: hostPattern.optional(),
  since: timeExpression.optional(),
  until: timeExpression.optional(),
})

/** A time during which a host was not watched, or not completely. */
export const Gap = z.object({
  host: z.string(),
  from: timestamp,
  to: timestamp.nullable(),
  /** Why, for programs: as the agent told it, or of the collector's own (docs/http-api.md), such as `not-watched`. */
  why: z.string().nullable().optional(),
  reason: z.string().nullable(),
  lostRecords: z.int().nonnegative(),
})
export type Gap = z.infer<typeof Gap>

/** How far one host's record reaches in the time asked about. */
export const HostCoverage = z.object({
  host: z.string(),
  /** Up to here everything that the agent saw is stored; null if the host was never watched. */
  completeUntil: timestamp.nullable(),
  gaps: z.array(Gap),
})
export type HostCoverage = z.infer<typeof HostCoverage>

export const CoverageQuery = z.object({
  host: hostPattern.optional(),
  since: timeExpression.optional(),
  until: timeExpression.optional(),
})

/** How the hosts were watched in the time asked about, by name. */
export const CoverageAnswer = z.object({ since: timestamp, until: timestamp, coverage: z.array(HostCoverage) })
export type CoverageAnswer = z.infer<typeof CoverageAnswer>

export const WhoKilledAnswer = z.object({
  service: z.string(),
  /** The time asked about. */
  since: timestamp,
  until: timestamp,
  /** The latest death, or null: none recorded. `coverage` then says who was watching. */
  death: DeathEvent.nullable(),
  /** How many deaths of the service there were in the time asked about. */
  deathCount: z.int().nonnegative(),
  /** The ones before the latest, newest first, at most ten. */
  earlier: z.array(
    z.object({ id: z.string(), at: timestamp, host: z.string(), cause: z.string(), summary: z.string() }),
  ),
  coverage: z.array(HostCoverage),
  /** Of the latest and the earlier ones told here: whether the latest is the latest. */
  order: HostOrder.optional(),
})
export type WhoKilledAnswer = z.infer<typeof WhoKilledAnswer>

export const DeathsQuery = z.object({
  service: z.string().min(1).max(255).optional(),
  host: hostPattern.optional(),
  cause: z.string().max(64).optional(),
  since: timeExpression.optional(),
  until: timeExpression.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  cursor: z.string().max(512).optional(),
})

/** Newest first, by the hosts' own clocks; `nextCursor` continues, null at the end. */
export const DeathsPage = z.object({
  deaths: z.array(DeathEvent),
  nextCursor: z.string().nullable(),
  order: HostOrder.optional(),
})
export type DeathsPage = z.infer<typeof DeathsPage>

export const HostStatus = z.object({
  id: z.string(),
  name: z.string(),
  bootId: z.string(),
  agentVersion: z.string(),
  probe: z.string(),
  /** `silent`: nothing has come for longer than three coverage periods. */
  state: z.enum(['watching', 'gap', 'stopped', 'silent']),
  lastSeenAt: timestamp,
  watchedSince: timestamp.nullable(),
  lostRecords: z.int().nonnegative(),
  /** Events that the agent numbered and that never came. */
  lostEvents: z.int().nonnegative().optional(),
})
export type HostStatus = z.infer<typeof HostStatus>

export const HostsAnswer = z.object({ hosts: z.array(HostStatus) })
export type HostsAnswer = z.infer<typeof HostsAnswer>
