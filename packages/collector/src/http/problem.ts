import { STATUS_CODES } from 'node:http'
import type { Problem } from '@whokilled/shared/http-api'

/** A parameter that was not as expected. */
export interface ParameterError {
  readonly parameter: string
  readonly expected: string
  readonly received: string | null
}

/** An answer that is none (RFC 9457). Thrown by a route, sent by the error handler. */
export class ProblemError extends Error {
  readonly statusCode: number
  readonly code: string
  readonly hint: string | undefined
  readonly errors: ParameterError[]

  constructor(
    statusCode: number,
    code: string,
    detail: string,
    more: { hint?: string; errors?: ParameterError[] } = {},
  ) {
    super(detail)
    this.name = 'ProblemError'
    this.statusCode = statusCode
    this.code = code
    this.hint = more.hint
    this.errors = more.errors ?? []
  }
}

/** 400: parameters that were not as expected. */
export function invalidParameters(errors: ParameterError[]): ProblemError {
  const detail = errors
    .map(
      ({ parameter, expected, received }) =>
        `${parameter || 'body'}: ${expected}, received ${received === null ? 'nothing' : JSON.stringify(received)}`,
    )
    .join('; ')
  return new ProblemError(400, 'invalid-parameter', detail, { hint: 'The parameters are described at /docs.', errors })
}

/** The problem as it is sent. */
export function problemBody({ statusCode, code, message, hint, errors }: ProblemError): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[statusCode] ?? 'Error',
    status: statusCode,
    detail: message,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(errors.length === 0 ? {} : { errors }),
  }
}
