import { CodedError } from '@whokilled/shared/coded-error'
import { natsConnectionProblem } from '@whokilled/shared/nats-problem'
import { hostToken } from '@whokilled/shared/subjects'
import { WireError } from '../errors.ts'

/** What it means for this host that connecting or publishing failed; what has a code stays as it is. */
export function wireError(error: unknown, hostName: string): CodedError {
  if (error instanceof CodedError) return error
  const { code, message, hint } = natsConnectionProblem(error, {
    whenRefused: `Make this host's key with "whokilled-collector host add ${hostName}", name it in natsNkeyFile, and let nats-server reload its users.`,
    whenForbidden: `This key is not that of host ${hostName}, which publishes whokilled.v1.${hostToken(hostName)}.>: name its own in natsNkeyFile (whokilled-collector host add makes it), or set hostName to the name that the key was made for.`,
  })
  return new WireError(code, message, hint, { cause: error })
}
