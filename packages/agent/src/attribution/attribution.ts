import type { BootClock } from '../clock.ts'
import type { DeathDraft, EventDraft } from '../event-draft.ts'
import type { ProcessEntry } from '../process/entry.ts'
import type { FormerOwners } from '../process/former-owners.ts'
import { type ServiceRule, serviceOf } from '../process/service.ts'
import type { Applied, ProcessTable } from '../process/table.ts'
import type { KernelRecord, SignalFailedRecord, SignalRecord } from '../record/record.ts'
import { caught } from './causes/caught.ts'
import type { CauseRule, Ending, Finding } from './causes/cause.ts'
import { exited } from './causes/exited.ts'
import { killed } from './causes/killed.ts'
import { strictSeccomp } from './causes/strict-seccomp.ts'
import { unseen } from './causes/unseen.ts'
import { vanished } from './causes/vanished.ts'
import { clients } from './commands/clients.ts'
import { EarlierEnds, earlierEndOf } from './earlier-ends.ts'
import type { End } from './end.ts'
import { instigatorOf } from './instigator.ts'
import type { Actor, Deed, EarlierEnd, Judged } from './judged.ts'
import type { LossLog } from './loss-log.ts'
import type { Known } from './messengers/messenger.ts'
import { limitSetterOf } from './oom/limit-setter.ts'
import { OomLog } from './oom/oom-log.ts'
import { RecentOomKills } from './oom/recent-oom-kills.ts'
import type { PublishFilter } from './publish-filter.ts'
import { RecentPrograms } from './recent-programs.ts'
import { Incidents } from './signals/incident.ts'
import { Ladder } from './signals/ladder.ts'
import { senderOf } from './signals/sender.ts'
import type { StoryTeller } from './story-teller.ts'
import { WrongPids } from './wrong-pid/wrong-pids.ts'

export interface AttributionOptions {
  readonly bootId: string
  readonly clock: BootClock
  readonly table: ProcessTable
  readonly formerOwners: FormerOwners
  readonly services: readonly ServiceRule[]
  readonly filter: PublishFilter
  readonly teller: StoryTeller
  readonly losses: LossLog
}

const sighup = 1

/** What a record tells of an end. */
type Told = Omit<Ending, 'ladder' | 'gapsBetween' | 'awakeSince'>

/** The ways to end, the first that fits wins. */
const causes: readonly CauseRule[] = [vanished, killed, strictSeccomp, unseen, caught, exited]

/**
 * Decides who ended whom. Takes each record right after the process table has; returns the events that are worth
 * publishing. Pure: the same records give the same events.
 */
export class Attribution {
  private readonly options: AttributionOptions
  private readonly ladders = new WeakMap<ProcessEntry, Ladder>()
  private readonly lately = new RecentPrograms(clients)
  private readonly oomKills = new RecentOomKills()
  private readonly known: Known
  private readonly ends = new EarlierEnds()
  private readonly incidents: Incidents
  private readonly wrongPids: WrongPids
  private readonly oomLog = new OomLog()

  constructor(options: AttributionOptions) {
    this.options = options
    this.known = {
      lately: this.lately,
      ladderOf: (process) => this.ladders.get(process),
      lostBetween: (from, to) => options.losses.gapsBetween(from, to).some(({ lost }) => lost > 0),
      oomKills: this.oomKills.latestFirst,
    }
    this.incidents = new Incidents(options.bootId)
    this.wrongPids = new WrongPids(options)
  }

  follow(record: KernelRecord, applied: Applied): EventDraft[] {
    this.lately.follow(record, applied)
    this.oomKills.follow(record, applied)
    this.wrongPids.follow(record, applied)
    this.oomLog.follow(record, applied)
    switch (record.type) {
      case 'signal':
        return this.followSignal(record, applied)
      case 'signal-failed':
        this.followRefused(record, applied.process)
        return []
      case 'oom':
        if (applied.target !== undefined) this.ladderOf(applied.target).oomAt = record.time
        return []
      case 'exit':
        if (applied.process === undefined || applied.ended !== true) return []
        return this.end({ process: applied.process, at: record.time, status: record.code, seccomp: record.seccomp })
      default:
        return []
    }
  }

  /**
   * A process that is gone, and nobody saw its end.
   * @param at when it was missed @param aliveAt when it was last known to be there
   */
  vanish(victim: ProcessEntry, at: bigint, aliveAt: bigint): DeathDraft[] {
    const fatal = this.ladders.get(victim)?.fatal
    const diedAt = fatal !== undefined && fatal.record.time >= aliveAt ? fatal.record.time : at
    return this.tell({ victim, at: diedAt, status: undefined, aliveAt })
  }

  private end(end: End): DeathDraft[] {
    this.ends.note(end)
    return this.tell(this.endingOf(end))
  }

