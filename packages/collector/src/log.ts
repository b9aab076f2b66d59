import { type DestinationStream, destination, type Logger, pino } from 'pino'

/** Lines of JSON. */
export type Log = Logger

/** Logs to stderr unless told otherwise. Errors are logged without the query's values, which are the events. */
export function createLog(level: string, to: DestinationStream = destination(2)): Log {
  return pino({ level, base: { program: 'whokilled-collector' }, serializers: { err: describeError } }, to)
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { code, hint } = error as { code?: unknown; hint?: unknown }
  const inner = error instanceof AggregateError ? error.errors.map((each) => (each as Error).message) : undefined
  return { name: error.name, message: error.message, code, hint, inner }
}
