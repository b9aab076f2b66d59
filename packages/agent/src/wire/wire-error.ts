import { CodedError } from '@whokilled/shared/coded-error'
import { natsConnectionProblem } from '@whokilled/shared/nats-problem'
import { hostToken } from '@whokilled/shared/subjects'
import { WireError } from '../errors.ts'

/** What it means for this host that connecting or publishing failed; what has a code stays as it is. */
export function wireError(error: unknown, hostName: string): CodedError {
  if (error instanceof CodedError) return error
  const { code, message, hint } = natsConnectionProblem(error, {
    whenRefused: `Make this host's key with "whokilled-collector host add ${hostName}", name it in natsNkeyFile, and let nats-server reload its users.`,
    whenForbidden: `This key belongs to another host, or to none: it needs to publish whokilled.v1.${hostToken(hostName)}.> (whokilled-collector host list tells).`,
  })
  return new WireError(code, message, hint, { cause: error })
}
