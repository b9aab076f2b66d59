import type { Claim, Death } from './judge.ts'
import type { Timed } from './told-by.ts'

/** Which argument of a call is the signal: number → name and position (64-bit, then 32-bit programs). */
const sendingCalls: Readonly<Record<string, ReadonlyMap<number, number>>> = {
  c000003e: new Map([
    [62, 1],
    [200, 1],
    [234, 2],
    [129, 1],
    [297, 2],
    [424, 1],
  ]),
  '40000003': new Map([
    [37, 1],
    [238, 1],
    [270, 2],
    [178, 1],
    [335, 2],
    [424, 1],
  ]),
}

/**
 * auditd's log. One event is several lines with the same number: SYSCALL says who called what, an OBJ_PID for each
 * process that got the signal. ANOM_ABEND tells of a process that ended with a signal that dumps core, SECCOMP of one
 * that a filter ended (type names and fields: audit.rules(7), linux/audit.h).
 */
export function toldByAuditd(log: string): Timed<Claim | Death>[] {
  const events = new Map<string, Line[]>()
  for (const text of log.split('\n')) {
    const line = lineOf(text)
    if (line !== undefined) events.set(line.event, [...(events.get(line.event) ?? []), line])
  }
  return [...events.values()].flatMap(([first, ...more]) =>
    first === undefined ? [] : toldBy([first, ...more]).map((what) => ({ at: first.at, what })),
  )
}

/** What a user would take a signal that dumps core for, where it is not a fault of the processor. */
const causes: ReadonlyMap<number, string> = new Map([
  [6, 'self'],
  [24, 'resource-limit'],
  [25, 'resource-limit'],
  [31, 'seccomp'],
])

interface Line {
  readonly type: string
  readonly event: string
  readonly at: number
  readonly fields: ReadonlyMap<string, string>
}

function lineOf(text: string): Line | undefined {
  const [, type, at, serial, rest] = /^type=(\S+) msg=audit\(([\d.]+):(\d+)\): ?(.*)$/.exec(text) ?? []
  if (type === undefined || rest === undefined) return undefined
  const fields = new Map(Array.from(rest.matchAll(/(\S+?)=("[^"]*"|\S*)/g), ([, key = '', value = '']) => [key, value]))
  return { type, event: `${at}:${serial}`, at: Number(at), fields }
}

function toldBy(lines: readonly Line[]): (Claim | Death)[] {
  const call = lines.find(({ type }) => type === 'SYSCALL')?.fields
  const number = (fields: Line['fields'], key: string) => Number(fields.get(key))
  return lines.flatMap(({ type, fields }): (Claim | Death)[] => {
    if (type === 'ANOM_ABEND') {
      return [{ pid: number(fields, 'pid'), cause: causes.get(number(fields, 'sig')) ?? 'fault' }]
    }
    if (type === 'SECCOMP') return [{ pid: number(fields, 'pid'), cause: 'seccomp' }]
    if (type !== 'OBJ_PID' || call?.get('success') !== 'yes') return []
    const at = sendingCalls[call.get('arch') ?? '']?.get(number(call, 'syscall'))
    if (at === undefined) return []
    const signal = Number.parseInt(call.get(`a${at}`) ?? '0', 16)
    return [{ sender: number(call, 'pid'), signal, target: number(fields, 'opid') }]
  })
}
