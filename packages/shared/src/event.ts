import { z } from 'zod'
import { gapCauses } from './gap.ts'
import { Process } from './process.ts'
import { openEnum, timestamp } from './vocabulary.ts'

/** Version of the event format; an event with another one goes to the dead letters. */
export const eventVersion = 1

export const Host = z.looseObject({
  /** Stable for the life of the installation. */
  id: z.string().min(1).max(128),
  name: z.string().min(1).max(255),
  bootId: z.string().min(1).max(64),
})
export type Host = z.infer<typeof Host>

export const AgentStamp = z.looseObject({
  version: z.string(),
  probe: openEnum(['systemtap', 'bpftrace', 'replay', 'none']),
  /** One run of the agent. */
  runId: z.string().min(1).max(64),
  /** Counts this run's events from 1 without holes: a hole is a lost event. */
  seq: z.int().positive(),
})
export type AgentStamp = z.infer<typeof AgentStamp>

export const Service = z.looseObject({
  name: z.string().min(1),
  kind: openEnum(['config', 'systemd', 'container', 'process']),
})
export type Service = z.infer<typeof Service>

/** A signal that was generated for a process. */
export const SentSignal = z.looseObject({
  at: timestamp,
  number: z.int().positive(),
  name: z.string(),
  sender: Process.nullable(),
  /** `none`: the kernel itself sent it. `unseen`: somebody did, the probe did not see who. */
  senderStatus: openEnum(['seen', 'unseen', 'none']),
  via: openEnum([
    'kill',
    'kill-group',
    'kill-all',
    'tkill',
    'tgkill',
    'sigqueue',
    'pidfd',
    'cgroup.kill',
    'reboot',
    'tracer-exit',
    'tty',
    'timer',
    'kernel',
    'unknown',
  ]),
  /** `si_code` (sigaction(2)). */
  code: z.int().nullable(),
  result: openEnum(['delivered', 'ignored', 'pending', 'overflow', 'info-lost']),
  /**
   * What its target made of it: `default`: it did not handle it. `too-late`: it was ending already. Null where that is
   * not known.
   */
  reception: openEnum(['default', 'caught', 'ignored', 'blocked', 'too-late']).nullable().optional(),
  /** How many alike came in a row from the same sender, if more than one; `at` is when the latest came. */
  count: z.int().min(2).optional(),
  /** When the first of those came. */
  firstAt: timestamp.optional(),
})
export type SentSignal = z.infer<typeof SentSignal>

/** How the clock of a host stood to the fleet's. */
export const ClockReading = z.looseObject({
  /** What has to be added to the host's times to get the fleet's, milliseconds; of a clock that is ahead negative. */
  offsetMs: z.number(),
  /** How far that may be wrong, to either side, milliseconds. */
  uncertaintyMs: z.number().nonnegative(),
})
export type ClockReading = z.infer<typeof ClockReading>

const everyEvent = {
  v: z.literal(eventVersion),
  id: z.uuid(),
  at: timestamp,
  host: Host,
  agent: AgentStamp,
  /** When the event was made; null or left out where it was not known. */
  clock: ClockReading.nullable().optional(),
}

export const Confidence = openEnum(['certain', 'likely', 'possible'])

/** For whom the killer acted. */
export const Instigator = z.looseObject({
  kind: openEnum(['process', 'policy', 'session']),
  name: z.string(),
  process: Process.nullable(),
  rule: z.string(),
  confidence: Confidence,
  /** How long the killer had waited after it had asked with another signal, milliseconds; null if it had not. */
  graceMs: z.number().nonnegative().nullable().optional(),
  /** Why it is told; they are among the verdict's reasons, too. */
  reasons: z.array(z.string()).optional(),
})
export type Instigator = z.infer<typeof Instigator>

export const Oom = z.looseObject({
  /**
   * `cgroup`: a limit was reached; `host`: the machine was out of memory; `nodes`: those memory nodes were full that a
   * cpuset or a memory policy allows; `sysrq`: somebody called the OOM killer by hand.
   */
  scope: openEnum(['cgroup', 'host', 'nodes', 'sysrq', 'unknown']),
  /** The group whose limit was reached; the victim's where that is not known. */
  cgroup: z.string().nullable(),
  limitBytes: z.int().nullable(),
  /** Who held most memory when it ran out, most first; null where the kernel did not tell. */
  consumers: z
    .array(z.looseObject({ pid: z.int(), comm: z.string(), bytes: z.number().nonnegative() }))
    .nullable()
    .optional(),
  /** What all processes held together that could be chosen; far less than the limit if files in memory ate it. */
  processBytes: z.number().nonnegative().nullable().optional(),
  /** Who set the limit to less than was in use, and so made the kernel kill. */
  limitSetBy: Process.nullable().optional(),
})
export type Oom = z.infer<typeof Oom>

