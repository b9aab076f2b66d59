import type { EarlierDeath } from '@whokilled/shared/earlier-death'
import type { Exit, Instigator, Oom, SentSignal, Service, WrongPid } from '@whokilled/shared/event'
import type { Process } from '@whokilled/shared/process'
import { summarySentence } from '@whokilled/shared/sentence'
import { defaultAction, signalName } from '@whokilled/shared/signals'
import type { UnjudgedDeath } from '@whokilled/shared/unjudged-death'
import { timestampOf } from '@whokilled/shared/vocabulary'
import type { DeathDraft, SignalDraft } from '../event-draft.ts'
import { type DescribeOptions, describeProcess } from '../process/describe.ts'
import type { ProcessEntry } from '../process/entry.ts'
import { textOf } from '../record/bytes.ts'
import type { Ending, Finding } from './causes/cause.ts'
import { exitCodeOf, termSignalOf } from './end.ts'
import { EvidenceTeller } from './evidence.ts'
import type { Actor, EarlierEnd, Instigation, Judged, Mistake } from './judged.ts'
import type { LossLog } from './loss-log.ts'
import { nameText } from './name-text.ts'
import type { Received } from './signals/ladder.ts'
import { receptionOf } from './signals/reception.ts'
import { requests } from './signals/requests.ts'
import { senderOf } from './signals/sender.ts'

/** Puts what was decided into the shapes of events. */
export class StoryTeller {
  private readonly describe: DescribeOptions
  private readonly losses: LossLog
  private readonly evidence: EvidenceTeller

  constructor(describe: DescribeOptions, losses: LossLog) {
    this.describe = describe
    this.losses = losses
    this.evidence = new EvidenceTeller(describe)
  }

  death(judged: Judged): DeathDraft {
    const { ending, finding, behalf, mistake } = judged
    const story = this.story(judged)
    const summary = summarySentence(story)
    const { confidence } = finding
    const alternatives = [...finding.alternatives, ...(behalf?.alternatives ?? [])]
    const reasons = [...finding.reasons, ...(behalf?.reasons ?? []), ...(mistake === undefined ? [] : [mistake.reason])]
    const verdict = { confidence, reasons, alternatives, summary }
    return { ...story, verdict, key: `${ending.victim.id}\nend` }
  }

  private story(judged: Judged): UnjudgedDeath {
    const { ending, finding, service, behalf, mistake, earlier } = judged
    const { victim, at, status, ladder } = ending
    const { fatal } = finding
    const signal = fatal === undefined ? unseenSignal(status, this.at(at), finding.cause) : this.sent(fatal, victim)
    return {
      type: 'death',
      at: this.at(at),
      victim: this.victim(ending, finding),
      service,
      exit: exitOf(status),
      cause: finding.cause,
      signal,
      signals: ladder.rungs.filter((rung) => isTold(rung, fatal)).map((rung) => this.sent(rung, victim)),
      killer: signal?.sender ?? null,
      behalf: behalf === undefined ? null : this.instigator(behalf),
      oom: finding.cause === 'oom' ? { ...oomOf(judged), limitSetBy: this.actor(judged.limitSetBy) } : null,
      wrongPid: mistake === undefined ? null : this.wrongPid(mistake, victim),
      incidentId: judged.incident ?? null,
      evidence: [
        ...(earlier === undefined ? [] : [this.earlier(earlier)]),
        ...this.evidence.of(ending, finding, mistake),
      ],
      coverage: { watchedSince: this.at(this.losses.watchedSince), lostRecords: this.losses.total },
    }
  }

  private victim({ victim, ladder }: Ending, { cause }: Finding): Process {
    const described = describeProcess(victim, this.describe)
    const terminal = cause === 'terminal' && ladder.terminal !== undefined ? textOf(ladder.terminal) : null
    return { ...described, tty: described.tty ?? terminal }
  }

  private earlier({ relation, judged }: EarlierEnd): EarlierDeath {
    const { at, victim, service, exit, cause, signal, killer, behalf, oom } = this.story(judged)
    return { at, kind: 'earlier-death', relation, victim, service, exit, cause, signal, killer, behalf, oom }
  }

  signal(received: Received, target: ProcessEntry, service: Service): SignalDraft {
    const { record } = received
    return {
      type: 'signal',
      target: describeProcess(target, this.describe),
      service,
      ...this.sent(received, target),
      key: `${target.id}\n${record.time}\n${record.sig}\n${record.pid}`,
    }
  }

