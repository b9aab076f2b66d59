/**
 * An error for the person at the keyboard: a stable code, what was expected and what came,
 * and the next step to take.
 */
export class AgentError extends Error {
  readonly code: string
  readonly hint: string

  constructor(code: string, message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.hint = hint
  }
}

/** A tracer that could not start, or ended by itself. */
export class ProbeError extends AgentError {}

/** A setting that is wrong or missing. */
export class ConfigError extends AgentError {}

/** The spool cannot be opened or written. */
export class SpoolError extends AgentError {}
