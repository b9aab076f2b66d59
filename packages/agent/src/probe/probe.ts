import type { ProbeError } from '../errors.ts'

/** Which tracer makes the records; named so in events. */
export type ProbeKind = 'systemtap' | 'bpftrace' | 'replay'

/** A source of records: a tracer that can be run as a child process, or a recording of one. */
export interface Probe {
  readonly kind: ProbeKind
  /** Starts the tracer. Rejects with a ProbeError if it cannot run here. */
  start(): Promise<ProbeRun>
}

/** One run of a tracer. */
export interface ProbeRun {
  /**
   * The lines of the protocol (docs/line-protocol.md), each without its LF, one character a byte (latin1).
   * Ends when the tracer has ended; why is in `ended`. To be iterated once.
   */
  lines(): AsyncIterable<string>
  /** Ends the tracer in an orderly way. May be called again; resolves when it has gone. */
  stop(): Promise<void>
  /** How it ended; never rejects. */
  readonly ended: Promise<ProbeEnd>
}

export interface ProbeEnd {
  /** True if it ended because it was told to, or a recording was at its end. */
  readonly expected: boolean
  /** What the tracer's stderr told, with the remedy; null after an expected end. */
  readonly error: ProbeError | null
  /** Warnings that the tracer printed and that did not end it. */
  readonly warnings: readonly string[]
}
