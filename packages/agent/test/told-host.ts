import type { DeathEvent } from '@whokilled/shared/event'
import { deathsOf, type HostOptions, init, type Told, watchStart } from './recorded-host.ts'

/** A process of a told host. */
export interface ToldProcess {
  readonly pid: number
  readonly start: bigint
  readonly facts: Facts
  readonly parent?: ToldProcess
}

/** What a process has from its parent, unless it is told otherwise. */
export interface Facts {
  readonly uid?: number
  readonly euid?: number
  /** Who logged in; left out: nobody did. */
  readonly luid?: number
  readonly sid?: number
  readonly tty?: string
  readonly cgroup?: string
  readonly nspid?: number
  readonly nsid?: number
  readonly comm?: string
  readonly exe?: string
}

/** Kernel records told step by step: what runs, who signals whom, who ends. Process 1 is systemd. */
export class ToldHost {
  readonly systemd: ToldProcess = {
    pid: 1,
    start: 10_000_000n,
    facts: { uid: 0, cgroup: '/init.scope', comm: 'systemd' },
  }
  private readonly told: Told[] = []
  private pid = 1_000
  private now = watchStart

  /** Time passes. */
  wait(ms: number): void {
    this.now += BigInt(Math.round(ms * 1_000)) * 1_000n
    this.told.push({ type: 'heartbeat', real: 0n, mono: 0n, boot: 0n, afterMs: ms })
  }

  fork(parent: ToldProcess): ToldProcess {
    this.pid += 1
    this.now += 1_000_000n
    const child = { pid: this.pid, start: this.now, facts: { ...parent.facts }, parent }
    this.told.push({ type: 'fork', pid: child.pid, start: child.start, ppid: parent.pid, pstart: parent.start })
    return child
  }

  exec(process: ToldProcess, args: readonly string[], facts: Facts = {}): ToldProcess {
    const first = args[0] ?? ''
    const name = first.slice(first.lastIndexOf('/') + 1).replace(/^-/, '')
    const now = { ...process, facts: { ...process.facts, comm: name.slice(0, 15), exe: `/usr/bin/${name}`, ...facts } }
    const argv = args.map((arg) => `${arg}\0`).join('')
    this.now += 1_000_000n
    this.told.push({ type: 'exec', ...current(now), argn: argv.length, argv })
    return now
  }

  /** A child that runs a program. */
  run(parent: ToldProcess, args: readonly string[], facts: Facts = {}): ToldProcess {
    return this.exec(this.fork(parent), args, facts)
  }

  signal(by: ToldProcess, target: ToldProcess, sig: number, more: Partial<Told & { type: 'signal' }> = {}): void {
    this.now += 1_000_000n
    this.told.push({
      ...current(by),
      ...{ type: 'signal', tid: by.pid, sig, code: 0, info: 'user', group: 1, result: 'delivered', call: 'kill' },
      ...{ arg: target.pid, ctx: 0, exiting: 0, disp: 'default', blocked: 0 },
      ...{ tpid: target.pid, ttid: target.pid, tstart: target.start },
      ...more,
    } as Told)
  }

  /** @param code the wait status */
  exit(process: ToldProcess, code = 0): void {
    this.now += 1_000_000n
    this.told.push({ type: 'exit', ...current(process), code } as Told)
  }

  /** The OOM killer chooses a process. */
  outOfMemory(target: ToldProcess): void {
    this.now += 1_000_000n
    this.told.push({ type: 'oom', tpid: target.pid, tstart: target.start })
  }

  /** A signal, and the death of it. */
  kill(by: ToldProcess, target: ToldProcess, sig = 9): void {
    this.signal(by, target, sig)
    this.exit(target, sig)
  }

  async deaths(options: HostOptions = {}): Promise<DeathEvent[]> {
    return await deathsOf(this.told, { processes: [init], ...options })
  }

  /** For whom the last that died was killed. */
  async behalf(options: HostOptions = {}): Promise<DeathEvent['behalf']> {
    const death = (await this.deaths(options)).at(-1)
    if (death === undefined) throw new Error('Expected a death, none was told.')
    return death.behalf
  }
}

/** A service of systemd with this main process. */
export function unitProcess(host: ToldHost, unit: string, args: readonly string[], facts: Facts = {}): ToldProcess {
  return host.run(host.systemd, args, { cgroup: `/system.slice/${unit}`, sid: 0, ...facts })
}

/** The shell that a user types at. */
export function loginShell(host: ToldHost, uid: number, tty = 'pts/3', facts: Facts = {}): ToldProcess {
  const login = host.run(host.systemd, ['/usr/bin/tmux'], { cgroup: `/user.slice/user-${uid}.slice/session-3.scope` })
  return host.run(login, ['-bash'], { uid, euid: uid, tty, sid: 77, ...facts })
}

/** A process and those it descends from, without process 1. */
export function ownLine(process: ToldProcess): ToldProcess[] {
  const { parent } = process
  return parent === undefined ? [] : [process, ...ownLine(parent)]
}

function current({ pid, start, facts }: ToldProcess): { pid: number; start: bigint } & Facts {
  return { pid, start, ...facts }
}
