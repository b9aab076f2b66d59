import type { WayFacts } from '../ways/facts.ts'
import type { ToldDeath, Way } from '../ways/way.ts'
import { type Answer, judge, type Mark, type Truth, together } from './judge.ts'
import { type ComparedRun, type Tool, tools } from './run.ts'

/** A line of the table: what each tool told of a way, or why the way is not compared. */
export type Row =
  | { readonly way: Way; readonly leftOut: string }
  | { readonly way: Way; readonly cells: Readonly<Record<Tool, Cell>> }

export interface Cell {
  readonly mark: Mark
  /** It also said that the victims had ended. */
  readonly saidDead: boolean
}

export function rowOf(way: Way, { facts, answers }: ComparedRun): Row {
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
  }
}

/** Empty if the way does not say it: causes that have no killer need no word about one. */
function truthOf(role: string, { killer, cause }: ToldDeath, { roles }: WayFacts): Truth[] {
  const victim = roles.get(role)
  if (victim === undefined) return []
  if (killer === null) return [{ victim, killer, cause }]
  if (killer !== undefined) {
    const pid = roles.get(killer)
    return pid === undefined ? [] : [{ victim, killer: pid, cause }]
  }
  if (cause === 'signal' || cause === 'cgroup-kill') return []
  return [{ victim, killer: cause === 'self' ? victim : null, cause }]
}
