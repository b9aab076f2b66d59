import type { DeadLetter } from '@whokilled/shared/dead-letters-api'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { printTable } from './print-table.ts'

/** A line each. What hosts sent is made safe to print. */
export function letterTable(letters: readonly DeadLetter[]): string {
  return printTable(
    ['digest', 'put aside (UTC)', 'reason', 'host', 'bytes', 'detail'],
    letters.map((letter) => [
      letter.digest.slice(0, 12),
      letter.receivedAt.slice(0, 19).replace('T', ' '),
      letter.reason,
      safe(letter.host ?? letter.subject, 40),
      `${letter.payloadBytes}${letter.isCut ? ' (cut)' : ''}`,
      safe(letter.detail, 160),
    ]),
  )
}

/** One in full, with its first bytes as text. */
export function letterText(letter: DeadLetter): string {
  const { digest, receivedAt, reason, detail, subject, streamSeq, payloadBytes, isCut, payload = '' } = letter
  return [
    digest,
    `  put aside  ${receivedAt}`,
    `  reason     ${reason}: ${safe(detail, 600)}`,
    `  subject    ${safe(subject, 600)}, message ${streamSeq} of the stream`,
    `  bytes      ${payloadBytes}${isCut ? ', of which the first MiB was kept: it cannot be retried' : ''}`,
    `  begins     ${terminalText(Buffer.from(payload, 'base64').toString())}`,
  ].join('\n')
}

function safe(text: string, lengthMax: number): string {
  return shortened(terminalText(text), lengthMax)
}
