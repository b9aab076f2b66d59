import type { WayFacts } from '../ways/facts.ts'
import type { ToldDeath, Way } from '../ways/way.ts'
import { type ComparedRun, type Tool, tools } from './answers.ts'
import { type Answer, judge, type Mark, type Truth, together } from './judge.ts'

/** A line of the table: what each tool told of a way, or why the way is not compared. */
export type Row =
  | { readonly way: Way; readonly leftOut: string }
  | { readonly way: Way; readonly cells: Readonly<Record<Tool, Cell>> }

export interface Cell {
  readonly mark: Mark
  /** It also said that the victims had ended. */
  readonly saidDead: boolean
  /** It also named for whom the killer acted; undefined where it acted for nobody. */
  readonly behalf?: boolean
  /** It also named whom the signal was meant for; undefined where it was meant for the victim. */
  readonly wrongPid?: boolean
}

/** Where the whole guest runs out of memory, its tools do, too. */
const tooDangerous: ReadonlySet<string> = new Set(['oom-host', 'oom-by-hand'])

export function canBeCompared({ name }: Way): boolean {
  return !tooDangerous.has(name)
}

export function rowOf(way: Way, { facts, answers }: ComparedRun): Row {
  if (!canBeCompared(way)) return { way, leftOut: 'it would end the tools, too' }
  const victims = Object.entries(way.told).filter((entry): entry is [string, ToldDeath] => entry[1] !== 'nothing')
  if (victims.length === 0) return { way, leftOut: 'nobody has to die in it' }
  if (victims.some(([, { cause }]) => cause === 'unknown')) return { way, leftOut: 'nobody can know the cause' }
  const who = facts.get(way.name)
  if (who === undefined) return { way, leftOut: 'it did not come to its end in this guest' }
  const truths = victims.flatMap(([role, told]) => truthOf(role, told, who))
  if (truths.length < victims.length) return { way, leftOut: 'it does not say who the killer was' }
  const cells = tools.map((tool) => [tool, cellOf(truths, answers.get(tool)?.get(way.name))])
  return { way, cells: Object.fromEntries(cells) }
}

function cellOf(truths: readonly Truth[], answer: Answer = { claims: [], deaths: [] }): Cell {
  return {
    mark: together(truths.map((truth) => judge(truth, answer))),
    saidDead: truths.every(({ victim }) => answer.deaths.some(({ pid }) => pid === victim)),
    ...alsoNamed('behalf', truths, answer),
    ...alsoNamed('wrongPid', truths, answer),
  }
}

function alsoNamed(what: 'behalf' | 'wrongPid', truths: readonly Truth[], { deaths }: Answer): Partial<Cell> {
  const asked = truths.filter((truth) => truth[what] !== undefined)
  if (asked.length === 0) return {}
  return {
    [what]: asked.every((truth) => deaths.some((death) => death.pid === truth.victim && death[what] === truth[what])),
  }
}

/** Empty if the way does not say it: causes that have no killer need no word about one. */
function truthOf(role: string, told: ToldDeath, { roles }: WayFacts): Truth[] {
  const { killer, cause, behalf, wrongPid } = told
  const victim = roles.get(role)
  const meant = wrongPid ? roles.get(wrongPid.previousOwner) : undefined
  if (victim === undefined) return []
  const before = [...roles].filter(([, pid]) => pid === victim).findIndex(([name]) => name === role)
  const more = {
    cause,
    ...(before > 0 && { after: before }),
    ...(behalf && { behalf: behalf.rule }),
    ...(meant !== undefined && { wrongPid: meant }),
  }
  if (killer === null) return [{ victim, killer, ...more }]
  if (killer !== undefined) {
    const pid = roles.get(killer)
    return pid === undefined ? [] : [{ victim, killer: pid, ...more }]
  }
  if (cause === 'signal' || cause === 'cgroup-kill') return []
  return [{ victim, killer: cause === 'self' ? victim : null, ...more }]
}
