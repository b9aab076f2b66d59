import type { Container } from '@whokilled/shared/process'
import type { ProcessEntry } from './entry.ts'
import { type FormerOwner, isLasting, livesOf, numbersOf, pack, unpack } from './former-owner.ts'

export interface FormerOwnersOptions {
  readonly bootId: string
  /** How many are remembered; a quarter of them may be processes that lived less than a second. */
  readonly ownersMax?: number | undefined
  /** The container of a cgroup, with its name where that is known. */
  readonly containerIn?: ((cgroup: string) => Container | null) | undefined
}

/** What is remembered if no setting says otherwise. */
const ownersMaxDefault = 32_768

/** Former owners of one pid; beyond that the short-lived go first. */
const ownersOfPidMax = 8

/**
 * The processes that have ended, by the pid they held. A pid comes round again only after as many forks as there are
 * pids, and by then a host that starts a thousand programs a second has long forgotten the service that ended an hour
 * ago. So those that lived a second or more have room of their own, in which the flood of short ones does not count.
 */
export class FormerOwners {
  readonly counters = { forgotten: 0 }
  private readonly bootId: string
  private readonly containerIn: FormerOwnersOptions['containerIn']
  private readonly lasting: Ring
  private readonly brief: Ring
  /**
   * By pid, and `<inode of the pid namespace>:<pid>` where a process had another one in its own. Packed; where there
   * are several, oldest first: most pids have one, and a list would cost each of them 60 bytes.
   */
  private readonly byPid = new Map<number | string, string | readonly string[]>()

  constructor({ bootId, ownersMax = ownersMaxDefault, containerIn }: FormerOwnersOptions) {
    this.bootId = bootId
    this.containerIn = containerIn
    const briefMax = Math.ceil(ownersMax / 4)
    this.brief = new Ring(briefMax)
    this.lasting = new Ring(ownersMax - briefMax)
  }

  get size(): number {
    return this.brief.size + this.lasting.size
  }

  /** Takes a process of this boot that has ended. */
  remember(entry: ProcessEntry, isEndSeen: boolean): void {
    if (entry.start === undefined || entry.start < 0n) return
    const owner = pack(entry, isEndSeen)
    if (owner === undefined) return
    this.forget((isLasting(livesOf(owner)) ? this.lasting : this.brief).push(owner))
    for (const key of this.keysOf(owner)) this.put(key, withoutSurplus([...this.at(key), owner]))
  }

  /**
   * Who held this number before, the latest first.
   * @param nsId the pid namespace in which the number counts; undefined for the initial one
   */
  of(pid: number, nsId?: number): FormerOwner[] {
    const owners = this.at(nsId === undefined ? pid : `${nsId}:${pid}`)
    return owners.map((owner) => unpack(owner, this.bootId, this.containerIn)).toReversed()
  }

  private forget(owner: string | undefined): void {
    if (owner === undefined) return
    this.counters.forgotten += 1
    for (const key of this.keysOf(owner)) {
      const owners = this.at(key)
      this.put(
        key,
        owners.filter((one) => one !== owner),
      )
    }
  }

  private at(key: number | string): readonly string[] {
    const owners = this.byPid.get(key) ?? []
    return typeof owners === 'string' ? [owners] : owners
  }

  private put(key: number | string, owners: readonly string[]): void {
    const [only] = owners
    if (only === undefined) this.byPid.delete(key)
    else this.byPid.set(key, owners.length === 1 ? only : owners)
  }

  private keysOf(owner: string): (number | string)[] {
    const { pid, nsPid, nsId } = numbersOf(owner)
    return nsPid === undefined ? [pid] : [pid, `${nsId}:${nsPid}`]
  }
}

/** The last so many owners; a push into a full one gives back the oldest. */
class Ring {
  private readonly slots: string[] = []
  private readonly max: number
  private next = 0

  constructor(max: number) {
    this.max = max
  }

  get size(): number {
    return this.slots.length
  }

  push(owner: string): string | undefined {
    const oldest = this.slots[this.next]
    this.slots[this.next] = owner
    this.next = (this.next + 1) % this.max
    return oldest
  }
}

function withoutSurplus(owners: readonly string[]): readonly string[] {
  if (owners.length <= ownersOfPidMax) return owners
  const surplus = owners.find((one) => !isLasting(livesOf(one))) ?? owners[0]
  return owners.filter((one) => one !== surplus)
}
