import { HostsAnswer } from '@whokilled/shared/http-api'
import { type ExitStatus, exitStatus } from '../errors.ts'
import { printHosts } from '../print/hosts.ts'
import type { Session } from '../session.ts'

/** Which hosts are watched, and since when. */
export async function hosts(session: Session): Promise<ExitStatus> {
  const answer = await session.ask({ path: '/v1/hosts', query: {}, shape: HostsAnswer })
  const isEmpty = answer.value.hosts.length === 0
  await session.print(answer.json, (terminal) =>
    isEmpty ? 'no host has reported yet: is an agent running?\n' : printHosts(answer.value, terminal),
  )
  return isEmpty ? exitStatus.nothingFound : exitStatus.answered
}
