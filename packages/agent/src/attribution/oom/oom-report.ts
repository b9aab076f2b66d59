import type { OutOfMemory } from '../judged.ts'
import { isInside } from './limit-setter.ts'

/** Who held how much memory, as the kernel's table tells it. */
type Consumer = NonNullable<OutOfMemory['consumers']>[number]

/** How many are named; the kernel lists thousands. */
const consumersMax = 5

/** Pieces of the line that sums up: the kernel prints eight or nine. */
const piecesMax = 32

/** Places in that line that look like a path's beginning; more than one only if somebody names a group so. */
const placesMax = 16

/** The kernel tells `unlimited` as the number of pages that it can count (PAGE_COUNTER_MAX). */
const limitBytesMax = 2 ** 52

/**
 * What the kernel printed of one OOM kill before it chose a victim (dump_header in mm/oom_kill.c, and
 * mem_cgroup_print_oom_meminfo in mm/memcontrol.c). Takes line after line; names and paths in them may hold any bytes,
 * so each line is read by its form as a whole, from its end where a name stands at its beginning.
 */
export class OomReport {
  private stage = -1
  private order: number | undefined
  private limitBytes: number | undefined
  private columns: RegExp | undefined
  private swapColumn = -1
  private consumers: Consumer[] | undefined
  private processBytes = 0
  private readonly summary: string[] = []
  private readonly pageBytes: number

  constructor(pageBytes: number) {
    this.pageBytes = pageBytes
  }

  /** False if the line cannot follow on those before: it belongs to another report. */
  add(text: string): boolean {
    const stage = this.stageOf(text)
    if (stage === undefined) return true
    if (stage < this.stage || (stage === this.stage && stage !== stages.rows && stage !== stages.summary)) return false
    this.stage = stage
    if (stage === stages.called) this.order = Number(called.exec(text)?.[1])
    else if (stage === stages.limit) this.limitBytes = limitOf(text)
    else if (stage === stages.table) this.consumers = []
    else if (stage === stages.rows) this.addRow(text)
    else if (this.summary.length < piecesMax) this.summary.push(text)
    return true
  }

  /** Whom the kernel says to have chosen: the number of a thread. */
  get victim(): number | undefined {
    const pid = /,task=[\s\S]{0,15},pid=(\d{1,10}),uid=-?\d+$/.exec(this.summary.join(''))?.[1]
    return pid === undefined ? undefined : Number(pid)
  }

  /** @param victimGroup the victim's own group, which tells paths apart that could be read in two ways */
  tell(victimGroup: string | undefined): OutOfMemory {
    const summary = this.summary.join('')
    const scope = this.scopeOf(/^oom-kill:constraint=(\w+),/.exec(summary)?.[1])
    const isGroup = scope === 'cgroup'
    const isListed = this.consumers !== undefined && this.consumers.length > 0
    return {
      scope,
      cgroup: isGroup ? limitedGroup(summary, victimGroup) : undefined,
      limitBytes: isGroup ? this.limitBytes : undefined,
      consumers: isListed ? this.consumers : undefined,
      processBytes: isListed ? this.processBytes : undefined,
    }
  }

  /** Inside the line that sums up everything is a piece of it, whatever it looks like. */
  private stageOf(text: string): number | undefined {
    if (this.stage === stages.summary && (this.victim === undefined || /^[,/]/.test(text))) return stages.summary
    if (called.test(text)) return stages.called
    if (text.startsWith('oom-kill:constraint=')) return this.stage === stages.summary ? elsewhere : stages.summary
    if (text.startsWith('memory: usage ')) return stages.limit
    if (text.startsWith('Tasks state (memory values in pages)')) return stages.table
    return text.startsWith('[') && this.consumers !== undefined ? stages.rows : undefined
  }

  private scopeOf(constraint: string | undefined): OutOfMemory['scope'] {
    if (this.order === calledByHand) return 'sysrq'
    // Of a call by hand the kernel says the same below its first line; where that was lost, it may have been one.
    if (this.order === undefined && constraint === unconstrained) return 'unknown'
    return scopes[constraint ?? ''] ?? 'unknown'
  }

