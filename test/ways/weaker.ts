import type { DeathEvent, Event } from '@whokilled/shared/event'
import type { Process } from '@whokilled/shared/process'

/**
 * What is told with records lost and may not be, each as a sentence. A verdict may get weaker: a cause that is no longer
 * known, a killer that was not seen, a later or no instigator. It never gets surer, and never names somebody else.
 * @param whole what is told of the same with nothing lost
 */
export function overstated(whole: readonly Event[], told: readonly Event[]): string[] {
  const deaths = deathsIn(whole)
  return deathsIn(told).flatMap((death) => {
    const right = deaths.find(({ victim }) => victim.id === death.victim.id)
    const faults = right === undefined ? newDeath(death) : [...atEnd(death, right), ...behind(death, right)]
    return faults.map((fault) => `${fault}: told «${death.verdict.summary}», is «${right?.verdict.summary}»`)
  })
}

export function deathsIn(events: readonly Event[]): DeathEvent[] {
  return events.filter((event): event is DeathEvent => event.type === 'death')
}

/** A process that was not known to be only forked may be told of, since it looks like a program of its own. */
function newDeath({ killer, victim, wrongPid }: DeathEvent): string[] {
  return [
    ...unless(killer === null || killer.id === victim.id, 'a killer of whom nobody was told'),
    ...unless(wrongPid === null, 'a mistake of which nobody was told'),
  ]
}

/** Cause, killer and signals. */
function atEnd(told: DeathEvent, right: DeathEvent): string[] {
  const { killer, verdict } = told
  const isDoubtful = verdict.confidence !== 'certain' && verdict.alternatives.length > 0
  // Who asked it to end may be lost: then it exited, or sent itself the signal, and the verdict says that it may be more.
  const isOwnEnd = isDoubtful && (told.cause === 'exit' || (told.cause === 'self' && killer?.id === told.victim.id))
  const isSameKiller = killer?.id === right.killer?.id
  const isSameCause = told.cause === right.cause
  return [
    ...unless(isSameKiller || killer === null || isOwnEnd, 'another killer'),
    ...unless(isSameCause || told.cause === 'unknown' || isOwnEnd, `cause ${told.cause} instead of ${right.cause}`),
    ...unless((isSameKiller && isSameCause) || verdict.confidence !== 'certain', 'certain of something else'),
    ...unless(!isSurer(verdict, right.verdict), 'a surer verdict'),
    ...unless(told.incidentId === null || right.incidentId !== null, 'an act with several victims'),
    ...told.signals.flatMap((one) => unless(isOf(one, right), `${one.name} from somebody else`)),
    ...evidenceOf(told, right),
    ...outOfMemory(told.oom, right),
  ]
}

function isOf({ number, sender }: DeathEvent['signals'][number], { signals, signal }: DeathEvent): boolean {
  const same = [...signals, ...(signal === null ? [] : [signal])].filter((one) => one.number === number)
  return sender === null ? same.length > 0 : same.some((one) => one.sender?.id === sender.id)
}

const proofs: ReadonlySet<string> = new Set(['stale-pidfile', 'forged-sender', 'refused-signal', 'oom-victim'])

function evidenceOf(told: DeathEvent, right: DeathEvent): string[] {
  const kinds = new Set(right.evidence.map(({ kind }) => kind))
  return told.evidence.flatMap(({ kind }) => unless(!proofs.has(kind) || kinds.has(kind), `evidence ${kind}`))
}

/** What the kernel's log told; where it told nothing, the group is the victim's. */
function outOfMemory(told: DeathEvent['oom'], { oom, victim }: DeathEvent): string[] {
  if (told === null) return []
  if (oom === null) return ['out of memory']
  const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
  const isOwnGroup = told.scope === 'unknown' && told.cgroup === victim.cgroup
  return [
    ...unless(told.scope === 'unknown' || told.scope === oom.scope, `memory of ${told.scope}`),
    ...unless(told.cgroup === null || told.cgroup === oom.cgroup || isOwnGroup, `memory of ${told.cgroup}`),
    ...unless(told.limitBytes === null || told.limitBytes === oom.limitBytes, 'another limit'),
    ...unless(told.consumers === null || isSame(told.consumers, oom.consumers), 'other consumers'),
    ...unless((told.limitSetBy ?? null) === null || told.limitSetBy?.id === oom.limitSetBy?.id, 'limit set by another'),
  ]
}

/** For whom it was done, and whom it was meant for. */
function behind(told: DeathEvent, right: DeathEvent): string[] {
  return [...instigator(told, right), ...mistake(told.wrongPid, right.wrongPid)]
}

function instigator({ behalf, verdict }: DeathEvent, right: DeathEvent): string[] {
  if (behalf === null) return []
  if (right.behalf === null) return ['an instigator of whom nobody was told']
  const isSame = behalf.process?.id === right.behalf.process?.id
  // Of those in one line the nearest that is still known is told: the shell, the script, sudo.
  const line = [right.behalf.process, right.killer].flatMap((one) => (one === null ? [] : lineOf(one)))
  const isInLine = behalf.process === null || line.includes(behalf.process.id)
  const isPossible = behalf.confidence === 'possible' && verdict.alternatives.length > 0
  return [
    ...unless(isSame || isInLine || isPossible, `done for ${behalf.name}`),
    ...unless((isSame && behalf.name === right.behalf.name) || behalf.confidence !== 'certain', 'certain of whom for'),
    ...unless(!isSurer(behalf, right.behalf), 'surer of whom for'),
  ]
}

function lineOf({ id, ancestors }: Process): string[] {
  return [id, ...ancestors.map((one) => one.id)]
}

function mistake(told: DeathEvent['wrongPid'], right: DeathEvent['wrongPid']): string[] {
  if (told === null) return []
  if (right === null) return [`meant for pid ${told.previousOwner.pid}, of which nobody was told`]
  return [
    ...unless(told.previousOwner.id === right.previousOwner.id, 'meant for another'),
    ...unless(told.pidfile === null || told.pidfile === right.pidfile, 'another pidfile'),
    ...unless(!isSurer(told, right), 'surer of whom it was meant for'),
  ]
}

interface Sure {
  readonly confidence: string
}

const order = ['possible', 'likely', 'certain']

function isSurer(a: Sure, b: Sure): boolean {
  return order.indexOf(a.confidence) > order.indexOf(b.confidence)
}

function unless(isRight: boolean, fault: string): string[] {
  return isRight ? [] : [fault]
}
