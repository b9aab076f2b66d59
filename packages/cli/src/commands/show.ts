import { DeathEvent } from '@whokilled/shared/event'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { type ExitStatus, exitStatus, ProblemError } from '../errors.ts'
import { printDeathDetails } from '../print/death-details.ts'
import type { Session } from '../session.ts'

/** Everything that is known of one death. */
export async function show(id: string, session: Session): Promise<ExitStatus> {
  try {
    const answer = await session.ask({ path: `/v1/deaths/${encodeURIComponent(id)}`, query: {}, shape: DeathEvent })
    await session.print(answer.json, (terminal) => printDeathDetails(answer.value, terminal))
    return exitStatus.answered
  } catch (error) {
    if (!(error instanceof ProblemError) || error.httpStatus !== 404) throw error
    await session.print(null, () => `no death has the id ${shortened(terminalText(id), 120)}\n`)
    return exitStatus.nothingFound
  }
}
