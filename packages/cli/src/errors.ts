import { CodedError } from '@whokilled/shared/coded-error'

/** What the program's exit status says. */
export const exitStatus = { answered: 0, nothingFound: 1, wrongUsage: 2, cannotReach: 3 } as const
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

/** What every error of this program is; it also says with which status to end. */
export class CliError extends CodedError {
  readonly status: ExitStatus

  constructor(code: string, message: string, hint: string, status: ExitStatus, options?: ErrorOptions) {
    super(code, message, hint, options)
    this.status = status
  }
}

/** A wrong option, argument or environment variable. */
export class UsageError extends CliError {
  constructor(code: string, message: string, hint: string) {
    super(code, message, hint, exitStatus.wrongUsage)
  }
}

/** No collector, or nothing that answers as one in time. */
export class ReachError extends CliError {
  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(code, message, hint, exitStatus.cannotReach, options)
  }
}

/** The collector refused the question, or could not answer it (RFC 9457). */
export class ProblemError extends CliError {
  readonly httpStatus: number

  constructor(httpStatus: number, code: string, message: string, hint: string) {
    super(code, message, hint, wrongUsage.has(httpStatus) ? exitStatus.wrongUsage : exitStatus.cannotReach)
    this.httpStatus = httpStatus
  }
}

/** A parameter, a token or its scope was wrong. */
const wrongUsage = new Set([400, 401, 403])
