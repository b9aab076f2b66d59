import { httpPort } from '@whokilled/shared/http-api'
import { terminalText } from '@whokilled/shared/text/terminal-text'
import { UsageError } from './errors.ts'

/** Which collector is asked, and how long it may take. */
export interface Settings {
  readonly url: URL
  readonly timeoutMs: number
  /** Print the API's answer instead of text. */
  readonly json: boolean
}

/** The options that every command has, as they were given. */
export interface GivenSettings {
  readonly url?: string
  readonly timeout?: string
  readonly json?: boolean
}

const timeoutSecondsDefault = 10
const timeoutSecondsMax = 600

/** Throws a UsageError that names the option or variable that is wrong. */
export function parseSettings(given: GivenSettings, environmentUrl: string | undefined): Settings {
  const url =
    given.url === undefined && environmentUrl
      ? collectorUrl(environmentUrl, 'WHOKILLED_URL')
      : collectorUrl(given.url ?? `http://127.0.0.1:${httpPort}`, '--url')
  return { url, timeoutMs: timeoutMs(given.timeout), json: given.json === true }
}

function collectorUrl(text: string, source: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const got = url?.password ? 'one with a password' : `"${terminalText(text)}"`
    throw new UsageError(
      'bad-url',
      `${source}: expected an http or https address without user and password, got ${got}.`,
      `For example http://127.0.0.1:${httpPort}.`,
    )
  }
  return url
}

function timeoutMs(text: string | undefined): number {
  const seconds = text === undefined ? timeoutSecondsDefault : /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (seconds > 0 && seconds <= timeoutSecondsMax) return Math.ceil(seconds * 1_000)
  throw new UsageError(
    'bad-timeout',
    `--timeout: expected seconds, more than 0 and at most ${timeoutSecondsMax}, got "${terminalText(text ?? '')}".`,
    `Without the option it is ${timeoutSecondsDefault}.`,
  )
}
