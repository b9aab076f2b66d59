import { basename } from 'node:path'
import type { KnownKey } from '../identity/identities.ts'
import { type Identity, titleOf } from '../identity/identity.ts'
import { printTable } from './print-table.ts'

/** How nats-server takes a changed file over. */
const reload = `nats-server takes it over without a restart, and keeps all other connections:
  systemctl reload nats-server        (or: nats-server --signal reload=PID, or: kill -HUP PID)
`

/** How nats-server comes to know the file. */
export function includeText(file: string): string {
  return `Once, in nats-server's configuration (the path is relative to its folder):
  authorization { include "${basename(file)}" }
With accounts: include it in the account that has JetStream. Then
${reload}`
}

export function keyText(identity: Identity, seedFile: string): string {
  return `${titleOf(identity)}: its key is in ${seedFile}, which only you can read.\n`
}

/** What to do with a first key. */
export function addedText(identity: Identity): string {
  const where = identity.kind === 'host' ? `on ${identity.name}` : 'there'
  return `${reload}Bring the key to where it is used, mode 0600, and name it in natsNkeyFile ${where}.\n`
}

/** What to do with a second key. */
export function rotatingText(identity: Identity): string {
  const command = `whokilled-collector ${identity.kind === 'host' ? `host rotate ${shellWord(identity.name)}` : `identity rotate ${identity.kind}`}`
  return `Both keys are good until you end it. Nothing is lost on the way: what cannot be published waits on its host.
1. ${reload}2. Put the new key in the place of the old one. It is read at the next connection, without a restart.
3. ${command} --finish, and reload again: whoever still uses the old key is disconnected, and comes back with the new one.
To give the new key up: ${command} --undo, and reload.
`
}

function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

export function goneText(what: string): string {
  return `${what}\nFrom the reload on it is refused, and its connection is closed.\n${reload}`
}

export function keysTable(keys: readonly KnownKey[]): string {
  const rows = keys.map(({ identity, publicKey, madeAt, state }) => [
    titleOf(identity),
    publicKey,
    madeAt === null ? 'not known' : `${madeAt.slice(0, 10)} ${madeAt.slice(11, 16)}`,
    state === 'only' ? '' : `${state}: being replaced`,
  ])
  return printTable(['identity', 'public key', 'made (UTC)', 'state'], rows)
}

/** For programs. */
export function keyJson({ identity, publicKey, madeAt, state }: KnownKey): string {
  const name = identity.kind === 'host' ? identity.name : null
  return JSON.stringify({ kind: identity.kind, name, publicKey, madeAt, state })
}
