import type { HostOrder } from '@whokilled/shared/host-order'
import { orderSentences } from '@whokilled/shared/text/order-text'
import { terminalText } from '@whokilled/shared/text/terminal-text'

/** A line for each thing that the hosts' clocks leave open; empty with an older collector, which does not tell. */
export function orderNotes(order: HostOrder | undefined): string {
  if (order === undefined) return ''
  return orderSentences(order)
    .map((sentence) => `note: ${terminalText(sentence)}\n`)
    .join('')
}
