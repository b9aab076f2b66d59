import { DeathsPage } from '@whokilled/shared/http-api'
import { type ExitStatus, exitStatus } from '../errors.ts'
import { printDeaths } from '../print/deaths.ts'
import type { Session } from '../session.ts'

/** Options of `whokilled deaths`. */
export interface DeathsOptions {
  readonly service?: string
  readonly host?: string
  readonly cause?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: string
  readonly cursor?: string
}

/** The latest deaths, of all services or some. */
export async function deaths(options: DeathsOptions, session: Session): Promise<ExitStatus> {
  const { service, host, cause, since, until, limit, cursor } = options
  const answer = await session.ask({
    path: '/v1/deaths',
    query: { service, host, cause, since, until, limit, cursor },
    shape: DeathsPage,
  })
  const isEmpty = answer.value.deaths.length === 0
  await session.print(answer.json, (terminal) =>
    isEmpty
      ? 'no death like that is recorded; whokilled hosts tells who was watching\n'
      : printDeaths(answer.value, terminal),
  )
  return isEmpty ? exitStatus.nothingFound : exitStatus.answered
}
