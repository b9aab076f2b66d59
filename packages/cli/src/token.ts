import { readFileSync } from 'node:fs'
import { UsageError } from './errors.ts'
import type { SettingsFile } from './settings-file.ts'

/**
 * The token to send, null: none. WHOKILLED_TOKEN comes before WHOKILLED_TOKEN_FILE, and both before the settings file,
 * whose token is for the collector of that file alone. Never an option: others can read the arguments of a program.
 *
 * Throws a UsageError, which does not repeat it; also where it would go over the network in plain text.
 */
export function tokenFor(url: URL, environment: NodeJS.ProcessEnv, file: SettingsFile, fileUrl: URL): string | null {
  const token = environmentToken(environment) ?? (url.origin === fileUrl.origin ? fileToken(file) : null)
  if (token === null) return null
  const isPlaintextFine = environment.WHOKILLED_PLAINTEXT === 'true' || file.plaintext === true
  if (url.protocol === 'https:' || isLoopback(url.hostname) || isPlaintextFine) return token
  throw new UsageError(
    'token-plaintext',
    `expected an https address to send the token to, got ${url.origin}.`,
    'Whoever listens on the way could use it. Where the network is trusted: WHOKILLED_PLAINTEXT=true.',
  )
}

function environmentToken({ WHOKILLED_TOKEN, WHOKILLED_TOKEN_FILE }: NodeJS.ProcessEnv): string | null {
  if (WHOKILLED_TOKEN) return checked(WHOKILLED_TOKEN, 'WHOKILLED_TOKEN')
  return WHOKILLED_TOKEN_FILE ? read(WHOKILLED_TOKEN_FILE, 'WHOKILLED_TOKEN_FILE') : null
}

function fileToken({ token, tokenFile }: SettingsFile): string | null {
  if (token !== undefined) return checked(token, 'token in the settings file')
  return tokenFile === undefined ? null : read(tokenFile, 'tokenFile in the settings file')
}

function read(path: string, source: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError('bad-token', `${source}: expected to read a token, got: ${(error as Error).message}.`, '')
  }
  return checked(text, source)
}

const tokenLengthMax = 4_096

/** One word, since a line break would forge a header; and a token, since what another file holds is not for the collector. */
function checked(text: string, source: string): string {
  const token = text.trim()
  if (/^wk_[\x21-\x7e]+$/.test(token) && token.length <= tokenLengthMax) return token
  throw new UsageError(
    'bad-token',
    `${source}: expected a token, one word that begins with wk_, got another text.`,
    'whokilled-collector token add NAME prints one.',
  )
}

/** `localhost`, 127.0.0.0/8 or ::1, as URL writes them. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
