import type { KernelRecord, OpenRecord, SignalRecord } from '@whokilled/agent/record/record'
import type { Facts } from './facts.ts'

/**
 * What a probe told of one scenario, with everything taken out that differs from one run and machine to the next:
 * process ids become roles, times and starts become whether they fit together. Two probes that ran the same scenario
 * on different kernels can so be compared field by field.
 */
export interface Story {
  readonly name: string
  readonly records: readonly TellingRecord[]
}

export interface TellingRecord {
  readonly type: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

/** Fields whose values are the same wherever the scenario runs. */
const sameEverywhere = {
  signal: [
    'sig',
    'code',
    'info',
    'group',
    'result',
    'call',
    'ctx',
    'exiting',
    'disp',
    'blocked',
    'uid',
    'euid',
    'comm',
  ],
  target: ['tuid', 'tcomm'],
  failed: ['call', 'sig', 'err', 'uid', 'euid', 'comm'],
  exit: ['uid', 'euid', 'comm', 'seccomp'],
  open: ['write', 'uid', 'euid', 'comm'],
  exec: ['uid', 'euid', 'comm'],
} as const

/** The stories of all scenarios, in the order of the facts. */
export function storiesOf(records: readonly KernelRecord[], facts: Facts): Story[] {
  return [...facts].map(([name, { victim, sender }]) => ({
    name,
    records: records.flatMap((record) => tellingOf(record, records, { victim, sender })),
  }))
}

interface Roles {
  readonly victim: number
  readonly sender: number
}

function tellingOf(record: KernelRecord, all: readonly KernelRecord[], roles: Roles): TellingRecord[] {
  switch (record.type) {
    case 'signal':
      return concerns(roles, record.tpid) || (record.call !== 'none' && record.pid === roles.sender)
        ? [signal(record, all, roles)]
        : []
    case 'signal-failed':
      if (record.pid !== roles.sender) return []
      return [telling(record, sameEverywhere.failed, { by: role(record.pid, roles), ...argument(record.arg, roles) })]
    case 'exit': {
      if (!concerns(roles, record.pid)) return []
      return [telling(record, sameEverywhere.exit, { of: role(record.pid, roles), code: record.code })]
    }
    case 'exec': {
      if (!concerns(roles, record.pid)) return []
      const fits = startFits(all, record.pid, record.start)
      // In a guest sh is busybox, elsewhere it is not: the name it was called by is the same.
      const args = argumentsOf(record, all)
      const known = args.length === record.argn ? 'all' : 'cut'
      const named = args.split('\0')[0] ?? ''
      return [telling(record, sameEverywhere.exec, { of: role(record.pid, roles), fits, named, known })]
    }
    case 'open':
      return concerns(roles, record.pid) ? [open(record, roles)] : []
    default:
      return []
  }
}

/** The folder differs, and so does when the file was written. */
function open(record: OpenRecord, roles: Roles): TellingRecord {
  const { pid, path, text } = record
  const holds = text === undefined ? {} : { holds: text === `${roles.victim}\n` ? 'victim' : text }
  return telling(record, sameEverywhere.open, { by: role(pid, roles), file: path.split('/').at(-1) ?? '', ...holds })
}

function signal(record: SignalRecord, all: readonly KernelRecord[], roles: Roles): TellingRecord {
  const isInCall = record.call !== 'none' && record.exiting !== 1
  return telling(record, [...sameEverywhere.signal, ...sameEverywhere.target], {
    by: role(record.pid, roles),
    to: role(record.tpid, roles),
    ...(isInCall && argument(record.arg, roles)),
    fits: startFits(all, record.tpid, record.tstart) && startFits(all, record.pid, record.start),
  })
}

function telling(record: KernelRecord, keys: readonly string[], more: TellingRecord['fields']): TellingRecord {
  const values = record as unknown as Record<string, string | number | undefined>
  const fields = Object.fromEntries(
    keys.flatMap((key) => {
      const value = values[key]
      return value === undefined ? [] : [[key, value]]
    }),
  )
  return { type: record.type, fields: { ...fields, ...more } }
}

function concerns({ victim, sender }: Roles, pid: number | undefined): boolean {
  return pid !== undefined && pid > 0 && (pid === victim || pid === sender)
}

function role(pid: number | undefined, { victim, sender }: Roles): string {
  if (pid === victim) return 'victim'
  return pid === sender ? 'sender' : 'another'
}

/** What the caller wrote: a process, a group, or neither. */
function argument(arg: number | undefined, roles: Roles): TellingRecord['fields'] {
  if (arg === undefined) return {}
  const sign = arg < 0 ? '-' : ''
  const named = role(Math.abs(arg), roles)
  return { arg: `${sign}${named === 'another' ? Math.abs(arg) : named}` }
}

/** Whether every record of this process tells the same start. */
function startFits(all: readonly KernelRecord[], pid: number | undefined, start: bigint | undefined): boolean {
  const lives = all.filter((record) => record.type === 'exit' && record.pid === pid)
  return lives.length === 0 || lives.some((life) => life.type === 'exit' && life.start === start)
}

/** The arguments of an exec, its pieces put together; empty bytes where one is missing. */
export function argumentsOf(exec: KernelRecord & { type: 'exec' }, all: readonly KernelRecord[]): string {
  let whole = exec.argv ?? ''
  for (const piece of all) {
    if (piece.type !== 'args' || piece.pid !== exec.pid || piece.start !== exec.start || piece.seq < exec.seq) continue
    if (piece.at === whole.length) whole += piece.argv
  }
  return whole
}
