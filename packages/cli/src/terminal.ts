import type { ReaderClock } from '@whokilled/shared/text/time-text'
import picocolors from 'picocolors'

/** Where answers are printed: how wide, in colour or not, and what time it is for the reader. */
export interface Terminal {
  /** Columns; undefined if it is no terminal, and lines are as long as they are. */
  readonly width: number | undefined
  readonly colors: Colors
  readonly clock: ReaderClock
}

export type Colors = ReturnType<typeof picocolors.createColors>

/** Narrower than this nothing can be laid out. */
const widthMin = 40

/** Colours and line breaks are for a terminal alone, so that a pipe gets plain lines (https://no-color.org). */
export function terminalOf(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv, nowMs: number): Terminal {
  const isColoured = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  return {
    width: stream.isTTY === true ? Math.max(widthMin, stream.columns || 80) : undefined,
    colors: picocolors.createColors(isColoured),
    clock: { nowMs },
  }
}

/** Resolves when the text has been handed over; a reader that has gone (`| head`) is no error. */
export function writeText(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error?: Error | null) => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error)
      else resolve()
    })
  })
}
