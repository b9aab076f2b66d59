import { Attribution } from './attribution/attribution.ts'
import { LossLog } from './attribution/loss-log.ts'
import { PublishFilter } from './attribution/publish-filter.ts'
import { StoryTeller } from './attribution/story-teller.ts'
import { BootClock } from './clock.ts'
import type { Config } from './config.ts'
import { Canary } from './coverage/canary.ts'
import { Continuity } from './coverage/continuity.ts'
import { Coverage, type Interruption } from './coverage/coverage.ts'
import type { WatchMemory } from './coverage/watch-memory.ts'
import { ProbeError } from './errors.ts'
import type { EventDraft } from './event-draft.ts'
import type { EventSink } from './event-sink.ts'
import { Outlet } from './outlet.ts'
import type { Probe, ProbeEnd, ProbeKind, ProbeRun } from './probe/probe.ts'
import type { containerNamer } from './process/containers/container-name.ts'
import type { ProcessEntry } from './process/entry.ts'
import { FormerOwners } from './process/former-owners.ts'
import type { ScannedProcess } from './process/proc-scan.ts'
import { ProcessTable } from './process/table.ts'
import { Vanished } from './process/vanished.ts'
import { RecordOrder } from './record/order.ts'
import { parseRecord, type RejectReason } from './record/parse.ts'
import type { KernelRecord, StartRecord } from './record/record.ts'
import type { EventStamp } from './stamp.ts'
import type { UserNames } from './user-names.ts'

export interface AgentOptions {
  readonly config: Pick<Config, 'services' | 'redactArguments' | 'endedProcessesMax'> &
    Partial<Pick<Config, 'formerOwnersMax'>> & { readonly publish: Omit<Config['publish'], 'eventsPerSecondMax'> }
  readonly stamp: EventStamp
  readonly sink: EventSink
  readonly bootId: string
  readonly userNames: UserNames
  /** The processes that are alive now, as /proc or a recording tells; undefined where nothing can tell. */
  readonly scan: () => Promise<readonly ScannedProcess[] | undefined>
  /** One process of this host by its pid. */
  readonly lookUp?: ((pid: number) => ScannedProcess | undefined) | undefined
  /** The executable of one process of this host, for probes that do not tell it. */
  readonly exeOf?: ((pid: number, start: bigint | undefined) => string | undefined) | undefined
  /** The cgroup of one process of this host, for probes that see only its root. */
  readonly cgroupOf?: ((pid: number, start: bigint | undefined) => string | undefined) | undefined
  /** What the runtimes of this host call a container. */
  readonly containerNameOf?: ReturnType<typeof containerNamer> | undefined
  /** Whether to prove with a signal of its own that kills are seen; a recording cannot. */
  readonly canary: boolean
  /** What outlives the agent; undefined for one that keeps nothing (watch, a recording). */
  readonly memory?: WatchMemory | undefined
  /** Only this service. */
  readonly only?: string | undefined
}

export interface AgentCounters {
  lines: number
  rejected: Partial<Record<RejectReason, number>>
  records: number
  events: number
  /** Events from before the proof that kills are seen, beyond what may wait for it. */
  unproven: number
  restarts: number
}

const agentStopped: Interruption = { why: 'agent-stopped', reason: 'the agent was stopped' }

/** The version of docs/line-protocol.md that this program understands. */
const protocolVersion = 1

const expectedEnds: Record<ProbeKind, Interruption> = {
  systemtap: agentStopped,
  bpftrace: agentStopped,
  replay: { why: 'probe-ended', reason: 'the recording was at its end' },
}

/** Without a record for longer than this the host was asleep: there is a heartbeat every second. */
const asleepNsMin = 5_000_000_000n

/**
 * The line on one host: probe → record → order → process table → attribution → event → sink.
 * One object follows a host over all runs of its probe.
 */
