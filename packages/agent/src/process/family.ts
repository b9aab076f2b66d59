import type { ProcessEntry } from './entry.ts'

/** How far ancestors are looked at. */
const generationsMax = 64

/**
 * A process and its ancestors, nearest first. Process 1 and the kernel's own (2, kthreadd) are left out: everybody
 * descends from them, so they make nobody related.
 */
export function* lineageOf(process: ProcessEntry): Generator<ProcessEntry> {
  let generation = 0
  for (
    let one: ProcessEntry | undefined = process;
    one !== undefined && generation < generationsMax;
    one = one.parent
  ) {
    if (one.pid === 1 || one.pid === 2) return
    yield one
    generation += 1
  }
}

/** The nearest process that both descend from; one of the two, if the other descends from it. */
export function commonAncestor(a: ProcessEntry, b: ProcessEntry): ProcessEntry | undefined {
  const own = new Set(lineageOf(a))
  for (const one of lineageOf(b)) if (own.has(one)) return one
  return undefined
}

export function descendsFrom(process: ProcessEntry, ancestor: ProcessEntry): boolean {
  for (const one of lineageOf(process)) if (one === ancestor) return true
  return false
}

/**
 * Whether two processes may well know what the other has found out: commands of one script, what was typed into one
 * shell, a program and its helpers. The nearest process that both descend from has to be in the session (setsid(2))
 * of one of them at least: cron, sshd, systemd and container runtimes start a session of its own for each job, login,
 * service and container, and two of those have nothing to do with each other. `sudo` starts a session, too, but only
 * on one of the two sides.
 */
export function areRelated(a: ProcessEntry, b: ProcessEntry): boolean {
  const common = commonAncestor(a, b)
  if (common === undefined) return false
  if (common === a || common === b) return true
  return isSameSession(common, a) || isSameSession(common, b)
}

/** A process and those of its ancestors that are in its session: what ran a script and its commands, up to the shell. */
export function* ownSession(process: ProcessEntry): Generator<ProcessEntry> {
  for (const one of lineageOf(process)) {
    if (one !== process && !isSameSession(one, process)) return
    yield one
  }
}

/**
 * Whether a process belongs to what another one, or its shell, has started and still knows by itself: it descends
 * from it and has never left its session. A daemon that was started the same way has.
 */
export function isRaisedBy(child: ProcessEntry, process: ProcessEntry): boolean {
  for (const one of ownSession(process)) {
    if (descendsFrom(child, one)) return one === child.parent || hasNoSession(one) || isSameSession(one, child)
  }
  return false
}

function isSameSession(a: ProcessEntry, b: ProcessEntry): boolean {
  return !hasNoSession(a) && a.sid === b.sid
}

/** Not known, or 0: what has been running since the boot and what it started, as long as nobody calls setsid(2). */
function hasNoSession({ sid }: ProcessEntry): boolean {
  return sid === undefined || sid === 0
}