  private followSignal(record: SignalRecord, { process, target }: Applied): EventDraft[] {
    if (target === undefined) return []
    const isSelf = record.pid === target.pid
    const ladder = this.ladderOf(target)
    ladder.add(record, process, isSelf)
    if (record.sig === sighup && target.tty !== undefined) ladder.terminal = target.tty
    if (this.oomLog.isAlong(target)) ladder.oomAlongAt ??= record.time
    const received = { record, by: process, program: process?.program, count: 1, since: record.time }
    this.incidents.follow(received, target)
    const { filter, services, teller } = this.options
    if (!filter.couldWantSignal(received, target)) return []
    const service = serviceOf(target, services)
    const senderService = process === undefined ? undefined : serviceOf(process, services)
    return filter.wantsSignal(received, service, senderService) ? [teller.signal(received, target, service)] : []
  }

  /** A refused attempt is evidence for its target: the process that the number means where the attempt was made. */
  private followRefused(record: SignalFailedRecord, by: ProcessEntry | undefined): void {
    if (record.arg === undefined || record.arg <= 0 || record.call === 'pidfd_send_signal') return
    const target = this.options.table.meant(record.arg, record.nsid)
    if (target !== undefined) this.ladderOf(target).refuse(record, by)
  }

  private endingOf({ process, at, status, seccomp }: End): Told {
    const passedOn = this.ends.passedOnBy({ victim: process, at, status })
    return { victim: process, at, status, seccomp, passedOn, lost: this.lostBy({ victim: process, at, status }) }
  }

  /** Whom it killed itself it did not lose. */
  private lostBy(end: Pick<Ending, 'victim' | 'at' | 'status'>): End | undefined {
    const lost = this.ends.lostBy(end)
    const deed =
      lost === undefined ? undefined : this.decide({ ...end, victim: lost.process, at: lost.at, status: lost.status })
    return deed?.killer?.process === end.victim ? undefined : lost
  }

  private tell(told: Told): DeathDraft[] {
    const { filter, teller } = this.options
    const deed = this.decide(told)
    if (deed === undefined || !filter.wantsDeath(deed.ending, deed.service, deed.finding)) return []
    const incident = this.incidents.of(deed.finding.fatal) ?? this.oomIncidentOf(deed)
    const mistake = this.wrongPids.of(deed)
    return [teller.death({ ...this.judge(deed), mistake, incident, earlier: this.earlierOf(deed) })]
  }

  private decide(told: Told): Deed | undefined {
    const { losses, services } = this.options
    const { victim } = told
    const ending: Ending = {
      ...told,
      ladder: this.ladders.get(victim) ?? new Ladder(),
      // What was lost before it began cannot have been for it.
      gapsBetween: (from, to) => losses.gapsBetween((victim.start ?? from) > from ? (victim.start ?? from) : from, to),
      awakeSince: (time) => told.at - time - losses.asleepBetween(time, told.at),
    }
    const finding = causes.reduce<ReturnType<CauseRule>>((found, rule) => found ?? rule(ending), undefined)
    if (finding === undefined) return undefined
    return { ending, finding, service: serviceOf(victim, services), killer: killerOf(ending, finding) }
  }

  private judge(deed: Deed): Judged {
    const outOfMemory = deed.finding.cause === 'oom' ? this.oomLog.of(deed.ending) : undefined
    return {
      ...deed,
      behalf: instigatorOf(deed, this.known),
      mistake: undefined,
      incident: undefined,
      outOfMemory,
      limitSetBy: limitSetterOf(deed, outOfMemory),
      earlier: undefined,
    }
  }

  /** Of what an end passes on only the beginning is told: the child of a child, where that passed it on, too. */
  private earlierOf({ ending, finding }: Deed, stepsMax = 8): EarlierEnd | undefined {
    const found = stepsMax === 0 ? undefined : earlierEndOf(this.ends, ending, finding)
    const deed = found === undefined ? undefined : this.decide(this.endingOf(found.end))
    if (found === undefined || deed === undefined) return undefined
    return deed.finding.passedOn === undefined || found.relation !== 'child'
      ? { relation: found.relation, judged: this.judge(deed) }
      : this.earlierOf(deed, stepsMax - 1)
  }

  private oomIncidentOf({ ending, finding }: Deed): string | undefined {
    const incident = finding.cause === 'oom' ? this.oomLog.incidentOf(ending.victim) : undefined
    return incident === undefined ? undefined : `${this.options.bootId}:${incident}`
  }

  private ladderOf(entry: ProcessEntry): Ladder {
    let ladder = this.ladders.get(entry)
    if (ladder === undefined) {
      ladder = new Ladder()
      this.ladders.set(entry, ladder)
    }
    return ladder
  }
}

function killerOf({ victim }: Ending, { fatal }: Finding): Actor | undefined {
  if (fatal?.by === undefined || fatal.program === undefined) return undefined
  const sender = senderOf(fatal, victim)
  return sender.status === 'seen' && !sender.isSelf ? { process: fatal.by, program: fatal.program } : undefined
}
