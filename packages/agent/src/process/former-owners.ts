import { containerOf } from './cgroup.ts'
import { nothingKnown, type ProcessEntry, processId } from './entry.ts'

/**
 * Who held a pid before, kept small: no references to other processes, so that remembering one remembers nothing else.
 * Times are nanoseconds since boot.
 */
export interface FormerOwner {
  readonly pid: number
  readonly start: bigint
  /** When it ended; if that was not seen, it had ended by then. */
  readonly endedAt: bigint
  readonly isEndSeen: boolean
  readonly nsPid: number | undefined
  readonly nsId: number | undefined
  /** Which process forked it; both undefined if that is not known. */
  readonly parentPid: number | undefined
  readonly parentStart: bigint | undefined
  /** Whether its parent went on to fork others while it ran: a shell that waits for a command does not. */
  readonly inBackground: boolean
  /** Name, path, terminal, cgroup and arguments, one behind the other: one flat string takes a third of the room. */
  readonly facts: string
  readonly hasArgs: boolean
  readonly argsTruncated: boolean
  readonly uid: number | undefined
  readonly euid: number | undefined
  readonly loginUid: number | undefined
  readonly sessionId: number | undefined
}

export interface FormerOwnersOptions {
  readonly bootId: string
  /** How many are remembered; a quarter of them may be processes that lived less than a second. */
  readonly ownersMax?: number | undefined
}

/** What is remembered if no setting says otherwise: 9 MB. */
const ownersMaxDefault = 32_768

/** A process that lived as long is a service or a worker, or a command that somebody may remember. */
const lastingNs = 1_000_000_000n

/** Former owners of one pid; beyond that the short-lived go first. */
const ownersOfPidMax = 8

/** Bytes of arguments that are kept; cut between two of them, so that no half of a secret is left. */
const argsBytesMax = 512

/**
 * The processes that have ended, by the pid they held. A pid comes round again only after as many forks as there are
 * pids, and by then a host that starts a thousand programs a second has long forgotten the service that ended an hour
 * ago. So those that lived a second or more have room of their own, in which the flood of short ones does not count.
 */
export class FormerOwners {
  readonly counters = { forgotten: 0 }
  private readonly bootId: string
  private readonly lasting: Ring
  private readonly brief: Ring
  /** By pid, and `<inode of the pid namespace>:<pid>` where a process had another one in its own; oldest first. */
  private readonly byPid = new Map<number | string, readonly FormerOwner[]>()

  constructor({ bootId, ownersMax = ownersMaxDefault }: FormerOwnersOptions) {
    this.bootId = bootId
    const briefMax = Math.ceil(ownersMax / 4)
    this.brief = new Ring(briefMax)
    this.lasting = new Ring(ownersMax - briefMax)
  }

  get size(): number {
    return this.brief.size + this.lasting.size
  }

  /** Takes a process that has ended. One whose start is not known is not remembered: nothing could be said of it. */
  remember(entry: ProcessEntry, isEndSeen: boolean): void {
    const { start, endedAt } = entry
    if (start === undefined || endedAt === undefined) return
    const owner = ownerOf(entry, start, endedAt, isEndSeen)
    this.forget((isLasting(owner) ? this.lasting : this.brief).push(owner))
    for (const key of keysOf(owner)) this.byPid.set(key, this.withoutSurplus([...(this.byPid.get(key) ?? []), owner]))
  }

  /**
   * Who held this number before, the latest first.
   * @param nsId the pid namespace in which the number counts; undefined for the initial one
   */
  of(pid: number, nsId?: number): FormerOwner[] {
    return (this.byPid.get(nsId === undefined ? pid : `${nsId}:${pid}`) ?? []).toReversed()
  }

  /** A former owner as the process table had it, without its ancestors. */
  entryOf(owner: FormerOwner): ProcessEntry {
    const [comm, exe, tty, cgroup, ...args] = owner.facts.split('\0')
    return {
      ...nothingKnown,
      id: processId(this.bootId, owner.start, owner.pid),
      pid: owner.pid,
      start: owner.start,
      ppid: owner.parentPid,
      program: {
        comm: comm || undefined,
        exe: exe || undefined,
        args: owner.hasArgs ? args : undefined,
        argsTruncated: owner.argsTruncated,
      },
      nsPid: owner.nsPid,
      nsId: owner.nsId,
      uid: owner.uid,
      euid: owner.euid,
      loginUid: owner.loginUid,
      sessionId: owner.sessionId,
      tty: tty || undefined,
      cgroup: cgroup || undefined,
      container: cgroup ? containerOf(cgroup) : null,
      endedAt: owner.endedAt,
    }
  }

  private withoutSurplus(owners: readonly FormerOwner[]): readonly FormerOwner[] {
    if (owners.length <= ownersOfPidMax) return owners
    const surplus = owners.find((one) => !isLasting(one)) ?? owners[0]
    return owners.filter((one) => one !== surplus)
  }

  private forget(owner: FormerOwner | undefined): void {
    if (owner === undefined) return
    this.counters.forgotten += 1
    for (const key of keysOf(owner)) {
      const others = this.byPid.get(key)?.filter((one) => one !== owner) ?? []
      if (others.length > 0) this.byPid.set(key, others)
      else this.byPid.delete(key)
    }
  }
}

/** Whether it lived long enough to be remembered by somebody. */
export function isLasting({ start, endedAt }: FormerOwner): boolean {
  return endedAt - start >= lastingNs
}

/** The last so many owners; a push into a full one gives back the oldest. */
class Ring {
  private readonly slots: FormerOwner[] = []
  private readonly max: number
  private next = 0

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return this.slots.length
  }

  push(owner: FormerOwner): FormerOwner | undefined {
    const oldest = this.slots[this.next]
    this.slots[this.next] = owner
    this.next = (this.next + 1) % this.max
    return oldest
  }
}

function ownerOf(entry: ProcessEntry, start: bigint, endedAt: bigint, isEndSeen: boolean): FormerOwner {
  const { parent, program, pid, nsPid, nsId, tty = '', cgroup = '', uid, euid, loginUid, sessionId } = entry
  const { comm = '', exe = '', args } = program
  const kept = args === undefined ? [] : shortArgs(args)
  return {
    pid,
    start,
    endedAt,
    isEndSeen,
    nsPid,
    nsId,
    parentPid: parent?.pid,
    parentStart: parent?.start,
    inBackground: parent !== undefined && entry.birth > 0 && parent.children > entry.birth,
    facts: [comm, exe, tty, cgroup, ...kept].join('\0'),
    hasArgs: args !== undefined,
    argsTruncated: program.argsTruncated || kept.length < (args?.length ?? 0),
    uid,
    euid,
    loginUid,
    sessionId,
  }
}

function shortArgs(args: readonly string[]): readonly string[] {
  let bytes = 0
  const beyond = args.findIndex((arg) => {
    bytes += arg.length + 1
    return bytes > argsBytesMax
  })
  return beyond < 0 ? args : args.slice(0, beyond)
}

function keysOf({ pid, nsPid, nsId }: FormerOwner): (number | string)[] {
  return nsPid === undefined || nsId === undefined || nsPid === pid ? [pid] : [pid, `${nsId}:${nsPid}`]
}
