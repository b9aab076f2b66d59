/**
 * An error for the person at the keyboard: a stable code, what was expected and what came,
 * and the next step to take.
 */
export class CodedError extends Error {
  readonly code: string
  readonly hint: string

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.hint = hint
  }
}
