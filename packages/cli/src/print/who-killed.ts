import type { WhoKilledAnswer } from '@whokilled/shared/http-api'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { localTime, momentText } from '@whokilled/shared/text/time-text'
import type { Terminal } from '../terminal.ts'
import { coverageSentences, gapsAfter } from './coverage.ts'
import { orderNotes } from './order-notes.ts'
import { printStory } from './story.ts'
import { tableText } from './table.ts'

/** The answer to `whokilled SERVICE`. */
export function printWhoKilled(answer: WhoKilledAnswer, host: string | undefined, terminal: Terminal): string {
  const { death, coverage } = answer
  if (death === null) return printNoDeath(answer, host, terminal)
  const notes = gapsAfter(coverage, death.host.name, death.at, terminal.clock).map(
    (gap) => `note: ${gap}; a later death may be missing\n`,
  )
  return [printStory(death, terminal), printEarlier(answer, terminal), ...notes, orderNotes(answer.order)].join('')
}

function printEarlier({ deathCount, earlier, service }: WhoKilledAnswer, { clock, colors, width }: Terminal): string {
  const count = Math.max(deathCount - 1, earlier.length)
  if (count === 0) return ''
  const rows = earlier.map((each) => [
    colors.dim(momentText(Date.parse(each.at), clock).replace(/^(at|on) /, '')),
    shortened(terminalText(each.host), 40),
    shortened(terminalText(each.summary), 400),
  ])
  const hidden = count - earlier.length
  const more = hidden === 0 ? '' : `  and ${hidden} more: whokilled deaths --service ${shellWord(service)}\n`
  const list = rows.length === 0 ? '' : `${tableText(rows, { width, flexible: 2, widthMax: 24, indent: 2 })}\n`
  return `${count} earlier ${count === 1 ? 'death' : 'deaths'}:\n${list}${more}`
}

function printNoDeath(
  { service, since, until, coverage }: WhoKilledAnswer,
  host: string | undefined,
  terminal: Terminal,
) {
  const { clock, colors } = terminal
  const start = localTime(Date.parse(since), clock.timeZone)
  const today = localTime(clock.nowMs, clock.timeZone).date
  const from = start.date === today ? start.time : `${start.date} ${start.time}`
  const name = shortened(terminalText(service), 120)
  const where = host === undefined ? '' : ` on ${shortened(terminalText(host), 120)}`
  const watched = coverageSentences(coverage, until, clock)
  if (watched.length === 0) {
    watched.push(`no host${host === undefined ? '' : ` named ${host}`} has reported yet: is an agent running?`)
  }
  const [first, ...rest] = watched
  const headline = colors.bold(`no death of ${name}${where} recorded since ${from}`)
  return rest.length === 0
    ? `${headline}; ${first}\n`
    : `${headline}:\n${watched.map((sentence) => `  ${sentence}\n`).join('')}`
}

/** A name as it can be put behind an option. */
function shellWord(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${terminalText(name).replaceAll("'", "'\\''")}'`
}
