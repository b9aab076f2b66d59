import { WhoKilledAnswer } from '@whokilled/shared/http-api'
import { type ExitStatus, exitStatus } from '../errors.ts'
import { printWhoKilled } from '../print/who-killed.ts'
import type { Session } from '../session.ts'

/** Options of `whokilled SERVICE`. */
export interface WhoKilledOptions {
  readonly host?: string
  readonly since?: string
  readonly until?: string
}

/** Who killed a service last, and if nobody did, who was watching. */
export async function whoKilled(service: string, options: WhoKilledOptions, session: Session): Promise<ExitStatus> {
  const { host, since, until } = options
  const answer = await session.ask({
    path: '/v1/who-killed',
    query: { service, host, since, until },
    shape: WhoKilledAnswer,
  })
  await session.print(answer.json, (terminal) => printWhoKilled(answer.value, host, terminal))
  return answer.value.death === null ? exitStatus.nothingFound : exitStatus.answered
}
