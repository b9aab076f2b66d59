import { clocksAt, type Told, watchStart } from './recorded-host.ts'

const second = 1_000

/** Records of a host as a script of short words, each a millisecond after the one before. */
export class Story {
  readonly told: Told[] = []
  private now = watchStart
  private readonly starts = new Map<number, bigint>([[900, 2_000_000_000_000n]])
  private readonly parents = new Map<number, number>()
  private readonly sids = new Map<number, number>([[900, 900]])
  private readonly programs = new Map<number, string[]>()
  /** Of the namespace: inode, and pid there. */
  private readonly spaces = new Map<number, { nsid: number; nspid: number }>()

  private tell(told: Told, afterMs = 1): this {
    this.now += BigInt(Math.round(afterMs * 1_000)) * 1_000n
    this.told.push({ ...told, afterMs } as Told)
    return this
  }

  wait(ms: number): this {
    for (let left = ms; left > 0; left -= second) this.beat(Math.min(left, second))
    return this
  }

  beat(afterMs = 1, setByMs = 0): this {
    const clocks = clocksAt(this.now + BigInt(Math.round(afterMs * 1_000)) * 1_000n)
    return this.tell(
      { type: 'heartbeat', ...clocks, real: clocks.real + BigInt(setByMs) * 1_000_000n } as Told,
      afterMs,
    )
  }

  get wallClock(): bigint {
    return clocksAt(this.now).real
  }

  fork(pid: number, parent: number, space?: { nsid: number; nspid: number }): this {
    const start = this.now + 1_000_000n
    this.starts.set(pid, start)
    this.parents.set(pid, parent)
    this.sids.set(pid, this.sids.get(parent) ?? 1)
    this.programs.set(pid, this.programs.get(parent) ?? ['sh'])
    const own = space ?? this.spaces.get(parent)
    if (own !== undefined) this.spaces.set(pid, own)
    else this.spaces.delete(pid)
    const pstart = this.starts.get(parent)
    const told = { type: 'fork', pid, start, nspid: own?.nspid ?? pid, nsid: own?.nsid ?? 1, ppid: parent } as const
    return this.tell(pstart === undefined ? told : { ...told, pstart })
  }

  exec(pid: number, ...args: string[]): this {
    this.programs.set(pid, args)
    const argv = args.map((arg) => `${arg}\0`).join('')
    const comm = args[0]?.replace(/^.*\//, '').slice(0, 15) ?? ''
    return this.tell({ type: 'exec', ...this.current(pid), comm, exe: `/usr/bin/${comm}`, argn: argv.length, argv })
  }

  /** Forks and execs, in a session of its own where it says so. */
  start(pid: number, parent: number, args: string[], session = false): this {
    this.fork(pid, parent)
    if (session) this.sids.set(pid, pid)
    return this.exec(pid, ...args)
  }

  exit(pid: number, code = 0): this {
    return this.tell({ type: 'exit', ...this.current(pid), code })
  }

  /** @param number what the file names; null: not seen */
  read(pid: number, path: string, number: number | null, mtime?: bigint): this {
    const text = number === null ? {} : { text: `${number}\n` }
    return this.tell({ type: 'open', ...this.current(pid), path, write: 0, ...(mtime && { mtime }), ...text } as Told)
  }

  /** Opened for reading and writing, as some do that want to lock it. */
  open(pid: number, path: string, number: number, mtime: bigint): this {
    return this.tell({ type: 'open', ...this.current(pid), path, write: 1, mtime, text: `${number}\n` })
  }

  write(pid: number, path: string): this {
    return this.tell({ type: 'open', ...this.current(pid), path, write: 1, mtime: this.wallClock, text: '' })
  }

  kill(pid: number, target: number, sig = 9, arg?: number, call = 'kill'): this {
    const space = this.spaces.get(target)
    const tstart = this.starts.get(target)
    return this.tell({
      ...{ type: 'signal', ...this.current(pid), sig, code: 0, info: 'user', group: 1, result: 'delivered', call },
      ...{ arg: arg ?? target, ctx: 0, exiting: 0, tpid: target, ttid: target, disp: 'default', blocked: 0 },
      ...{ tnspid: space?.nspid ?? target, tnsid: space?.nsid ?? 1, ...(tstart !== undefined && { tstart }) },
    } as Told)
  }

  private current(pid: number) {
    const space = this.spaces.get(pid)
    const start = this.starts.get(pid)
    return {
      ...{ pid, tid: pid, uid: 0, euid: 0, sid: this.sids.get(pid) ?? pid },
      ...{ nspid: space?.nspid ?? pid, nsid: space?.nsid ?? 1 },
      ...(start !== undefined && { start }),
    }
  }
}
