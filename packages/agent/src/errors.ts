import { CodedError } from '@whokilled/shared/coded-error'

/** What every error of the agent is. */
export class AgentError extends CodedError {}

/** A tracer that could not start, or ended by itself. */
export class ProbeError extends AgentError {}

/** A setting that is wrong or missing. */
export class ConfigError extends AgentError {}

/** The spool cannot be opened or written. */
export class SpoolError extends AgentError {}

/** This host's identity cannot be kept. */
export class IdentityError extends AgentError {}
