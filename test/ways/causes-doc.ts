import type { DeathEvent } from '@whokilled/shared/event'
import { deathsOf, expectedOf, type ProbeName } from './judge.ts'
import { readKept } from './kept.ts'
import { eventsOf } from './tell.ts'
import type { ToldDeath, Way } from './way.ts'
import { ways } from './ways.ts'

const introduction = `# Every way to die

What whokilled says about each way a Linux process ends, and why. Each row is really made to happen by a script, under SystemTap in a virtual machine and under bpftrace, and what is said is checked field by field; the sentences below are those of the kept recordings (\`test/recordings/ways\`), with the processes' numbers of that run. [Verdicts](verdicts.md) has the rules behind them.

\`victim\`, \`sender\`, \`catcher\`, \`hold\` and the like are the programs of \`test/programs\`, which are made to be killed or to kill. Where several processes die in a way, a line that begins with a dash tells of another one, by the name that the script gives it. “cause, confidence” speaks of the cause and the killer alone; for whom the killer acted has a confidence of its own, which the sentence says (likely, possibly). A row can be seen again: \`whokilled-agent watch --probe replay:test/recordings/ways/systemtap/NAME.wkr\`, with the name that \`test/ways/list\` gives it.

This page is written by \`node --conditions=source --import tsx test/ways/write-causes.ts\`.
`

/** docs/causes.md, from the list of ways and their recordings. */
export async function causesDoc(): Promise<string> {
  const sections: string[] = [introduction]
  for (const [title, list] of ways) {
    if (list.length === 0) continue
    const rows: string[] = []
    for (const way of list) rows.push(...(await rowsOf(way)))
    sections.push(
      `## ${title}\n`,
      '| way | what is said | cause, confidence | why | bpftrace |',
      '| --- | --- | --- | --- | --- |',
      `${rows.join('\n')}\n`,
    )
  }
  return sections.join('\n')
}

async function rowsOf(way: Way): Promise<string[]> {
  const deaths = await deathsTold(way, 'systemtap')
  const weaker = expectedOf(way, 'bpftrace')
  return Object.entries(way.told).map(([role, expected], at) => {
    const name = at === 0 ? way.title : `— its ${role}`
    const cells =
      expected === 'nothing'
        ? ['nothing: it goes on living, or its end is only counted', '', '']
        : told(expected, deaths.get(role), way.name)
    const under = bpftraceText(way, role, expected, weaker[role])
    return `| ${[name, ...cells.map(asText), asText(under)].join(' | ')} |`
  })
}

function told(expected: ToldDeath, death: DeathEvent | undefined, way: string): string[] {
  if (death === undefined) throw new Error(`Expected the recording of ${way} to tell of a death, it does not.`)
  const { summary, reasons } = death.verdict
  return [summary, `${expected.cause}, ${expected.confidence}`, reasons.join('; ')]
}

function bpftraceText(way: Way, role: string, strong: ToldDeath | 'nothing', weak: ToldDeath | 'nothing' | undefined) {
  if (weak === strong || weak === undefined || way.bpftrace?.told[role] === undefined) return 'the same'
  if (weak === 'nothing') return `nothing: ${way.bpftrace.why}`
  const changed = strong === 'nothing' || strong.confidence === weak.confidence ? '' : `${weak.confidence}: `
  return `${changed}${way.bpftrace.why}`
}

/** The deaths that a way's recording tells of, by role. */
async function deathsTold(way: Way, probe: ProbeName): Promise<Map<string, DeathEvent>> {
  const kept = readKept(probe, way.name)
  if (kept === undefined) throw new Error(`Expected a recording of ${way.name}. Make it: test/ways/record.ts`)
  const deaths = (await eventsOf(kept)).filter((event): event is DeathEvent => event.type === 'death')
  return new Map(
    [...kept.facts.roles.keys()].flatMap((role) => {
      const [death] = deathsOf(role, deaths, kept.facts)
      return death === undefined ? [] : [[role, death] as const]
    }),
  )
}

/** Text of a process may hold anything that Markdown takes for its own. */
function asText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|~]/g, '\\$&').replace(/\s+/g, ' ')
}
