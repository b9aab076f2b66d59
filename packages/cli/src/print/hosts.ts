import type { HostStatus, HostsAnswer } from '@whokilled/shared/http-api'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { ageText } from '@whokilled/shared/text/time-text'
import type { Colors, Terminal } from '../terminal.ts'
import { tableText } from './table.ts'

/** The table of `whokilled hosts`. */
export function printHosts({ hosts }: HostsAnswer, { clock, colors, width }: Terminal): string {
  const head = ['host', 'state', 'last seen', 'watched', 'lost', 'probe', 'agent']
  const rows = hosts.map((host) => [
    shortened(terminalText(host.name), 120),
    stateText(host, colors),
    ageText(Date.parse(host.lastSeenAt), clock.nowMs),
    host.watchedSince === null ? 'not watched' : `since ${ageText(Date.parse(host.watchedSince), clock.nowMs)}`,
    lostText(host, colors),
    shortened(terminalText(host.probe), 20),
    shortened(terminalText(host.agentVersion), 20),
  ])
  return `${tableText(rows, { head: head.map((title) => colors.dim(title)), width, flexible: 0, widthMax: 20 })}\n`
}

/** Records that the probe lost on the host, and events that were lost on their way. */
function lostText({ lostRecords, lostEvents = 0 }: HostStatus, colors: Colors): string {
  const lost = [
    ...(lostRecords > 0 ? [`${lostRecords} records`] : []),
    ...(lostEvents > 0 ? [`${lostEvents} events`] : []),
  ]
  return lost.length === 0 ? 'nothing' : colors.yellow(lost.join(', '))
}

function stateText({ state }: HostStatus, colors: Colors): string {
  return state === 'watching' ? colors.green(state) : colors.red(state)
}
