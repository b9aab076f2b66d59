import { type Command, InvalidArgumentError, Option } from 'commander'
import { addToken as makeToken } from '../access/add-token.ts'
import { listTokens, type TokenRow } from '../access/list-tokens.ts'
import { revokeToken } from '../access/revoke-token.ts'
import { type Scope, scopes } from '../access/token.ts'
import type { Config } from '../config.ts'
import { printTable } from './print-table.ts'
import { withDatabase } from './with-database.ts'

/** Adds `token add|list|revoke`: who may ask the HTTP API. */
export function addToken(program: Command, settings: () => Config): void {
  const token = program.command('token').description('who may ask the HTTP API')
  token
    .command('add')
    .description('make a token; it is printed this once, alone on stdout')
    .argument('<name>', 'who or what it is for', tokenName)
    .addOption(new Option('--scope <scope>', 'admin: the dead letters, too').choices(scopes).default('read'))
    .addOption(
      new Option('--expires <time>', 'from now: 12h, 90d, 52w, or never')
        .argParser(expiry)
        .default(expiryDefault, '90d'),
    )
    .action(async (name: string, { scope, expires }: { scope: Scope; expires: Expiry }) => {
      const made = await withDatabase(settings(), (database) =>
        makeToken(database, { name, scope, expiresSeconds: expires.seconds }),
      )
      process.stdout.write(`${made}\n`)
      process.stderr.write(`${name}: ${scope}, ${expires.words}. Only its hash is kept: it is not shown again.\n`)
    })
  token
    .command('list')
    .description('all tokens: name, scope and times, never the token')
    .option('--json', 'one JSON object a line', false)
    .action(async ({ json }: { json: boolean }) => {
      const tokens = await withDatabase(settings(), listTokens)
      if (json) for (const each of tokens) process.stdout.write(`${JSON.stringify(each)}\n`)
      else process.stdout.write(tokens.length === 0 ? 'There is no token.\n' : tokenTable(tokens))
    })
  token
    .command('revoke')
    .description('refuse a token from its next request on')
    .argument('<name>', 'as token list shows it')
    .action(async (name: string) => {
      await withDatabase(settings(), (database) => revokeToken(database, name))
      process.stdout.write(`${name} is revoked.\n`)
    })
}

function tokenTable(tokens: readonly TokenRow[]): string {
  const minute = (time: string | null) => (time === null ? 'never' : `${time.slice(0, 10)} ${time.slice(11, 16)}`)
  const rows = tokens.map((token) => [
    token.name,
    token.scope,
    token.state,
    minute(token.createdAt),
    minute(token.expiresAt),
    minute(token.lastUsedAt),
    minute(token.revokedAt),
  ])
  return printTable(['name', 'scope', 'state', 'created (UTC)', 'expires', 'last used', 'revoked'], rows)
}

function tokenName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text)) return text
  throw new InvalidArgumentError('Expected 1 to 63 letters, digits, dots, dashes or underscores, such as grafana.')
}

interface Expiry {
  /** null: never. */
  readonly seconds: number | null
  readonly words: string
}

const expiryDefault: Expiry = { seconds: 90 * 86_400, words: 'expires in 90d' }
const unitSeconds: Record<string, number> = { m: 60, h: 3_600, d: 86_400, w: 604_800 }
const expirySecondsMax = 10 * 366 * 86_400

function expiry(text: string): Expiry {
  if (text === 'never') return { seconds: null, words: 'never expires' }
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  const seconds = Number(count) * (unitSeconds[unit] ?? Number.NaN)
  if (seconds > 0 && seconds <= expirySecondsMax) return { seconds, words: `expires in ${text}` }
  throw new InvalidArgumentError('Expected a time from now such as 12h, 90d or 52w (at most ten years), or never.')
}