export class Agent {
  readonly counters: AgentCounters = { lines: 0, rejected: {}, records: 0, events: 0, unproven: 0, restarts: 0 }
  readonly table: ProcessTable
  readonly formerOwners: FormerOwners
  readonly filter: PublishFilter
  readonly losses = new LossLog(0n)
  order = new RecordOrder()
  private readonly options: AgentOptions
  private readonly clock = new BootClock({ real: 0n, boot: 0n })
  private readonly coverage: Coverage
  private readonly attribution: Attribution
  private readonly vanished: Vanished
  private readonly continuity: Continuity | undefined
  private readonly outlet: Outlet
  private canary: Canary | undefined
  private lastTime = 0n
  /** Records were lost since /proc was read; a flood makes many holes, and one look at each heartbeat is enough. */
  private mustRescan = false
  /** When /proc was last read: what was there then, or began later, was there. */
  private scannedAt = 0n
  /** Why the watching was interrupted; undefined before the first time. */
  private interruption: Interruption | undefined

  constructor(options: AgentOptions) {
    this.options = options
    const { config, bootId, userNames, lookUp, exeOf, cgroupOf, containerNameOf } = options
    this.outlet = new Outlet({ stamp: options.stamp, sink: options.sink, counters: this.counters })
    this.formerOwners = new FormerOwners({
      bootId,
      ownersMax: config.formerOwnersMax,
      containerIn: (cgroup) => this.table.containers.in(cgroup),
    })
    this.table = new ProcessTable({
      bootId,
      endedMax: config.endedProcessesMax,
      lostBetween: (from, to) => this.losses.gapsBetween(from, to).some(({ lost }) => lost > 0),
      onEnd: (process, isSeen) => {
        this.vanished.ended(process, isSeen, this.scannedAt)
        if (process.id.startsWith(`${bootId}:`)) this.formerOwners.remember(process, isSeen)
      },
      ...(lookUp !== undefined && { lookUp }),
      ...(exeOf !== undefined && { exeOf }),
      ...(cgroupOf !== undefined && { cgroupOf }),
      ...(containerNameOf !== undefined && { containerNameOf }),
    })
    this.filter = new PublishFilter({
      table: this.table,
      services: config.services,
      only: options.only,
      programLifeMsMin: config.publish.programLifeMsMin,
      signals: config.publish.signals,
      self: () => this.canary?.agent,
    })
    const describe = { clock: this.clock, redactArguments: config.redactArguments, userName: userNames.nameOf }
    this.coverage = new Coverage(this.clock, this.losses)
    this.attribution = new Attribution({
      bootId,
      clock: this.clock,
      table: this.table,
      formerOwners: this.formerOwners,
      services: config.services,
      filter: this.filter,
      teller: new StoryTeller(describe, this.losses),
      losses: this.losses,
    })
    this.vanished = new Vanished(this.table)
    const { memory, stamp, sink } = options
    if (memory === undefined) return
    this.continuity = new Continuity({
      ...{ memory, bootId, sink, describe, services: config.services, runId: stamp.runId },
      ...{ table: this.table, vanished: this.vanished, losses: this.losses, coverage: this.coverage },
      programLifeMsMin: config.publish.programLifeMsMin,
      isOwn: (process) => this.filter.isOwn(process),
    })
  }

  /** Follows one run of a probe to its end. Throws a ProbeError if it never told of a kill that was really sent. */
  async follow(probe: Probe, run: ProbeRun): Promise<ProbeEnd> {
    this.outlet.probe = probe.kind
    this.order = new RecordOrder()
    let blind: unknown
    try {
      for await (const line of run.lines()) {
        for (const record of this.read(line)) {
          if (record.type === 'start') {
            await this.begin(record)
            this.canary?.sing().catch((error: unknown) => {
              blind = error
              return run.stop()
            })
          } else await this.take(record)
        }
      }
      for (const record of this.order.flush()) await this.take(record)
    } finally {
      this.canary?.stop()
    }
    const end = await run.ended
    const error = blind instanceof ProbeError ? blind : end.error
    await this.finish(
      error === null ? expectedEnds[probe.kind] : { why: 'probe-ended', reason: error.reason ?? error.message },
    )
    if (blind !== undefined) throw blind
    return end
  }

  private read(line: string): ReturnType<RecordOrder['push']> {
    this.counters.lines += 1
    const parsed = parseRecord(line)
    if ('rejected' in parsed) {
      const { rejected } = this.counters
      rejected[parsed.rejected] = (rejected[parsed.rejected] ?? 0) + 1
      return []
    }
    return this.order.push(parsed.record)
  }

