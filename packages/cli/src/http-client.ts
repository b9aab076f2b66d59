import { Problem } from '@whokilled/shared/http-api'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import type { z } from 'zod'
import { ProblemError, ReachError } from './errors.ts'
import type { Settings } from './settings.ts'

/** A question to the collector: a path of its API and what stands behind the question mark. */
export interface Question<Shape extends z.ZodType> {
  readonly path: string
  readonly query: Readonly<Record<string, string | number | undefined>>
  readonly shape: Shape
}

/** An answer, checked; `json` is all of it, with the fields this program does not know. */
export interface Answer<Shape extends z.ZodType> {
  readonly value: z.infer<Shape>
  readonly json: unknown
}

/** Asks a collector. */
export type Ask = <Shape extends z.ZodType>(question: Question<Shape>) => Promise<Answer<Shape>>

/** A thousand deaths of the largest kind stay below it. */
const answerBytesMax = 64 * 1024 * 1024

/** Throws a ReachError, or a ProblemError where the collector answered that it cannot. */
export async function askCollector<Shape extends z.ZodType>(
  question: Question<Shape>,
  settings: Settings,
): Promise<Answer<Shape>> {
  const url = questionUrl(question, settings.url)
  const { status, text } = await fetchText(url, settings)
  const json = parseJson(text)
  if (status !== 200) throw problemOf(status, json, settings.url)
  const checked = question.shape.safeParse(json)
  if (checked.success) return { value: checked.data, json }
  const issue = checked.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.join('.')
  throw garbage(settings.url, `an answer in which ${where} is wrong (${issue?.message ?? 'unknown'})`)
}

function questionUrl({ path, query }: Question<z.ZodType>, base: URL): URL {
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/$/, '')}${path}`
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

async function fetchText(
  url: URL,
  { timeoutMs, url: base, token }: Settings,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: response.status, text: await boundedText(response, base) }
  } catch (error) {
    if (error instanceof ReachError) throw error
    throw reachError(error, base, timeoutMs)
  }
}

async function boundedText(response: Response, base: URL): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > answerBytesMax) throw garbage(base, `an answer of more than ${answerBytesMax} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function reachError(error: unknown, base: URL, timeoutMs: number): ReachError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).name
  if (code === 'TimeoutError' || (error as Error).name === 'TimeoutError') {
    return new ReachError(
      'collector-timeout',
      `expected an answer of ${place(base)} within ${timeoutMs / 1_000} s, got none.`,
      'Is it overloaded? A larger --timeout waits longer.',
      { cause: error },
    )
  }
  if (certificateFaults.has(code)) {
    return new ReachError(
      'collector-certificate',
      `expected a certificate of ${place(base)} that can be trusted, got: ${terminalText((cause as Error).message)}.`,
      'NODE_EXTRA_CA_CERTS names a file with the certificate of who signed it; the name in --url has to be in it.',
      { cause: error },
    )
  }
  if (/^HPE_/.test(code)) return garbage(base, 'something else than HTTP', error)
  const what = connectionFaults[code] ?? `${(cause as Error).message} (${code})`
  return new ReachError(
    'collector-unreachable',
    `expected a collector at ${place(base)}: ${terminalText(what)}.`,
    // What a server that speaks TLS does with plain HTTP.
    base.protocol === 'http:' && cuts.has(code)
      ? `If it has a certificate, the address begins with https://. ${askAnother}`
      : askAnother,
    {
      cause: error,
    },
  )
}

const certificateFaults = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const connectionFaults: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ECONNRESET: 'the connection was cut (ECONNRESET)',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'no such host (ENOTFOUND)',
  EAI_AGAIN: 'the name cannot be resolved now (EAI_AGAIN)',
  EHOSTUNREACH: 'no way to the host (EHOSTUNREACH)',
  ENETUNREACH: 'no way to the network (ENETUNREACH)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there speaks no TLS; for plain HTTP the address begins with http://',
}

const cuts = new Set(['ECONNRESET', 'UND_ERR_SOCKET'])

const askAnother = 'Is whokilled-collector running? --url or WHOKILLED_URL names another one.'

function problemOf(status: number, json: unknown, base: URL): Error {
  const { data: problem } = Problem.safeParse(json)
  if (problem === undefined) return garbage(base, `HTTP status ${status} without a problem in it`)
  return new ProblemError(
    status,
    printable(problem.code, 64),
    `the collector at ${place(base)} says: ${sentence(printable(problem.detail || problem.title, 600))}`,
    remedies[problem.code] ?? printable(problem.hint ?? '', 300),
  )
}

/** A remedy follows it on the same line. */
function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

/** Where the collector's hint is for whoever writes the request, what to do here. */
const remedies: Record<string, string> = {
  'token-missing':
    'WHOKILLED_TOKEN_FILE names a file with a token, WHOKILLED_TOKEN is one; whoever runs the collector makes it: whokilled-collector token add NAME.',
}

function garbage(base: URL, got: string, cause?: unknown): ReachError {
  return new ReachError(
    'collector-answer',
    `expected a collector's answer of ${place(base)}, got ${printable(got, 300)}.`,
    'Is it another program, or a collector of another version? --url or WHOKILLED_URL names another one.',
    { cause },
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // No shape accepts it, so it is told as what it is: not an answer.
  }
}

function place(base: URL): string {
  return base.href.replace(/\/$/, '')
}

function printable(text: string, lengthMax: number): string {
  return shortened(terminalText(text), lengthMax)
}