  /** The names of the columns come first: newer kernels have more of them. */
  private addRow(text: string): void {
    const names = /^\[ {2}pid {2}\] +uid +tgid +total_vm +rss((?: +\w+)+) +name$/.exec(text)?.[1]?.trim().split(/ +/)
    if (names !== undefined) {
      this.columns = new RegExp(
        `^\\[ *\\d+\\] +-?\\d+ +(\\d{1,10}) +\\d+ +(\\d+)((?: +-?\\d+){${names.length}}) ([\\s\\S]{0,15})$`,
      )
      this.swapColumn = names.indexOf('swapents')
      return
    }
    const [, pid, rss, others, comm] = this.columns?.exec(text) ?? []
    const swap = Number(others?.trim().split(/ +/)[this.swapColumn] ?? 0)
    const bytes = (Number(rss) + Math.max(swap, 0)) * this.pageBytes
    if (pid === undefined || comm === undefined || !Number.isSafeInteger(bytes)) return
    this.processBytes += bytes
    this.consumers?.push({ pid: Number(pid), comm, bytes })
    this.consumers?.sort((a, b) => b.bytes - a.bytes).splice(consumersMax)
  }
}

/** The parts of a report, in the order of the log. */
const stages = { called: 0, limit: 1, table: 2, rows: 3, summary: 4 }
const elsewhere = -1

/** `NAME invoked oom-killer: …`; order -1 is that of SysRq f (is_sysrq_oom). */
const called = /^[\s\S]{0,15} invoked oom-killer: gfp_mask=.*, order=(-?\d+), oom_score_adj=-?\d+$/
const calledByHand = -1
const unconstrained = 'CONSTRAINT_NONE'

/** enum oom_constraint in include/linux/oom.h. */
const scopes: Readonly<Record<string, OutOfMemory['scope']>> = {
  CONSTRAINT_MEMCG: 'cgroup',
  CONSTRAINT_NONE: 'host',
  CONSTRAINT_CPUSET: 'nodes',
  CONSTRAINT_MEMORY_POLICY: 'nodes',
}

/** Swap has a line of its own, with a limit of its own. */
function limitOf(text: string): number | undefined {
  const bytes = Number(/^memory: usage \d+kB, limit (\d{1,16})kB, failcnt \d+$/.exec(text)?.[1]) * 1024
  return bytes < limitBytesMax ? bytes : undefined
}

/**
 * The group whose limit was reached: that of the victim or one above it. A group may be named like a part of this line;
 * where it can be read in two ways, the victim's group decides, and if that does not either, it is unknown.
 */
function limitedGroup(summary: string, victimGroup: string | undefined): string | undefined {
  const found = new Map<string, boolean>()
  for (const end of placesOf(',task=', summary).filter((at) => lastPiece.test(summary.slice(at)))) {
    const line = summary.slice(0, end)
    for (const from of placesOf(',oom_memcg=', line)) {
      for (const to of placesOf(',task_memcg=', line)) {
        const limited = line.slice(from + ',oom_memcg='.length, to)
        const own = line.slice(to + ',task_memcg='.length)
        if (!limited.startsWith('/') || !isInside(own, limited)) continue
        found.set(limited, found.get(limited) === true || own === victimGroup)
      }
    }
  }
  if (found.size === 1) return [...found.keys()][0]
  const fitting = [...found].filter(([, isVictims]) => isVictims)
  return fitting.length === 1 ? fitting[0]?.[0] : undefined
}

const lastPiece = /^,task=[\s\S]{0,15},pid=\d{1,10},uid=-?\d+$/

/** The last ones, if there are too many. */
function placesOf(word: string, line: string): number[] {
  const places: number[] = []
  for (let at = line.lastIndexOf(word); at >= 0 && places.length < placesMax; ) {
    places.push(at)
    at = at === 0 ? -1 : line.lastIndexOf(word, at - 1)
  }
  return places
}