  /** A probe has begun to print: only now is /proc read, so that no process falls between the two. */
  private async begin(record: StartRecord): Promise<void> {
    if (record.v !== protocolVersion) {
      throw new ProbeError(
        'protocol-version',
        `expected a probe that speaks version ${protocolVersion} of the line protocol, got version ${record.v}`,
        'Build the probe module again with this version of the agent (`whokilled-agent build-module`).',
      )
    }
    this.coverage.started(record)
    this.attribution.follow(record, {})
    this.lastTime = record.time
    await this.rescan(record.time)
    this.interruption ??= this.continuity?.comeBack(record.time, this.scannedAt === record.time)
    if (this.options.canary) this.canary = new Canary()
    else await this.watchFrom(record.time)
  }

  /** Learns the processes that no record told of, and which of those that it knows are gone. */
  private async rescan(at: bigint): Promise<void> {
    this.mustRescan = false
    const scan = await this.options.scan()
    if (scan === undefined) return
    this.vanished.missed(this.table.reconcile(scan, at), at, this.scannedAt)
    this.scannedAt = at
  }

  private async take(record: ReturnType<RecordOrder['push']>[number]): Promise<void> {
    this.counters.records += 1
    if (record.type === 'hole') {
      this.mustRescan = true
      this.lastTime = record.before
      await this.outlet.emit([this.coverage.hole(record)])
      return
    }
    if (record.time - this.lastTime > asleepNsMin) this.losses.sleep(this.lastTime, record.time)
    this.lastTime = record.time
    const applied = this.table.apply(record)
    if (this.canary?.hears(record, applied)) await this.watchFrom(record.time)
    const ended = applied.ended === true ? applied.process : undefined
    const drafts = this.attribution.follow(record, applied)
    await (ended === undefined ? this.outlet.emit(drafts) : this.emitEnd(ended, record.time, drafts))
    if (record.type === 'heartbeat' || record.type === 'stop') await this.beat(record)
  }

  private async beat(record: KernelRecord & { type: 'heartbeat' | 'stop' }): Promise<void> {
    const told = this.coverage.heartbeat(record)
    await this.outlet.emit(told)
    if (this.mustRescan || told.some(({ why }) => why === 'hits-skipped')) await this.rescan(record.time)
    if (this.outlet.isOpen) await this.emitVanished(record.time)
    const dropped = this.outlet.isOpen ? this.options.sink.takeDropped() : undefined
    if (dropped !== undefined) await this.outlet.emit([this.coverage.dropped(record.time, dropped)])
    if (this.outlet.isOpen) void this.continuity?.remember(record.time)
  }

  /** The agent ends in order. */
  async leave(): Promise<void> {
    await this.continuity?.remember(this.lastTime, true)
  }

  /** Only while watching: what is still missing then is told with the gap that hid it. */
  private async emitVanished(now: bigint): Promise<void> {
    for (const missed of this.vanished.overdue(now)) {
      const drafts = this.attribution.vanish(missed.process, missed.at, missed.aliveAt)
      await this.emitEnd(missed.process, missed.at, this.continuity?.asToldBefore(missed, drafts) ?? drafts)
    }
  }

  private async emitEnd(process: ProcessEntry, at: bigint, drafts: readonly EventDraft[]): Promise<void> {
    const { continuity } = this
    if (continuity === undefined || !continuity.concerns(process)) return await this.outlet.emit(drafts)
    continuity.ends(process, drafts[0]?.at ?? this.clock.timestamp(at))
    await this.outlet.emit(drafts)
    continuity.hasTold(process)
  }

  private async watchFrom(time: bigint): Promise<void> {
    const told = this.coverage.begin(time, this.interruption)
    const unsaid = this.continuity?.begin(time, told) ?? []
    await this.outlet.open([...unsaid, ...told])
  }

  private async finish(interruption: Interruption): Promise<void> {
    this.counters.restarts += 1
    if (!this.outlet.isOpen) return
    await this.outlet.emit([this.coverage.end(this.lastTime, interruption)])
    this.outlet.close()
    this.interruption = interruption
  }
}
