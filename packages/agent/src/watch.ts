import type { Writable } from 'node:stream'
import type { CoverageEvent, Event } from '@whokilled/shared/event'
import { labelWidth, tellDeath } from '@whokilled/shared/sentence'
import { terminalText } from '@whokilled/shared/text/terminal-text'
import { createColors } from 'picocolors'
import type { EventSink } from './event-sink.ts'

export interface WatchOptions {
  readonly json: boolean
  readonly colour: boolean
  readonly out: Writable
  /** Set for the tests, so that a sentence does not change with where they run. */
  readonly timeZone?: string
}

/** Who reads may go on, or go away. */
const readyAgain = ['drain', 'close', 'error']

/** Prints what happens on this host: one sentence per death with its story below, or the events themselves. */
export class WatchSink implements EventSink {
  private readonly options: WatchOptions
  private readonly colours: ReturnType<typeof createColors>

  constructor(options: WatchOptions) {
    this.options = options
    this.colours = createColors(options.colour)
  }

  async accept(event: Event): Promise<void> {
    const text = this.options.json ? JSON.stringify(event) : this.tell(event)
    const { out } = this.options
    if (text === undefined || out.destroyed || out.write(`${text}\n`)) return
    await new Promise<void>((resolve) => {
      const goOn = () => {
        for (const name of readyAgain) out.off(name, goOn)
        resolve()
      }
      for (const name of readyAgain) out.on(name, goOn)
    })
  }

  takeDropped(): undefined {
    return undefined
  }

  private tell(event: Event): string | undefined {
    if (event.type === 'death') return this.death(event)
    return event.type === 'coverage' ? this.coverage(event as CoverageEvent) : undefined
  }

  private death(event: Extract<Event, { type: 'death' }>): string {
    const { bold, dim } = this.colours
    const zone = this.options.timeZone === undefined ? {} : { timeZone: this.options.timeZone }
    const story = tellDeath(event, { nowMs: Date.parse(event.at), ...zone })
    const width = labelWidth(story)
    const lines = story.lines.map(({ label, text }) => `  ${dim(label.padEnd(width))}  ${text}`)
    return [bold(story.headline), ...lines].join('\n')
  }

  /** The first watching, gaps and the end are worth a line; that the watching goes on is not. */
  private coverage(event: CoverageEvent): string | undefined {
    const { dim, yellow } = this.colours
    if (event.state === 'watching') {
      return event.from === event.to ? dim(`Watching ${terminalText(event.host.name)}. Ctrl-C ends it.`) : undefined
    }
    const lost = event.lostRecords > 0 ? ` (${event.lostRecords} lost)` : ''
    const what =
      event.state === 'gap' ? `Not watched completely from ${event.from} to ${event.to}` : 'The watching ended'
    return yellow(`${what}: ${terminalText(event.reason ?? 'no reason known')}${lost}`)
  }
}
