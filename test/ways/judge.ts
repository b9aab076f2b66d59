import type { DeathEvent, Event, SentSignal } from '@whokilled/shared/event'
import type { Process } from '@whokilled/shared/process'
import { processName } from '@whokilled/shared/text/process-name'
import type { WayFacts } from './facts.ts'
import type { ToldDeath, ToldProcess, Way } from './way.ts'

export type ProbeName = 'systemtap' | 'bpftrace'

/**
 * What is wrong with what was told of a way, each difference as a sentence; nothing if all is right.
 * @param events those of the way's time; @param facts undefined: it never came to its end
 */
export function faultsOf(way: Way, facts: WayFacts | undefined, events: readonly Event[], probe: ProbeName): string[] {
  if (facts === undefined) return ['its script did not come to its end']
  const deaths = events.filter((event): event is DeathEvent => event.type === 'death')
  const incidents = new Map<string, string>()
  return Object.entries(expectedOf(way, probe)).flatMap(([role, expected]) => {
    const pid = facts.roles.get(role)
    if (pid === undefined) return [`no process was said to be the ${role}`]
    const own = deathsOf(role, deaths, facts)
    if (expected === 'nothing') return own.map((death) => `${role}: expected nothing, told: ${summaryOf(death, facts)}`)
    const [death, ...more] = own
    if (death === undefined) return [`${role}: nothing was told of its death`]
    if (more.length > 0) return [`${role}: its death was told ${own.length} times`]
    return differences(expected, actualOf(death, facts, expected, incidents)).map((text) => `${role}: ${text}`)
  })
}

/** The deaths told of the process in a role. Where several had its pid, the roles were said in the order of their lives. */
export function deathsOf(role: string, deaths: readonly DeathEvent[], { roles }: WayFacts): DeathEvent[] {
  const pid = roles.get(role)
  const lives = deaths.filter(({ victim }) => victim.pid === pid).toSorted((a, b) => (a.at < b.at ? -1 : 1))
  const holders = [...roles].filter(([, other]) => other === pid).map(([name]) => name)
  if (holders.length <= 1) return lives
  const life = lives.at(holders.indexOf(role) - holders.length)
  return life === undefined ? [] : [life]
}

/** What a probe has to tell of a way. */
export function expectedOf({ told, bpftrace }: Way, probe: ProbeName): Record<string, ToldDeath | 'nothing'> {
  if (probe === 'systemtap' || bpftrace === undefined) return { ...told }
  return Object.fromEntries(
    Object.entries(told).map(([role, expected]) => {
      const weaker = bpftrace.told[role]
      if (weaker === undefined) return [role, expected]
      if (weaker === 'nothing' || expected === 'nothing') return [role, weaker as 'nothing']
      return [role, { ...expected, ...weaker }]
    }),
  )
}

/** The verdict's sentence with roles instead of pids, without durations and without what a process held. */
function summaryOf({ verdict }: Pick<DeathEvent, 'verdict'>, facts: WayFacts): string {
  return anonymous(verdict.summary, facts)
}

function anonymous(text: string, { roles }: WayFacts): string {
  const byPid = new Map([...roles].map(([role, pid]) => [String(pid), role]))
  return text
    .replace(/\bpts\/\d+\b/g, '<tty>')
    .replace(/\b\d+(?:\.\d+)? (?:µs|ms|s|min|h)\b(?: \d+ (?:s|min)\b)?/g, '<time>')
    .replace(/\b\d+\b/g, (number) => (byPid.has(number) ? `<${byPid.get(number)}>` : number))
    .replace(/(?<=\(pid <[\w-]+>, )\d+(?:\.\d+)? [KMGT]iB(?=\))/g, '<size>')
}

/** The death in the words of the expectation. */
function actualOf(
  death: DeathEvent,
  facts: WayFacts,
  expected: ToldDeath,
  incidents: Map<string, string>,
): Record<keyof ToldDeath, unknown> {
  const { exit, signal, behalf, wrongPid, oom, incidentId } = death
  const role = (process: { pid: number } | null) =>
    process === null ? null : ([...facts.roles].find(([, pid]) => pid === process.pid)?.[0] ?? `pid ${process.pid}`)
  if (incidentId !== null && expected.incident)
    incidents.set(incidentId, incidents.get(incidentId) ?? expected.incident)
  return {
    cause: death.cause,
    confidence: death.verdict.confidence,
    exit: exit.signal?.name ?? exit.code,
    coreDumped: exit.coreDumped,
    killer: role(death.killer),
    killerIs: described(death.killer, facts, expected.killerIs),
    victimIs: described(death.victim, facts, expected.victimIs),
    senderStatus: signal?.senderStatus,
    via: signal?.via,
    signal: signal?.name,
    signals: death.signals.map((one) => rung(one, role)),
    service: death.service.name,
    behalf: behalf && { ...behalf, name: anonymous(behalf.name, facts), process: role(behalf.process) },
    wrongPid: wrongPid && { ...wrongPid, previousOwner: role(wrongPid.previousOwner) },
    oom,
    incident: incidentId === null ? null : (incidents.get(incidentId) ?? incidentId),
    evidence: death.evidence.map(({ kind }) => kind),
    evidenceNot: death.evidence.map(({ kind }) => kind),
    summary: summaryOf(death, facts),
  }
}

/** A process as an expectation describes one: ancestors by role or name, as many as are asked for. */
function described(process: Process | null, facts: WayFacts, expected: ToldProcess | undefined) {
  if (process === null || expected === undefined) return process
  const ancestors = process.ancestors.slice(0, expected.ancestors?.length ?? 0).map((ancestor) => {
    const role = [...facts.roles].find(([, pid]) => pid === ancestor.pid)?.[0]
    return role ?? anonymous(processName(ancestor), facts)
  })
  return { ...process, args: process.args?.map((arg) => anonymous(arg, facts)) ?? null, ancestors }
}

function rung({ name, sender, senderStatus, result }: SentSignal, role: (of: { pid: number } | null) => string | null) {
  const from = sender === null ? (senderStatus === 'none' ? 'the kernel' : 'somebody unseen') : role(sender)
  return `${name} from ${from}, ${result}`
}

function differences(expected: ToldDeath, actual: Record<string, unknown>): string[] {
  return Object.entries(expected).flatMap(([key, value]) => {
    const found = actual[key]
    if (key === 'evidence') {
      const missing = (value as string[]).filter((kind) => !(found as string[]).includes(kind))
      return missing.map((kind) => `expected evidence ${kind}, found ${JSON.stringify(found)}`)
    }
    if (key === 'evidenceNot') {
      const wrong = (value as string[]).filter((kind) => (found as string[]).includes(kind))
      return wrong.map((kind) => `expected no evidence ${kind}`)
    }
    return fits(value, found) ? [] : [`expected ${key} ${JSON.stringify(value)}, told ${JSON.stringify(found)}`]
  })
}

/** Whether what was told has all that is expected; it may have more. */
function fits(expected: unknown, actual: unknown): boolean {
  if (Array.isArray(expected)) return JSON.stringify(expected) === JSON.stringify(actual)
  if (expected === null || typeof expected !== 'object') return expected === actual
  if (actual === null || typeof actual !== 'object') return false
  return Object.entries(expected).every(([key, value]) => fits(value, (actual as Record<string, unknown>)[key]))
}
