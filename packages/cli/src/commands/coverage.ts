import { CoverageAnswer } from '@whokilled/shared/http-api'
import { type ExitStatus, exitStatus } from '../errors.ts'
import { everyGap } from '../print/coverage.ts'
import type { Session } from '../session.ts'

/** Options of `whokilled coverage`. */
export interface CoverageOptions {
  readonly host?: string
  readonly since?: string
  readonly until?: string
}

/** When the hosts were watched, and when not. */
export async function coverage({ host, since, until }: CoverageOptions, session: Session): Promise<ExitStatus> {
  const answer = await session.ask({ path: '/v1/coverage', query: { host, since, until }, shape: CoverageAnswer })
  const { coverage, until: asked } = answer.value
  const isEmpty = coverage.length === 0
  await session.print(answer.json, ({ clock }) =>
    isEmpty
      ? 'no such host has reported yet: is an agent running?\n'
      : everyGap(coverage, asked, clock)
          .map((line) => `${line}\n`)
          .join(''),
  )
  return isEmpty ? exitStatus.nothingFound : exitStatus.answered
}
