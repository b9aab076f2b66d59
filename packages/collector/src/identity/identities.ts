import { existsSync } from 'node:fs'
import { IdentityError, UsageError } from '../errors.ts'
import { type Identity, isSame, singleIdentities, titleOf } from './identity.ts'
import { deleteSeed, type KeyPair, makeKeyPair, writeSeed } from './key-pair.ts'
import { whileLocked } from './lock.ts'
import { identityOf, permissionsOf } from './permissions.ts'
import { isUserEntry, readUsers, type UserEntry, type Users, writeUsers } from './users-file.ts'

/** A key that nats-server takes, once it has read the file. */
export interface KnownKey {
  readonly identity: Identity
  readonly publicKey: string
  /** ISO 8601; null: not known. */
  readonly madeAt: string | null
  /** `old` and `new` while a key is being replaced: both are taken. */
  readonly state: 'only' | 'old' | 'new'
}

/** Which of two keys goes: the old one when the new one is in use, the new one when it is not wanted after all. */
export type Leaving = 'old' | 'new'

/**
 * The identities in a file that nats-server includes. A change counts from the server's next reload. All throw an
 * IdentityError (the file) or a UsageError (what was asked for).
 */
export class Identities {
  readonly file: string

  constructor(file: string) {
    this.file = file
  }

  list(): KnownKey[] {
    const users = this.read()
    const entries = ours(users)
    const newest = new Map(entries.map(({ entry, identity }) => [titleOf(identity), entry]))
    const replaced = new Set(
      entries
        .filter(({ entry, identity }) => newest.get(titleOf(identity)) !== entry)
        .map(({ identity }) => titleOf(identity)),
    )
    return entries.map(({ entry, identity }) => {
      const isNewest = newest.get(titleOf(identity)) === entry
      const state = replaced.has(titleOf(identity)) ? (isNewest ? 'new' : 'old') : 'only'
      return { identity, publicKey: entry.nkey, madeAt: users.madeAt.get(entry.nkey) ?? null, state }
    })
  }

  /** Begins the file, with the identities that there is one of; their seeds go into the files named. */
  async begin(seedFiles: Readonly<Record<'admin' | 'collector', string>>): Promise<void> {
    await whileLocked(this.file, () => {
      if (existsSync(this.file)) {
        throw new UsageError(
          'users-there',
          `expected no file at ${this.file}, there is one`,
          'The identities were made before: whokilled-collector identity list shows them, identity rotate renews one.',
        )
      }
      let users: Users = { entries: [], madeAt: new Map() }
      const written: string[] = []
      try {
        for (const identity of singleIdentities) {
          const pair = makeKeyPair()
          writeSeed(seedFiles[identity.kind], pair)
          written.push(seedFiles[identity.kind])
          users = withKey(users, identity, pair)
        }
        writeUsers(this.file, users)
      } catch (error) {
        for (const file of written) deleteSeed(file)
        throw error
      }
    })
  }

  /** A first key. */
  async add(identity: Identity, seedFile: string): Promise<void> {
    await this.giveKey(identity, seedFile, (keys) => {
      if (keys.length === 0) return
      throw new UsageError(
        'identity-there',
        `expected no key of ${titleOf(identity)}, there is one`,
        'Renew it with rotate, or take it away with remove.',
      )
    })
  }

  /** A second key, beside the one in use. */
  async rotate(identity: Identity, seedFile: string): Promise<void> {
    await this.giveKey(identity, seedFile, (keys) => {
      if (keys.length === 0) throw unknownIdentity(identity)
      if (keys.length > 1) {
        throw new UsageError(
          'rotation-begun',
          `expected one key of ${titleOf(identity)}, there are ${keys.length}`,
          'End what was begun: rotate --finish takes the old key away, rotate --undo the new one.',
        )
      }
    })
  }

  /** Takes one of two keys away. */
  async endRotation(identity: Identity, leaving: Leaving): Promise<void> {
    await this.change((users) => {
      const keys = keysOf(users, identity)
      if (keys.length === 0) throw unknownIdentity(identity)
      if (keys.length === 1) {
        throw new UsageError(
          'no-rotation',
          `expected two keys of ${titleOf(identity)}, there is one`,
          'Begin with rotate, without --finish and --undo.',
        )
      }
      const gone = leaving === 'old' ? keys.slice(0, -1) : keys.slice(-1)
      return without(users, gone)
    })
  }

  /** Takes all keys of a host away. */
  async remove(identity: Identity): Promise<void> {
    await this.change((users) => {
      const keys = keysOf(users, identity)
      if (keys.length === 0) throw unknownIdentity(identity)
      return without(users, keys)
    })
  }

  private async giveKey(
    identity: Identity,
    seedFile: string,
    check: (keys: readonly UserEntry[]) => void,
  ): Promise<void> {
    await this.change(
      (users) => {
        check(keysOf(users, identity))
        const pair = makeKeyPair()
        writeSeed(seedFile, pair)
        return withKey(users, identity, pair)
      },
      () => deleteSeed(seedFile),
    )
  }

  /** @param undo called if the file could not be written after all */
  private async change(changed: (users: Users) => Users, undo = () => {}): Promise<void> {
    await whileLocked(this.file, () => {
      const users = changed(this.read())
      try {
        writeUsers(this.file, users)
      } catch (error) {
        undo()
        throw error
      }
    })
  }

  private read(): Users {
    const users = readUsers(this.file)
    if (users !== undefined) return users
    throw new IdentityError(
      'users-missing',
      `expected the users of nats-server in ${this.file}, found no such file`,
      'Begin with: whokilled-collector identity init (natsUsersFile, or --users, names another file).',
    )
  }
}

function withKey({ entries, madeAt }: Users, identity: Identity, { publicKey }: KeyPair): Users {
  return {
    entries: [...entries, { nkey: publicKey, permissions: permissionsOf(identity) }],
    madeAt: new Map([...madeAt, [publicKey, `${new Date().toISOString().slice(0, 19)}Z`]]),
  }
}

function without({ entries, madeAt }: Users, gone: readonly UserEntry[]): Users {
  return { entries: entries.filter((entry) => !gone.some((each) => each === entry)), madeAt }
}

function ours({ entries }: Users): { entry: UserEntry; identity: Identity }[] {
  return entries.flatMap((entry) => {
    const identity = isUserEntry(entry) ? identityOf(entry.permissions) : undefined
    return isUserEntry(entry) && identity !== undefined ? [{ entry, identity }] : []
  })
}

function keysOf(users: Users, identity: Identity): UserEntry[] {
  return ours(users)
    .filter((each) => isSame(each.identity, identity))
    .map(({ entry }) => entry)
}

function unknownIdentity(identity: Identity): UsageError {
  return new UsageError(
    'no-such-identity',
    `expected a key of ${titleOf(identity)}, there is none`,
    identity.kind === 'host'
      ? 'whokilled-collector host list shows the names; host add makes a key.'
      : 'whokilled-collector identity list shows what there is.',
  )
}
