import type { DeathEvent } from '@whokilled/shared/event'
import type { DeathsPage } from '@whokilled/shared/http-api'
import { causeText } from '@whokilled/shared/text/cause-text'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { localTime } from '@whokilled/shared/text/time-text'
import type { Terminal } from '../terminal.ts'
import { orderNotes } from './order-notes.ts'
import { tableText } from './table.ts'

/** From this width on an id has a column of its own; on a narrower terminal it stands below what happened. */
const wideMin = 150

/** The table of `whokilled deaths`, newest first. */
export function printDeaths(page: DeathsPage, terminal: Terminal): string {
  const { colors, width } = terminal
  const isWide = width === undefined || width >= wideMin
  const head = ['when', 'host', 'service', 'what happened', ...(isWide ? ['id'] : [])]
  const rows = page.deaths.map((death) => {
    const id = colors.dim(terminalText(death.id))
    const told = causeText(death)
    return [
      whenText(death, terminal),
      shortened(terminalText(death.host.name), 60),
      shortened(terminalText(death.service.name), 80),
      ...(isWide ? [told, id] : [`${told}\n${id}`]),
    ]
  })
  const table = tableText(rows, {
    head: head.map((title) => colors.dim(title)),
    width,
    flexible: 3,
    widthMax: width === undefined ? Infinity : Math.max(8, isWide ? 36 : Math.floor(width / 5)),
  })
  const more = page.nextCursor === null ? '' : `more: --cursor ${terminalText(page.nextCursor)}\n`
  const notes = orderNotes(page.order)
  return `${table}\n${notes}${more}`
}

function whenText(death: DeathEvent, { clock }: Terminal): string {
  const { date, time } = localTime(Date.parse(death.at), clock.timeZone)
  if (date === localTime(clock.nowMs, clock.timeZone).date) return time
  return `${date.slice(5)} ${time.slice(0, 5)}`
}
