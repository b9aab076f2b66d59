import type { ProcessEntry, Program } from '../../process/entry.ts'
import { programName } from '../../process/service.ts'
import { isCalled } from '../commands/program.ts'
import type { Received } from './ladder.ts'
import { isByEnding, senderOf } from './sender.ts'

/** Signals of one group kill follow each other within this time. */
const spanNs = 1_000_000_000n

/** Group kills that are remembered. */
const openMax = 256

interface Incident {
  readonly id: string
  last: bigint
}

/**
 * One act, several victims: a kill of a process group or of everybody, a write to cgroup.kill, the end of a pid
 * namespace, a program that kills all of a name. The victims of one act have the same incident id.
 */
export class Incidents {
  private readonly bootId: string
  private readonly open = new Map<string, Incident>()
  private readonly bySignal = new WeakMap<Received['record'], string>()

  constructor(bootId: string) {
    this.bootId = bootId
  }

  follow(received: Received, target: ProcessEntry): void {
    const key = keyOf(received, target)
    if (key === undefined) return
    const { record } = received
    let incident = this.open.get(key)
    if (incident === undefined || record.time - incident.last > spanNs) {
      incident = { id: `${this.bootId}:${record.time}:${record.pid}`, last: record.time }
      this.open.delete(key)
      this.open.set(key, incident)
      for (const oldest of this.open.keys()) {
        if (this.open.size <= openMax) break
        this.open.delete(oldest)
      }
    }
    incident.last = record.time
    this.bySignal.set(record, incident.id)
  }

  of(fatal: Received | undefined): string | undefined {
    return fatal === undefined ? undefined : this.bySignal.get(fatal.record)
  }
}

function keyOf(received: Received, target: ProcessEntry): string | undefined {
  const { record, by, program } = received
  const { via } = senderOf(received, target)
  const who = `${by?.id ?? record.pid} ${record.sig} ${via}`
  if (via === 'kill-group' || via === 'kill-all') return `${who} ${record.arg}`
  if (via === 'cgroup.kill') return who
  if ((via === 'kill' || via === 'pidfd') && program !== undefined && endsMany(program)) return who
  const isNamespaceEnd = isByEnding(record) && record.sig === 9 && record.info === 'priv'
  return isNamespaceEnd ? `${who} namespace` : undefined
}

/** Programs that send one signal to many processes, one after the other. */
const seekers: ReadonlySet<string> = new Set(['pkill', 'killall', 'skill', 'fuser', 'slay'])

/** Whether it kills by name, or was given several pids. */
function endsMany(program: Program): boolean {
  if (isCalled(program, seekers)) return true
  return (
    programName(program) === 'kill' && (program.args ?? []).slice(1).filter((word) => /^\d+$/.test(word)).length > 1
  )
}
