import { z } from 'zod'
import { Process } from './process.ts'
import { signalName } from './signals.ts'
import { processName } from './text/process-name.ts'
import { shortened, terminalText } from './text/terminal-text.ts'
import { durationText } from './text/time-text.ts'
import type { UnjudgedDeath } from './unjudged-death.ts'
import { millisecondsBetween, timestamp } from './vocabulary.ts'

/** In a death event: an attempt to send the victim a signal, which the kernel refused. It never was the cause. */
export const RefusedSignal = z.looseObject({
  at: timestamp,
  kind: z.literal('refused-signal'),
  /** The system call. */
  call: z.string(),
  /** The signal's number; null if it is not known. */
  number: z.int().nullable(),
  /** `EPERM`: the sender may not, `ESRCH`: there is no such process or thread. */
  error: z.string(),
  sender: Process.nullable(),
})
export type RefusedSignal = z.infer<typeof RefusedSignal>

/** The line `tried`: `SIGKILL by kill -9 4242 (pid 901, uid 1001) 5.0 s before, refused with EPERM`. */
export function refusedText({ at, evidence }: Pick<UnjudgedDeath, 'at' | 'evidence'>): string | undefined {
  const refused = evidence.flatMap((one) => {
    const { success, data } = RefusedSignal.safeParse(one)
    return success ? [data] : []
  })
  if (refused.length === 0) return undefined
  const texts = refused.slice(0, shownMax).map((one) => attemptText(one, at))
  return [...texts, ...(refused.length > shownMax ? [`and ${refused.length - shownMax} more`] : [])].join('; ')
}

const shownMax = 4

function attemptText({ at, number, error, sender }: RefusedSignal, end: string): string {
  const what = number === null ? 'a signal' : signalName(number)
  const uid = sender?.uid === null || sender?.uid === undefined ? '' : `, uid ${sender.uid}`
  const who = sender === null ? 'a process that was not seen' : `${processName(sender, 48)} (pid ${sender.pid}${uid})`
  const before = durationText(Math.max(0, millisecondsBetween(at, end)))
  return `${what} by ${who} ${before} before, refused with ${shortened(terminalText(error), 32)}`
}
