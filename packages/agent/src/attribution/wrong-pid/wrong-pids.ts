import type { BootClock } from '../../clock.ts'
import type { ProcessEntry } from '../../process/entry.ts'
import type { FormerOwner } from '../../process/former-owner.ts'
import type { FormerOwners } from '../../process/former-owners.ts'
import { programName, type ServiceRule, serviceOf } from '../../process/service.ts'
import type { Applied } from '../../process/table.ts'
import { textOf } from '../../record/bytes.ts'
import type { KernelRecord } from '../../record/record.ts'
import { doubtsOf } from '../causes/cause.ts'
import type { Deed, Mistake } from '../judged.ts'
import type { Gap, LossLog } from '../loss-log.ts'
import { type Aim, aimOf, type Suspicion } from './aim.ts'
import { namesProgram } from './arguments.ts'
import { huntsByName, lookedUp, newLookups } from './lookups.ts'
import { oldArgument } from './old-argument.ts'
import { oldChild } from './old-child.ts'
import { oldPidfile, pidfileNaming, readItsOwn, rememberedNs, unknownPidfile } from './old-pidfile.ts'
import { PidfileLog } from './pidfile-log.ts'
import { SentSignals } from './sent-signals.ts'
import { WallTimes } from './wall-times.ts'
import { pidfileOf } from './words.ts'

export interface WrongPidOptions {
  readonly formerOwners: FormerOwners
  readonly clock: BootClock
  readonly services: readonly ServiceRule[]
  readonly losses: LossLog
  /** Whether a process is the agent's own: what it reads to know of pidfiles is nobody else's knowledge. */
  readonly filter: { isOwn(process: ProcessEntry): boolean }
}

/**
 * Finds the signals that were meant for the process that held the pid before: the killer named a number that it had
 * from a time before the victim existed. docs/wrong-pid.md has the rules.
 */
export class WrongPids {
  private readonly options: WrongPidOptions
  private readonly wallTimes = new WallTimes()
  private readonly pidfiles = new PidfileLog(this.wallTimes)
  private readonly sent = new SentSignals()
  private readonly lookups = newLookups()

  constructor(options: WrongPidOptions) {
    this.options = options
  }

  follow(record: KernelRecord, applied: Applied): void {
    this.lookups.follow(record, applied)
    if (record.type === 'heartbeat' || record.type === 'stop') this.wallTimes.learn(record.boot, record.real)
    else if (record.type === 'signal') this.sent.follow(record, applied)
    else if (record.type === 'open' && applied.process !== undefined && !this.options.filter.isOwn(applied.process)) {
      this.wallTimes.begin(record.time, this.options.clock)
      this.pidfiles.follow(record, applied.process)
    }
  }

  /** Whom a fatal signal was really meant for; undefined if nothing speaks for another than the victim. */
  of(deed: Deed): Mistake | undefined {
    const aim = aimOf(deed, this.options.formerOwners)
    if (aim === undefined || readItsOwn(aim, this.pidfiles) || this.mayBeNamed(aim)) return undefined
    const suspicion = oldPidfile(aim, this.pidfiles) ?? (huntsByName(aim) ? undefined : this.withoutPidfile(aim))
    const finder = lookedUp(aim, this.lookups)
    if (suspicion === undefined || this.isRestarted(suspicion.owner, deed)) return undefined
    const mayHaveLookedUp = finder !== undefined || lateGaps(aim, this.options.losses).length > 0
    if (mayHaveLookedUp && suspicion.whenLookedUp === 'nothing') return undefined
    const unknown = unknownPidfile(aim, this.pidfiles)
    const doubts = [
      ...(finder !== undefined && suspicion.whenLookedUp === 'less' ? [`${textOf(finder)} was asked for pids`] : []),
      ...(unknown === undefined ? [] : [`what ${unknown} named was not seen`]),
    ]
    return mistakeOf(doubted(suspicion, aim, this.options.losses, doubts))
  }

  private withoutPidfile(aim: Aim): Suspicion | undefined {
    const found = oldArgument(aim) ?? this.sent.escalation(aim) ?? oldChild(aim)
    const read = found?.owner && pidfileNaming(found.owner, aim, this.pidfiles)
    return found === undefined || read === undefined ? found : { ...found, pidfile: pidfileOf(read) }
  }

  /** `pkill -F x.pid nginx`, `stop nginx`: it was told the victim's name. Where its arguments were lost, it may have been. */
  private mayBeNamed(aim: Aim): boolean {
    const { killer, victim } = aim
    if (mayHaveOtherArguments(aim, this.options.losses)) return true
    return namesProgram(killer.program.args, programName(victim.program))
  }

  /** The same service, started again with the same pid by chance: who meant the one meant the other. */
  private isRestarted(owner: FormerOwner | undefined, { ending, service }: Deed): boolean {
    if (owner === undefined) return false
    const before = serviceOf(owner.process, this.options.services)
    const isSameProgram = programName(owner.process.program) === programName(ending.victim.program)
    return isSameProgram && before.name === service.name && before.kind === service.kind
  }
}

/** Its exec was lost: what it was told is not known, or it is what its parent was told. */
function mayHaveOtherArguments(aim: Aim, losses: LossLog): boolean {
  const { process, program } = aim.killer
  if (program.args === undefined) return lateGaps(aim, losses).length > 0
  if (process.hasExeced || process.start === undefined) return false
  return losses.gapsBetween(process.start, aim.at).some(({ lost }) => lost > 0)
}

/** What may have hidden how the killer got the number anew. */
function lateGaps({ at, victimStart }: Aim, losses: LossLog): Gap[] {
  const soonest = at - rememberedNs
  return losses.gapsBetween(victimStart > soonest ? victimStart : soonest, at)
}

/**
 * Says less where a record may be missing. Shortly before the signal: of how the killer got the number anew. Earlier,
 * but since the number was known: of who had it.
 */
function doubted(suspicion: Suspicion, aim: Aim, losses: LossLog, others: readonly string[]): Suspicion {
  const { knownAt, confidence, reason } = suspicion
  const late = lateGaps(aim, losses)
  const doubts = [...doubtsOf(late, 'before it'), ...others]
  const isWeaker = doubts.length > 0
  if (!isWeaker && confidence === 'certain') doubts.push(...doubtsOf(losses.gapsBetween(knownAt, aim.at), 'since'))
  if (doubts.length === 0) return suspicion
  return {
    ...suspicion,
    confidence: confidence === 'certain' ? 'likely' : isWeaker ? 'possible' : confidence,
    reason: `${reason}; but ${doubts.join(', ')}`,
  }
}

function mistakeOf({ owner, confidence, pidfile, reason }: Suspicion): Mistake {
  return {
    previousOwner: owner && { process: owner.process, program: owner.process.program },
    endedAt: owner?.isEndSeen === true ? owner.endedAt : undefined,
    pidfile,
    confidence,
    reason,
  }
}
