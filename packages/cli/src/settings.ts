import { httpPort } from '@whokilled/shared/http-api'
import { terminalText } from '@whokilled/shared/text/terminal-text'
import { UsageError } from './errors.ts'
import { readSettingsFile, type SettingsFile, settingsPath } from './settings-file.ts'
import { tokenFor } from './token.ts'

/** Which collector is asked, by whom, and how long it may take. */
export interface Settings {
  readonly url: URL
  /** null: it is asked without. */
  readonly token: string | null
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

/** Options come before variables, and these before the settings file. Throws a UsageError that names what is wrong. */
export function parseSettings(
  given: GivenSettings,
  environment: NodeJS.ProcessEnv,
  file: SettingsFile = readSettingsFile(settingsPath(environment)),
): Settings {
  const fileUrl = collectorUrl(file.url ?? `http://127.0.0.1:${httpPort}`, 'url in the settings file')
  const url = askedUrl(given.url, environment.WHOKILLED_URL) ?? fileUrl
  const token = tokenFor(url, environment, file, fileUrl)
  return { url, token, timeoutMs: timeoutMs(given.timeout), json: given.json === true }
}

function askedUrl(given: string | undefined, variable: string | undefined): URL | undefined {
  if (given !== undefined) return collectorUrl(given, '--url')
  return variable ? collectorUrl(variable, 'WHOKILLED_URL') : undefined
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