  private sent(received: Received, target: ProcessEntry): SentSignal {
    const { record, by, program, count, since } = received
    const sender = senderOf(received, target)
    return {
      ...(count > 1 && { count, firstAt: this.at(since) }),
      at: this.at(record.time),
      number: record.sig,
      name: signalName(record.sig),
      sender: sender.status === 'seen' && by !== undefined ? this.process(by, program) : null,
      senderStatus: sender.status,
      via: sender.via,
      code: record.code ?? null,
      result: record.result ?? 'delivered',
      reception: receptionOf(record, target) ?? null,
    }
  }

  private instigator({ kind, name, actor, rule, confidence, graceNs, reasons }: Instigation): Instigator {
    const process = actor === undefined ? null : this.process(actor.process, actor.program)
    const graceMs = graceNs === undefined ? null : Number(graceNs / 1_000_000n)
    return { kind, name: nameText(name, this.describe), process, rule, confidence, graceMs, reasons: [...reasons] }
  }

  /** Null where it is only known that it was another: the pidfile among the evidence says so. */
  private wrongPid({ previousOwner, endedAt, pidfile, confidence }: Mistake, victim: ProcessEntry): WrongPid | null {
    if (previousOwner === undefined) return null
    const reusedAfterNs = endedAt === undefined || victim.start === undefined ? undefined : victim.start - endedAt
    return {
      previousOwner: this.process(previousOwner.process, previousOwner.program),
      endedAt: endedAt === undefined ? null : this.at(endedAt),
      reusedAfterMs: reusedAfterNs === undefined ? null : Number(reusedAfterNs / 1_000_000n),
      pidfile: pidfile === undefined ? null : textOf(pidfile.path),
      pidfileWrittenAt: pidfile?.writtenAt === undefined ? null : timestampOf(pidfile.writtenAt),
      confidence,
    }
  }

  private actor(actor: Actor | undefined): Process | null {
    return actor === undefined ? null : this.process(actor.process, actor.program)
  }

  private process(entry: ProcessEntry, program: Received['program']): Process {
    return describeProcess(entry, this.describe, program)
  }

  private at(time: bigint): string {
    return this.describe.clock.timestamp(time)
  }
}

/** The wait status as an event shows it; all unknown where the end was not seen. */
function exitOf(status: number | undefined): Exit {
  if (status === undefined) return { code: null, signal: null, coreDumped: false }
  const number = termSignalOf(status)
  if (number === 0) return { code: exitCodeOf(status), signal: null, coreDumped: false }
  return { code: null, signal: { number, name: signalName(number) }, coreDumped: (status & 0x80) !== 0 }
}

/** Where the kernel's log told nothing, the victim is certain and the limit is not: then the group is the victim's. */
function oomOf({ ending, outOfMemory }: Judged): Oom {
  const scope = outOfMemory?.scope ?? 'unknown'
  const cgroup = scope === 'unknown' ? ending.victim.cgroup : outOfMemory?.cgroup
  return {
    scope,
    cgroup: cgroup === undefined ? null : textOf(cgroup),
    limitBytes: outOfMemory?.limitBytes ?? null,
    consumers: outOfMemory?.consumers?.map((one) => ({ ...one, comm: textOf(one.comm) })) ?? null,
    processBytes: outOfMemory?.processBytes ?? null,
  }
}

/** A signal that only the wait status tells of; null if it tells of none. */
function unseenSignal(status: number | undefined, at: string, cause: Finding['cause']): SentSignal | null {
  const number = termSignalOf(status ?? 0)
  if (number === 0) return null
  // Where the cause is known nobody sent one: the kernel ended the process without.
  const isKernel = cause !== 'unknown'
  return {
    at,
    number,
    name: signalName(number),
    sender: null,
    senderStatus: isKernel ? 'none' : 'unseen',
    via: isKernel ? 'kernel' : 'unknown',
    code: null,
    result: 'delivered',
    reception: null,
  }
}

/** The fatal signal stands by itself; what programs tell each other with SIGUSR1 and the like is no part of it. */
function isTold({ record }: Received, fatal: Received | undefined): boolean {
  const action = defaultAction(record.sig)
  return (
    record.seq !== fatal?.record.seq &&
    (requests.has(record.sig) || action === 'core' || action === 'stop' || record.sig === sigkill)
  )
}

const sigkill = 9
