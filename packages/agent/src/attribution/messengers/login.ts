import { serviceUnitOf } from '../../process/cgroup.ts'
import type { ProcessEntry } from '../../process/entry.ts'
import { isClient } from '../commands/clients.ts'
import { isCalled } from '../commands/program.ts'
import { isTypedAt, shellUse } from '../commands/shell.ts'
import { isTool, userChangeOf } from '../commands/tools.ts'
import type { Actor, NamePart } from '../judged.ts'
import type { Act, Messenger } from './messenger.ts'
import { type Origin, originKind, originOf } from './origin.ts'

/** Who is logged in where the act came from: at a terminal, through ssh, behind sudo and su. */
export const login: Messenger = (act) => {
  const origin = originOf(act)
  const found = sessionIn(origin, act)
  if (found === undefined) return undefined
  const user = userBehind(origin)
  const isDirect = act.steps.length > 0 || actsAtOnce(act.actor)
  return {
    kind: 'session',
    name: nameOf(user, origin),
    actor: processBehind(user, origin, act),
    rule: 'login',
    confidence: isDirect && !mayBeNobody(origin, act) ? 'certain' : 'likely',
    reason: found,
  }
}

/** A program can have a terminal made for it, without anybody in front: tmux -d, a runner of jobs. */
function mayBeNobody({ kind, path }: Origin, { actor }: Act): boolean {
  return kind === 'login' && actor.process.loginUid === undefined && !path.some((one) => isTyped(one))
}

/** What makes this a session, in words for the verdict; undefined if it is none. */
function sessionIn({ kind, path, top, isCut }: Origin, { actor, steps }: Act): string | undefined {
  if (steps.length === 0 && isOfTheWay(actor)) return undefined
  if (kind === 'ssh') return 'the killer comes from a login through ssh'
  const isAtTerminal = actor.process.tty !== undefined
  if (isAtTerminal && path.some((one) => isTyped(one))) {
    return 'the killer comes from a shell at a terminal'
  }
  if (isAtTerminal && kind === 'login') return 'the killer comes from a login at a terminal'
  if (kind === 'cron' || kind === 'at' || kind === 'runner' || kind === 'supervisor') return undefined
  if (serviceUnitOf(top.process.cgroup ?? '') !== undefined) return undefined
  const changes = path.flatMap(({ program }) => userChangeOf(program) ?? [])
  if (changes.length > 0) return `the killer was run through ${changes[0]}`
  return actor.process.loginUid !== undefined && actsAtOnce(actor) && !isCut
    ? 'the killer comes from a login that has ended'
    : undefined
}

/** sshd, sudo and the like end what they have started when they are asked to or the session ends: nobody logged in did it. */
function isOfTheWay(actor: Actor): boolean {
  const kind = originKind(actor)
  return userChangeOf(actor.program) !== undefined || kind === 'ssh' || kind === 'login'
}

/** The login uid stays through sudo and su; without it, who first became somebody else, or who types. */
function userBehind({ path, top }: Origin): number | undefined {
  const { loginUid } = path[0].process
  if (loginUid !== undefined) return loginUid
  const change = path.find(({ process, program }) => userChangeOf(program) !== undefined && (process.uid ?? 0) !== 0)
  if (change !== undefined) return change.process.uid
  const typed = path.filter(({ process, program }) => isTypedAt(process, program)).at(-1)
  if (typed !== undefined) return typed.process.uid
  const first = path.filter(({ program }) => userChangeOf(program) !== undefined).at(-1)
  return (first ?? top).process.uid
}

/** `deploy at pts/3`, `deploy (sudo, pts/0)`, `deploy (ssh)`. */
function nameOf(user: number | undefined, { kind, path }: Origin): NamePart[] {
  const changes = path.flatMap(({ program }) => userChangeOf(program) ?? []).reverse()
  const ways = [...(kind === 'ssh' ? ['ssh'] : []), ...new Set(changes)]
  const tty = path.findLast(({ process }) => process.tty !== undefined)?.process.tty
  if (ways.length === 0) return tty === undefined ? [{ user }] : [{ user }, ` at ${tty}`]
  return [{ user }, ` (${[...ways, ...(tty === undefined ? [] : [tty])].join(', ')})`]
}

/** The shell of that user, else who ran sudo, else what ssh has started, else its server. */
function processBehind(user: number | undefined, { kind, process, path, top }: Origin, act: Act): Actor | undefined {
  const typed = path.filter((one) => isTypedAt(one.process, one.program))
  const own = typed.findLast((one) => one.process.uid === user) ?? typed[0]
  if (own !== undefined) return own
  const theirs = path.findLast((one) => one.process.uid === user && userChangeOf(one.program) === undefined)
  if (theirs !== undefined && theirs.process !== act.actor.process && user !== 0) return theirs
  const change = path.findLastIndex(({ program }) => userChangeOf(program) !== undefined)
  if (change >= 0) return path[change + 1] ?? path[change]
  if (kind !== 'ssh' && kind !== 'login') return undefined
  return top.process === act.actor.process && process !== undefined ? asActor(process) : top
}

function isTyped({ process, program }: Actor): boolean {
  return isTypedAt(process, program)
}

function asActor(process: ProcessEntry): Actor {
  return { process, program: process.program }
}

/** Tools, scripts and what people type do not act by themselves. */
function actsAtOnce({ program }: Actor): boolean {
  return (
    isTool(program) ||
    userChangeOf(program) !== undefined ||
    shellUse(program) !== undefined ||
    isClient(program) ||
    isCalled(program, monitors)
  )
}

/** Programs by which people pick a process to end. */
const monitors: ReadonlySet<string> = new Set(['htop', 'top', 'btop', 'atop', 'glances'])
