import type { ProbeError } from '../errors.ts'

/**
 * Says of a tracer that ended by itself what happened, as a gap's reason tells it.
 * @param exit its exit status or the name of the signal that ended it; undefined if neither is known
 */
export function endedError(error: ProbeError, tracer: string, exit: number | string | undefined): ProbeError {
  const how =
    typeof exit === 'string' ? `was ended by ${exit}` : `ended${exit === undefined ? '' : ` with status ${exit}`}`
  error.reason = `${tracer} ${how}`
  return error
}
