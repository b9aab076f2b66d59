import { type Ask, askCollector } from './http-client.ts'
import { jsonLine } from './print/json-line.ts'
import type { Settings } from './settings.ts'
import { type Terminal, terminalOf, writeText } from './terminal.ts'
import { showWaiting } from './waiting.ts'

/** What a command has: a collector to ask and a place to print. */
export interface Session {
  readonly ask: Ask
  /** Prints the text, or the answer as it came where --json was given. */
  print(json: unknown, text: (terminal: Terminal) => string): Promise<void>
}

/** The part of node's `process` that this program uses. */
export type Surroundings = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>

/** Asks the collector of the settings, and prints to stdout. */
export function openSession(settings: Settings, { stdout, stderr, env }: Surroundings): Session {
  return {
    ask: (question) =>
      showWaiting(askCollector(question, settings), `asking ${settings.url.host}`, stderr, !env.NO_COLOR),
    print: (json, text) =>
      writeText(stdout, settings.json ? jsonLine(json) : text(terminalOf(stdout, env, Date.now()))),
  }
}
