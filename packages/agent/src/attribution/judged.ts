import type { earlierRelations } from '@whokilled/shared/earlier-death'
import type { Instigator, Service } from '@whokilled/shared/event'
import type { ProcessEntry, Program } from '../process/entry.ts'
import type { Ending, Finding } from './causes/cause.ts'

/** Somebody who acted, and what they ran when they did. */
export interface Actor {
  readonly process: ProcessEntry
  readonly program: Program
}

/** A death whose cause is decided: what the questions behind it start from. */
export interface Deed {
  readonly ending: Ending
  readonly finding: Finding
  readonly service: Service
  /** Who sent the fatal signal, if that was another process and was seen. */
  readonly killer: Actor | undefined
}

/**
 * A name in parts, byte strings. Commands and users are put into words where users are known and secrets are hidden:
 * `command` is a command line, `job` one without the shell that runs it.
 */
export type NamePart =
  | string
  | { readonly command: Actor }
  | { readonly job: Actor }
  | { readonly user: number | undefined }

/** For whom the killer acted. */
export interface Instigation {
  readonly kind: Instigator['kind']
  /** As a sentence names it: `systemctl stop nginx of deploy`, `the cron job of root`. */
  readonly name: readonly NamePart[]
  readonly actor: Actor | undefined
  /** Which rule found it. */
  readonly rule: string
  readonly confidence: 'certain' | 'likely' | 'possible'
  /** What speaks for it, for the verdict's reasons. */
  readonly reasons: readonly string[]
  readonly alternatives: readonly string[]
  /** How long the killer had waited after it had asked with another signal, nanoseconds. */
  readonly graceNs: bigint | undefined
}

/** A signal that was meant for the process that held the pid before. */
export interface Mistake {
  /** Undefined if it ended before the watching, or is forgotten: a pidfile is proof enough that it was another. */
  readonly previousOwner: Actor | undefined
  /** Nanoseconds since boot; undefined if its end was not seen. */
  readonly endedAt: bigint | undefined
  readonly pidfile: StalePidfile | undefined
  readonly confidence: 'certain' | 'likely' | 'possible'
  readonly reason: string
}

export interface StalePidfile {
  readonly path: string
  /** When it was last written, nanoseconds of wall-clock time; undefined where that is not known. */
  readonly writtenAt: bigint | undefined
  /** When the killer, or one who worked for it, read it: nanoseconds since boot. */
  readonly readAt: bigint
  /** The pid in it. */
  readonly number: number
}

/** What the kernel's log told of an OOM kill. */
export interface OutOfMemory {
  readonly scope: 'cgroup' | 'host' | 'nodes' | 'sysrq' | 'unknown'
  /** The group whose limit was reached, a byte string. */
  readonly cgroup: string | undefined
  readonly limitBytes: number | undefined
  /** Who held most memory, most first; undefined where the kernel did not list them. */
  readonly consumers: readonly { readonly pid: number; readonly comm: string; readonly bytes: number }[] | undefined
  /** What all listed processes held together. */
  readonly processBytes: number | undefined
}

/** The end of another process, of which this death is a consequence. */
export interface EarlierEnd {
  readonly relation: (typeof earlierRelations)[number]
  readonly judged: Judged
}

/** Everything that was decided of a death. */
export interface Judged extends Deed {
  readonly earlier: EarlierEnd | undefined
  readonly behalf: Instigation | undefined
  readonly mistake: Mistake | undefined
  /** One kill with several victims has one. */
  readonly incident: string | undefined
  readonly outOfMemory: OutOfMemory | undefined
  /** Who set the limit that was reached to less than was in use. */
  readonly limitSetBy: Actor | undefined
}
