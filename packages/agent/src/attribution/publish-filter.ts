import type { Service } from '@whokilled/shared/event'
import { fitsGlob } from '@whokilled/shared/glob'
import { defaultAction } from '@whokilled/shared/signals'
import type { ProcessEntry } from '../process/entry.ts'
import { isMainProcess, isSameService } from '../process/main-process.ts'
import { type ServiceRule, serviceOf } from '../process/service.ts'
import type { ProcessTable } from '../process/table.ts'
import type { Ending, Finding } from './causes/cause.ts'
import { exitCodeOf, termSignalOf } from './end.ts'
import type { Received } from './signals/ladder.ts'
import { senderOf } from './signals/sender.ts'

export interface PublishFilterOptions {
  readonly table: ProcessTable
  readonly services: readonly ServiceRule[]
  /** Only this service, and then every end of its processes; `*` stands for anything. */
  readonly only?: string | undefined
  /** A program that no service, container or rule names counts as one if it lived this long. */
  readonly programLifeMsMin: number
  readonly signals: boolean
  /** The agent itself; what it starts is not told of. */
  readonly self: () => ProcessEntry | undefined
}

/**
 * Decides what is published: the main process of a service at any end; any other process that was ended by a
 * signal of another process, a fault or the OOM killer. Other ends are only counted.
 */
export class PublishFilter {
  readonly counters = { deathsTold: 0, deathsCounted: 0, signalsTold: 0, signalsCounted: 0, signalsOverLimit: 0 }
  private readonly options: PublishFilterOptions
  private secondBegan = 0n
  private toldThisSecond = 0
  private readonly isAskedFor: (service: Service) => boolean

  constructor(options: PublishFilterOptions) {
    this.options = options
    this.isAskedFor = options.only === undefined ? () => true : named(options.only)
  }

  wantsDeath(ending: Ending, service: Service, finding: Finding): boolean {
    const wanted = this.isWorthTelling(ending, service, finding)
    if (wanted) this.counters.deathsTold += 1
    else this.counters.deathsCounted += 1
    return wanted
  }

  /** A first, cheap look before the services of both sides are worked out. */
  couldWantSignal(received: Received, target: ProcessEntry): boolean {
    const { record, by } = received
    const could =
      this.options.signals &&
      by !== undefined &&
      by !== target &&
      defaultAction(record.sig) !== 'ignore' &&
      senderOf(received, target).status === 'seen' &&
      !this.isOwn(target)
    if (!could) this.counters.signalsCounted += 1
    return could
  }

  /** Signals that the processes of one service use among themselves are left out, unless they ask for an end. */
  wantsSignal({ record }: Received, service: Service, senderService: Service | undefined): boolean {
    const isInternal = senderService?.name === service.name && senderService.kind === service.kind
    const wanted =
      this.isAskedFor(service) && (!isInternal || endRequests.has(record.sig)) && this.isWithinLimit(record.time)
    if (wanted) this.counters.signalsTold += 1
    else this.counters.signalsCounted += 1
    return wanted
  }

  /** A flood of signals must not push deaths out of the spool: beyond the limit they are only counted. */
  private isWithinLimit(time: bigint): boolean {
    if (time - this.secondBegan >= 1_000_000_000n) {
      this.secondBegan = time
      this.toldThisSecond = 0
    }
    this.toldThisSecond += 1
    if (this.toldThisSecond <= signalsPerSecondMax) return true
    this.counters.signalsOverLimit += 1
    return false
  }

  private isWorthTelling(ending: Ending, service: Service, finding: Finding): boolean {
    const { victim, status } = ending
    if (!this.isAskedFor(service)) return false
    if (this.isOwn(victim)) return finding.cause === 'signal' && !this.isOwn(finding.fatal?.by)
    if (this.options.only !== undefined && victim.hasExeced) return true
    if (alwaysTold.has(finding.cause)) return true
    if (finding.cause === 'unknown' && termSignalOf(status ?? 0) !== 0) return true
    return this.isMain(ending, service)
  }

  /** Whether a process is the one that its service stands and falls with. */
  private isMain({ victim, at, status }: Ending, service: Service): boolean {
    const lifeMs = Number((at - (victim.start ?? at)) / 1_000_000n)
    const isOrderly = status !== undefined && termSignalOf(status) === 0 && exitCodeOf(status) === 0
    // What systemd starts before, beside and after the main process is gone at once and without an error.
    if (service.kind === 'systemd' && isOrderly && lifeMs < commandLifeMs) return false
    const parentService = victim.parent === undefined ? undefined : this.serviceOf(victim.parent)
    const isOldest = () => !this.hasOlder(victim, service)
    const standing = { process: victim, service, parentService, lifeMs, isOldest }
    return isMainProcess(standing, this.options.programLifeMsMin)
  }

  private hasOlder(victim: ProcessEntry, service: Service): boolean {
    for (const other of this.options.table.living()) {
      if (other === victim || (other.start ?? 0n) >= (victim.start ?? 0n)) continue
      if (isSameService(this.serviceOf(other), service)) return true
    }
    return false
  }

  /** Whether it is the agent itself, or something that it started. */
  isOwn(entry: ProcessEntry | undefined): boolean {
    const self = this.options.self()
    if (self === undefined) return false
    for (let one = entry; one !== undefined; one = one.parent) if (one === self) return true
    return false
  }

  private serviceOf(entry: ProcessEntry): Service {
    return serviceOf(entry, this.options.services)
  }
}

/** Signal events published in a second at most. */
const signalsPerSecondMax = 200

/** A control process of a unit (ExecStartPre, ExecReload) is done within this time. */
const commandLifeMs = 1_000

/** Ends that are told of any process. */
const alwaysTold: ReadonlySet<string> = new Set([
  'signal',
  'self',
  'fault',
  'oom',
  'cgroup-kill',
  'parent-death',
  'pid-namespace-exit',
  'resource-limit',
  'seccomp',
])

/** SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGTERM, SIGSTOP. */
const endRequests = new Set([1, 2, 3, 6, 9, 15, 19])

/** Whether a service is the one asked for: by its name, without `.service`, or by a pattern with `*`. */
function named(pattern: string): (service: Service) => boolean {
  return ({ name }) => fitsGlob(pattern, name) || fitsGlob(`${pattern}.service`, name)
}
