import type { DeathEvent, SentSignal } from '@whokilled/shared/event'
import type { Ancestor } from '@whokilled/shared/process'

/** One way for a process to end: how it is made to happen, and what has to be told about it. */
export interface Way {
  /** Kebab-case; its recording is called so, too. */
  readonly name: string
  /** As docs/causes.md lists it: `SIGKILL by number`. */
  readonly title: string
  /** Shell that runs ahead of the way's time: what it starts is there already when the watching begins. */
  readonly before?: string
  /** Shell, after test/ways/prelude.sh: `role victim PID` says who is who. */
  readonly script: string
  /** What it cannot do without; most ways run anywhere. */
  readonly needs?: Needs
  /** Who has to be told of, by role, and what. A role that is not named here is not looked at. */
  readonly told: Readonly<Record<string, ToldDeath | 'nothing'>>
  /** What bpftrace tells where it cannot decide as SystemTap does, and why it cannot. */
  readonly bpftrace?: { readonly why: string; readonly told: Readonly<Record<string, Partial<ToldDeath> | 'nothing'>> }
}

/** `guest`: a machine of its own, since it endangers this one. `debian`: a whole system with systemd, cron and sshd. */
type Needs = 'guest' | 'debian'

/** The parts of a death event that a way is checked for; a part left out is not checked. */
export interface ToldDeath {
  readonly cause: DeathEvent['cause']
  readonly confidence: DeathEvent['verdict']['confidence']
  /** `SIGKILL`, or an exit code; null where the end was not seen. */
  readonly exit?: string | number | null
  readonly coreDumped?: boolean
  /** A role; null: nobody, or not known, see senderStatus. */
  readonly killer?: string | null
  readonly killerIs?: ToldProcess
  readonly victimIs?: ToldProcess
  readonly senderStatus?: SentSignal['senderStatus']
  readonly via?: SentSignal['via']
  readonly signal?: string
  /** The ladder: `SIGTERM from killer, ignored`. */
  readonly signals?: readonly string[]
  readonly service?: string
  readonly behalf?: {
    readonly rule: string
    readonly name?: string
    readonly kind?: string
    readonly process?: string
    readonly confidence?: string
  } | null
  readonly wrongPid?: {
    readonly previousOwner: string
    readonly pidfile?: string | null
    readonly confidence?: string
  } | null
  readonly oom?: {
    readonly scope: string
    readonly cgroup?: string
    readonly limitBytes?: number | null
    /** Null: who held the memory is not known. */
    readonly consumers?: null
  }
  /** Two victims with the same word here have the same incident, others another one; null: none. */
  readonly incident?: string | null
  /** Kinds of evidence that have to be there. */
  readonly evidence?: readonly string[]
  /** Kinds of evidence that must not be there. */
  readonly evidenceNot?: readonly string[]
  /** The verdict's sentence; `<role>` stands for its pid, `<time>` for any duration, `<size>` for what a process held. */
  readonly summary: string
}

/** What has to be known of a process. In `args` and `ancestors`, `<role>` stands for a pid. */
export interface ToldProcess extends Partial<Pick<Ancestor, PlainFact>> {
  readonly args?: readonly string[]
  readonly container?: { readonly [key in 'id' | 'name' | 'runtime' | 'pod']?: string | null } | null
  /** Nearest first, as many as are named here: a role, or the name that a sentence gives it. */
  readonly ancestors?: readonly string[]
}

type PlainFact =
  | 'pid'
  | 'nsPid'
  | 'comm'
  | 'exe'
  | 'file'
  | 'argsTruncated'
  | 'redacted'
  | 'uid'
  | 'euid'
  | 'loginUid'
  | 'tty'
