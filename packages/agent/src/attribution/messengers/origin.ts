import type { ProcessEntry, Program } from '../../process/entry.ts'
import { isCalled, isSameCommand, wordsOf } from '../commands/program.ts'
import { runnerName } from '../commands/runners.ts'
import { shellUse } from '../commands/shell.ts'
import { isTool, userChangeOf } from '../commands/tools.ts'
import type { Actor } from '../judged.ts'
import type { Act } from './messenger.ts'

/** Programs that start others for somebody, or of their own accord. */
export type OriginKind = 'cron' | 'at' | 'runner' | 'ssh' | 'login' | 'container' | 'supervisor' | 'manager'

/** From whom an actor comes: the nearest ancestor that starts programs for others. */
export interface Origin {
  /** Undefined if none was found. */
  readonly kind: OriginKind | undefined
  readonly process: ProcessEntry | undefined
  /** The actor and its ancestors below the origin, nearest first. */
  readonly path: readonly [Actor, ...Actor[]]
  /** The last of them: what the origin itself has started. */
  readonly top: Actor
  /** True if it is not known who started that one. */
  readonly isCut: boolean
}

/** How many ancestors are looked at. */
const ancestorsMax = 32

/** Who acted, when, and where it is known against whom. */
type Come = Pick<Act, 'actor' | 'at'> & Partial<Pick<Act, 'deed'>>

/** Each rule asks it of the same act. */
const found = new WeakMap<object, Origin>()

export function originOf(act: Come): Origin {
  const origin = found.get(act) ?? climb(act)
  found.set(act, origin)
  return origin
}

function climb({ actor, at, deed }: Come): Origin {
  const path: [Actor, ...Actor[]] = [actor]
  let child = actor
  while (path.length < ancestorsMax) {
    const process = child.process.parent
    if (process === undefined || isNameless(process.program))
      return { kind: undefined, process: undefined, path, top: child, isCut: true }
    const parent = { process, program: process.program }
    if (!isLinked(child, parent, at)) break
    const kind = originKind(parent)
    if (kind !== undefined) return { kind, process, path, top: child, isCut: false }
    // Who ended the very process that it comes from does not act for whoever had started that.
    if (process === deed?.ending.victim) break
    path.push(parent)
    child = parent
  }
  return { kind: undefined, process: undefined, path, top: child, isCut: false }
}

/** Known by nothing but its pid: all records of it were lost. */
function isNameless({ args, exe, comm }: Program): boolean {
  return args === undefined && exe === undefined && comm === undefined
}

/**
 * Whether a process still acts within what its parent does. What has outlived its parent in a session of its own is a
 * daemon; in the same session it is a command in the background.
 */
function isLinked(child: Actor, { process, program }: Actor, at: bigint): boolean {
  if (process.endedAt === undefined || process.endedAt >= at) return true
  const isSame = isSameCommand(child.program, program)
  if (isSame && isTool(child.program)) return true
  if (child.process.sid !== undefined && process.sid !== undefined) return child.process.sid === process.sid
  return isSame ? shellUse(program) !== undefined : isTool(child.program)
}

export function originKind({ process, program }: Actor): OriginKind | undefined {
  const named = kinds.find(({ names }) => isCalled(program, names))?.kind
  if (named !== undefined) return named
  if (/^containerd-shim/.test(wordsOf(program)[0] ?? '')) return 'container'
  if (runnerName(program) !== undefined) return 'runner'
  if (isPm2(program.args)) return 'supervisor'
  return process.pid === 1 || isServiceManager({ process, program }) ? 'manager' : undefined
}

/** systemd, of the host, of a container, or of a user. */
export function isServiceManager({ process, program }: Actor): boolean {
  const isSystemd = program.comm === 'systemd' || program.exe?.endsWith('/systemd') === true
  return isSystemd && (isFirst(process) || program.args?.includes('--user') === true)
}

/** Whether it is the systemd of one user. */
export function isUserManager(actor: Actor): boolean {
  return isServiceManager(actor) && !isFirst(actor.process)
}

/** Whether a program changes the user or only passes on what it was given, so that its caller stands behind it. */
export function isBetween({ program }: Actor): boolean {
  return isTool(program) || userChangeOf(program) !== undefined
}

function isFirst({ pid, nsPid }: ProcessEntry): boolean {
  return pid === 1 || nsPid === 1
}

/** pm2 writes a title over its arguments. */
function isPm2(args: readonly string[] | undefined): boolean {
  const [first = '', second = ''] = args ?? []
  return /^PM2 v[\d.]+: God Daemon/.test(first) || /\/pm2\/lib\/Daemon\.js$/.test(second)
}

const kinds: readonly { readonly kind: OriginKind; readonly names: ReadonlySet<string> }[] = [
  { kind: 'cron', names: new Set(['cron', 'crond', 'CRON', 'anacron', 'fcron', 'supercronic']) },
  { kind: 'at', names: new Set(['atd']) },
  { kind: 'ssh', names: new Set(['sshd', 'sshd-session', 'dropbear']) },
  {
    kind: 'login',
    names: new Set([
      ...['login', 'tmux', 'tmux: server', 'screen', 'SCREEN', 'mosh-server', 'in.telnetd', 'telnetd', 'ttyd'],
      ...['ssm-session-worker', 'xterm', 'konsole', 'kitty', 'alacritty', 'gnome-terminal-server'],
    ]),
  },
  { kind: 'container', names: new Set(['conmon']) },
  {
    kind: 'supervisor',
    names: new Set(['supervisord', 'runsv', 's6-supervise', 'supervise', 'circusd', 'god', 'bluepill']),
  },
]
