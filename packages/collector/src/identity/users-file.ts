import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { IdentityError } from '../errors.ts'
import { titleOf } from './identity.ts'
import { identityOf } from './permissions.ts'

/**
 * The file of users that nats-server includes. It is JSON, which NATS' configuration language contains, with comments:
 *
 *     # Written by whokilled-collector. …
 *     {"users": [
 *     # UDXU4RCS… host web-3, made 2026-11-23T09:12:45Z
 *     {"nkey": "UDXU4RCS…", "permissions": {…}}
 *     ]}
 *
 * Of two entries for the same identity the first is the older. Entries that somebody else put there are kept. It holds
 * public keys alone.
 */
const Subjects = z.looseObject({ allow: z.array(z.string()) })
const User = z.looseObject({
  nkey: z.string().regex(/^U[A-Z2-7]{55}$/),
  permissions: z.looseObject({ publish: Subjects, subscribe: Subjects }),
})
const File = z.strictObject({ users: z.array(z.union([User, z.looseObject({})])) })

/** An entry, as it is written. */
export type UserEntry = z.output<typeof User>

export interface Users {
  readonly entries: readonly (UserEntry | Record<string, unknown>)[]
  /** When the keys were made, by public key: ISO 8601. */
  readonly madeAt: ReadonlyMap<string, string>
}

export function isUserEntry(entry: UserEntry | Record<string, unknown>): entry is UserEntry {
  return User.safeParse(entry).success
}

/** Undefined if there is no such file. Throws an IdentityError if it cannot be read, or is something else. */
export function readUsers(file: string): Users | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new IdentityError(
      'users-unreadable',
      `expected to read the users of nats-server, got: ${(cause as Error).message}`,
      'Run this as a user who may read and write the file, on the machine of nats-server.',
      { cause },
    )
  }
  const madeAt = new Map<string, string>()
  for (const [, key = '', at = ''] of text.matchAll(/^# (U[A-Z2-7]{55}) .*, made (\S+)$/gm)) madeAt.set(key, at)
  try {
    const { users } = File.parse(JSON.parse(text.replace(/^\s*#.*$/gm, '')))
    return { entries: users, madeAt }
  } catch (cause) {
    throw new IdentityError(
      'users-not-ours',
      `expected ${file} to hold users as whokilled-collector writes them, found something else`,
      'Put your own users into another file, and name a file for these in natsUsersFile.',
      { cause },
    )
  }
}

/** Replaces the file as a whole: whoever reads it finds the old or the new one. Its mode stays; 0644 at first. */
export function writeUsers(file: string, { entries, madeAt }: Users): void {
  const lines = entries.map((entry) => {
    const json = JSON.stringify(entry)
    if (!isUserEntry(entry)) return json
    const identity = identityOf(entry.permissions)
    const title = identity === undefined ? 'somebody else' : titleOf(identity)
    return `# ${entry.nkey} ${title}, made ${madeAt.get(entry.nkey) ?? 'at an unknown time'}\n${json}`
  })
  const text = `# Written by whokilled-collector: other comments are lost. It holds public keys alone.\n{"users": [\n${lines.join(',\n')}\n]}\n`
  const temporary = `${file}.new`
  try {
    const descriptor = openSync(temporary, 'w', modeOf(file))
    try {
      writeSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
    syncFolder(dirname(file))
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new IdentityError(
      'users-not-written',
      `expected to write the users of nats-server, got: ${(cause as Error).message}`,
      'Run this as a user who may write there; the file is as it was.',
      { cause },
    )
  }
}

function modeOf(file: string): number {
  try {
    return statSync(file).mode & 0o777
  } catch {
    return 0o644
  }
}

/** So that the new name outlives a crash. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