export const WrongPid = z.looseObject({
  previousOwner: Process,
  endedAt: timestamp.nullable(),
  reusedAfterMs: z.number().nullable(),
  pidfile: z.string().nullable(),
  /** When the pidfile was last written. */
  pidfileWrittenAt: timestamp.nullable().optional(),
  confidence: Confidence,
})
export type WrongPid = z.infer<typeof WrongPid>

export const Verdict = z.looseObject({
  confidence: Confidence,
  reasons: z.array(z.string()),
  alternatives: z.array(z.string()),
  /** One plain sentence. */
  summary: z.string(),
})
export type Verdict = z.infer<typeof Verdict>

export const causes = [
  'signal',
  'self',
  'fault',
  'oom',
  'cgroup-kill',
  'parent-death',
  'pid-namespace-exit',
  'resource-limit',
  'seccomp',
  'broken-pipe',
  'terminal',
  'timer',
  'exit',
  'unknown',
] as const

export const Exit = z.looseObject({
  code: z.int().min(0).max(255).nullable(),
  signal: z.looseObject({ number: z.int().positive(), name: z.string() }).nullable(),
  coreDumped: z.boolean(),
})
export type Exit = z.infer<typeof Exit>

/** The end of a process with its cause. */
export const DeathEvent = z.looseObject({
  ...everyEvent,
  type: z.literal('death'),
  victim: Process,
  service: Service,
  exit: Exit,
  cause: openEnum(causes),
  /** The one that ended it. */
  signal: SentSignal.nullable(),
  /** The ladder: earlier ones, rivals, ignored ones; oldest first. */
  signals: z.array(SentSignal),
  killer: Process.nullable(),
  behalf: Instigator.nullable(),
  oom: Oom.nullable(),
  wrongPid: WrongPid.nullable(),
  verdict: Verdict,
  incidentId: z.string().nullable(),
  evidence: z.array(z.looseObject({ at: timestamp, kind: z.string() })),
  coverage: z.looseObject({ watchedSince: timestamp, lostRecords: z.int().nonnegative() }),
  clock: ClockReading.nullable(),
})
export type DeathEvent = z.infer<typeof DeathEvent>

/** A signal generated for a process that belongs to a service, whether it died or not. */
export const SignalEvent = z.looseObject({
  ...everyEvent,
  type: z.literal('signal'),
  target: Process,
  service: Service,
  ...SentSignal.shape,
})
export type SignalEvent = z.infer<typeof SignalEvent>

/** How a host was watched between `from` and `to`; a gap is a time it was not, or records were lost. */
export const CoverageEvent = z.looseObject({
  ...everyEvent,
  type: z.literal('coverage'),
  state: openEnum(['watching', 'gap', 'stopped']),
  from: timestamp,
  to: timestamp.nullable(),
  /** Of a gap; null where nothing is missing. */
  why: openEnum(gapCauses).nullable().optional(),
  /** The same for people. */
  reason: z.string().nullable(),
  lostRecords: z.int().nonnegative(),
})
export type CoverageEvent = z.infer<typeof CoverageEvent>

/** Reserved: a connection or login that can lead from one host to another. */
export const SessionEvent = z.looseObject({
  ...everyEvent,
  type: z.literal('session'),
  role: openEnum(['client', 'server']),
  process: Process,
  local: z.string(),
  remote: z.string(),
  protocol: z.string(),
})

export const Event = z.discriminatedUnion('type', [DeathEvent, SignalEvent, CoverageEvent, SessionEvent])
export type Event = z.infer<typeof Event>

export const eventTypes = ['death', 'signal', 'session', 'coverage'] as const
export type EventType = (typeof eventTypes)[number]

/** The named keys of a type that also allows any others. */
type KnownKeys<T> = keyof { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] }

/** What an event says, without its id and where it comes from. */
export type Unstamped<E extends Event> = Pick<E, Exclude<KnownKeys<E>, 'v' | 'id' | 'host' | 'agent' | 'clock'>>
