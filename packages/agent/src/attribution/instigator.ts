import { shellUse } from './commands/shell.ts'
import type { Deed, Instigation, NamePart } from './judged.ts'
import { containerExec, containerRuntime } from './messengers/container.ts'
import { controlProcess } from './messengers/control-process.ts'
import { job } from './messengers/job.ts'
import { login } from './messengers/login.ts'
import { memoryGuard } from './messengers/memory-guard.ts'
import type { Act, Known, Messenger, Step } from './messengers/messenger.ts'
import { originOf } from './messengers/origin.ts'
import { passedOn } from './messengers/passed-on.ts'
import { service, startedUnit } from './messengers/service.ts'
import { supervisor } from './messengers/supervisor.ts'
import { serviceManager } from './messengers/systemd.ts'
import { timeLimit } from './messengers/time-limit.ts'
import { tool } from './messengers/tool.ts'
import type { Received } from './signals/ladder.ts'
import { senderOf } from './signals/sender.ts'

/** Who acts for others; the first that knows an actor wins. */
const messengers: readonly Messenger[] = [
  passedOn,
  controlProcess,
  serviceManager,
  containerRuntime,
  containerExec,
  timeLimit,
  memoryGuard,
  supervisor,
  startedUnit,
  tool,
  job,
  login,
  service,
]

/** How far an act is followed back. */
const stepsMax = 8

/** For whom the killer acted: walks from messenger to messenger until nobody stands behind. */
export function instigatorOf(deed: Deed, known: Known): Instigation | undefined {
  const { fatal, cause } = deed.finding
  if (deed.killer === undefined || fatal === undefined || !deeds.has(cause)) return undefined
  const first = firstActOf(deed, fatal)
  const steps: Step[] = []
  let act: Act = { ...known, ...first, actor: deed.killer, steps, deed }
  while (steps.length < stepsMax) {
    const step = messengers.reduce<Step | undefined>((found, rule) => found ?? rule(act), undefined)
    if (step === undefined || steps.some((one) => isSameStep(one, step))) break
    steps.push(step)
    if (step.actor === undefined || step.kind === 'session') break
    act = { ...act, actor: step.actor, at: step.at ?? act.at }
  }
  return summed(steps, act, fatal, first.at)
}

/** Who merely ended, and took others along, has not acted. */
const deeds: ReadonlySet<string> = new Set(['signal', 'cgroup-kill', 'unknown'])

/** Whose stop may take long: the killer asked first, and waited. */
const waitMaxNs = 3_600_000_000_000n

/** When the killer, or another one of the same hand, first acted against the victim, and with which signal. */
function firstActOf({ ending, killer }: Deed, fatal: Received): Pick<Act, 'at' | 'signal'> {
  const { time: at, sig } = fatal.record
  const hand = killer === undefined ? undefined : handOf(killer, at)
  const first = ending.ladder.rungs.find((rung) => {
    const { by, program, record } = rung
    if (by === undefined || program === undefined || record.time > at || at - record.time > waitMaxNs) return false
    return senderOf(rung, ending.victim).status === 'seen' && handOf({ process: by, program }, record.time) === hand
  })
  return { at: first?.since ?? at, signal: first?.record.sig ?? sig }
}

/** A container's runtime sends each signal by a process of its own. */
function handOf(actor: NonNullable<Deed['killer']>, at: bigint) {
  const { kind, process } = originOf({ actor, at })
  return kind === 'container' && process !== undefined ? process : actor.process
}

function isSameStep(a: Step, b: Step): boolean {
  return a.rule === b.rule && a.actor?.process === b.actor?.process
}

/** A program whose start was lost may be taken for the one that started it. */
const lookBackNs = 60_000_000_000n

function summed(
  steps: readonly Step[],
  { deed, lostBetween }: Act,
  fatal: Received,
  begun: bigint,
): Instigation | undefined {
  const last = steps.at(-1)
  if (last === undefined) return undefined
  // Where a policy acted, it stays one, whoever set it.
  const { kind, actor, rule } = steps.find((step) => step.kind === 'policy') ?? last
  // Of what was there before the watching /proc has told; of what was lost meanwhile nobody has.
  const [from, to] = [begun - lookBackNs, fatal.record.time]
  const isSeen = deed.ending.gapsBetween(from, to).length === 0 && !lostBetween(from, to)
  const waited = fatal.record.time - begun
  return {
    kind,
    name: nameOf(steps, last),
    actor,
    rule,
    confidence: weakest([...steps.map(({ confidence }) => confidence), isSeen ? 'certain' : 'likely']),
    reasons: steps.map(({ reason }) => reason),
    alternatives: [...new Set(steps.flatMap(({ alternatives = [] }) => alternatives))],
    graceNs: steps[0]?.givesTime === true && waited > 0n ? waited : undefined,
  }
}

/** What was asked for first, and who stands at the end: `systemctl stop nginx` of deploy. */
function nameOf(steps: readonly Step[], last: Step): NamePart[] {
  const requests = steps.filter(({ isRequest }) => isRequest === true)
  // Who only handed on what another one asked for is not worth a word.
  const asked = requests.find(({ rule }) => rule !== 'passed-on') ?? requests[0] ?? runBy(steps, last)
  if (asked === undefined) return [...last.name]
  const { actor } = asked
  if (asked !== last) return [...asked.name, ' of ', ...last.name]
  const isNamed = asked.rule === 'time-limit' && actor !== undefined && shellUse(actor.program) !== 'nameless'
  return isNamed ? [...asked.name, ' of ', { command: actor }] : [...asked.name]
}

/** The script that somebody ran; a job has its own name. */
function runBy(steps: readonly Step[], { kind }: Step): Step | undefined {
  return kind === 'session' ? steps.find(({ rule }) => rule === 'tool') : undefined
}

const order = ['certain', 'likely', 'possible'] as const

function weakest(confidences: readonly Instigation['confidence'][]): Instigation['confidence'] {
  return order[Math.max(...confidences.map((one) => order.indexOf(one)))] ?? 'possible'
}
