import type { ProcessEntry } from '@whokilled/agent/process/entry'
import type { ScannedProcess } from '@whokilled/agent/process/proc-scan'
import { ProcessTable } from '@whokilled/agent/process/table'
import { RecordOrder } from '@whokilled/agent/record/order'
import { parseRecord } from '@whokilled/agent/record/parse'
import type { KernelRecord } from '@whokilled/agent/record/record'
import type { WayFacts } from './facts.ts'
import type { Recording } from './tell.ts'

/** How much before its beginning and after its end belongs to a way: /proc/uptime tells hundredths of a second. */
const marginNs = 50_000_000n

/**
 * Cuts a long recording into one for each way, each with the processes that were alive when it began, so that it
 * stands by itself. Numbers are shifted, never closed: a hole stays a hole.
 */
export function slices(whole: Recording, facts: ReadonlyMap<string, WayFacts>): Map<string, Recording> {
  const ordered = inOrder(whole.lines)
  const [start] = ordered
  if (start === undefined) throw new Error('Expected a recording, found no line in it.')
  const cut = new Map<string, Recording>()
  for (const [way, { begin, end }] of facts) {
    const from = nanoseconds(begin) - marginNs
    const to = nanoseconds(end) + marginNs
    const first = ordered.findIndex(({ record }) => record.type !== 'start' && record.time >= from)
    const after = ordered.findIndex(({ record }, at) => at >= first && record.time > to)
    const inside = first < 0 ? [] : ordered.slice(first, after < 0 ? undefined : after)
    const shift = (inside[0]?.record.seq ?? 2) - 2
    cut.set(way, {
      lines: [start.line, ...inside.map(({ line, record }) => renumbered(line, record.seq, record.seq - shift))],
      snapshot: { ...whole.snapshot, processes: livingAt(whole, ordered.slice(1, Math.max(first, 1))) },
    })
  }
  return cut
}

interface Numbered {
  readonly line: string
  readonly record: KernelRecord
}

function inOrder(lines: readonly string[]): Numbered[] {
  const order = new RecordOrder()
  const byRecord = new Map<KernelRecord, string>()
  const numbered: Numbered[] = []
  const take = (records: ReturnType<RecordOrder['push']>) => {
    for (const record of records) {
      if (record.type !== 'hole') numbered.push({ record, line: byRecord.get(record) ?? '' })
    }
  }
  for (const line of lines) {
    const parsed = parseRecord(line)
    if ('rejected' in parsed) throw new Error(`Expected records alone, found one ${parsed.rejected}: ${line}`)
    byRecord.set(parsed.record, line)
    take(order.push(parsed.record))
  }
  take(order.flush())
  return numbered
}

function renumbered(line: string, from: number, to: number): string {
  const fields = line.split('\t')
  fields[1] = String(to)
  if (fields.at(-1) !== `#${from}`) throw new Error(`Expected a line that ends with #${from}: ${line}`)
  fields[fields.length - 1] = `#${to}`
  return fields.join('\t')
}

/** Kernel threads are left out: nobody asks about them, and there are many. */
function livingAt({ snapshot }: Recording, before: readonly Numbered[]): ScannedProcess[] {
  const table = new ProcessTable({ bootId: snapshot.bootId })
  table.reconcile(snapshot.processes)
  for (const { record } of before) table.apply(record)
  return [...table.living()].filter(({ pid, ppid }) => pid !== 2 && ppid !== 2).map(scannedOf)
}

function scannedOf(entry: ProcessEntry): ScannedProcess {
  const { pid, program, start = 0n, uid, euid, nsPid, nsId, loginUid, sessionId, sid, tty, cgroup } = entry
  const facts = {
    pid,
    startTicks: Number(start / 10_000_000n),
    comm: program.comm ?? '',
    args: program.args,
    exe: program.exe,
    ppid: entry.parent?.pid ?? entry.ppid,
    ...{ uid, euid, nspid: nsPid, nsid: nsId, luid: loginUid, ses: sessionId, sid, tty: tty ?? '', cgroup },
  }
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as unknown as ScannedProcess
}

function nanoseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 100)) * 10_000_000n
}
