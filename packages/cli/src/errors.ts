/** What the program's exit status says. */
export const exitStatus = { answered: 0, nothingFound: 1, wrongUsage: 2, cannotReach: 3 } as const
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

/** An error for the person at the keyboard: a stable code, what was expected and what came, and the next step. */
export class CliError extends Error {
  readonly code: string
  readonly hint: string
  readonly status: ExitStatus

  constructor(code: string, message: string, hint: string, status: ExitStatus, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.hint = hint
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
    super(code, message, hint, httpStatus === 400 ? exitStatus.wrongUsage : exitStatus.cannotReach)
    this.httpStatus = httpStatus
  }
}
