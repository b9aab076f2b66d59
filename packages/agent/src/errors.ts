import { CodedError } from '@whokilled/shared/coded-error'

/** What every error of the agent is. */
export class AgentError extends CodedError {}

/** A tracer that could not start, or ended by itself. */
export class ProbeError extends AgentError {
  /** The same for the reason of a gap, which people read in a verdict: `bpftrace was ended by SIGKILL`. */
  reason: string | undefined
}

/** A setting that is wrong or missing. */
export class ConfigError extends AgentError {}

/** The spool cannot be opened or written. */
export class SpoolError extends AgentError {}

/** This host's identity cannot be kept. */
export class IdentityError extends AgentError {}

/** NATS cannot be reached, or does not take this host: the codes are those of nats-problem.ts in shared. */
export class WireError extends AgentError {}

/** NATS does not take what is published. */
export class PublishError extends AgentError {}
