import { readFileSync, statSync } from 'node:fs'
import { CodedError } from './coded-error.ts'

/**
 * What a file holds that only its owner may read: an nkey's seed, a .creds file, a private key.
 *
 * As ssh does with its keys, a file of this user that others may read is refused: key-exposed. A file of another
 * user (a mounted secret of root's) is that user's to protect. Other codes: key-unreadable, key-empty.
 *
 * @param setting the name of the setting that names the file
 */
export function readKeyFile(setting: string, file: string): Uint8Array {
  let bytes: Uint8Array
  let mode: number
  let owner: number
  try {
    ;({ mode, uid: owner } = statSync(file))
    bytes = readFileSync(file)
  } catch (cause) {
    throw new CodedError(
      'key-unreadable',
      `${setting}: expected to read a key, got: ${(cause as Error).message}`,
      'Check the path, and that this user may read it.',
      { cause },
    )
  }
  if (owner === process.geteuid?.() && (mode & 0o077) !== 0) {
    throw new CodedError(
      'key-exposed',
      `${setting}: expected a key that only its owner can read, ${file} has mode ${(mode & 0o777).toString(8).padStart(4, '0')}`,
      `Run: chmod 600 ${file} (in Kubernetes: defaultMode 0400). If others can have read it, make a new key.`,
    )
  }
  if (bytes.length === 0) {
    throw new CodedError('key-empty', `${setting}: expected a key, ${file} is empty`, 'Put the key there.')
  }
  return bytes
}

/**
 * A reader of a file that may be replaced while the program runs. It rejects what `readKeyFile` rejects the first
 * time; later, while the file is away or half written, it keeps to what it read last, because a connection that is
 * made again in that moment should not fail for it.
 */
export function renewableFile(read: () => Uint8Array): () => Uint8Array {
  let last = read()
  return () => {
    try {
      last = read()
    } catch {
      // Whoever connects is told by the server if the old one is no longer good.
    }
    return last
  }
}

/**
 * The seed of a user's nkey in a file, without the white space around it. Throws as `readKeyFile` does, and
 * key-invalid if it holds something else.
 */
export function readSeedFile(setting: string, file: string): Uint8Array {
  const seed = new TextDecoder().decode(readKeyFile(setting, file)).trim()
  // NATS' own prefix S for a seed and U for a user, then base32; the checksum is the client's to check.
  if (/^SU[A-Z2-7]{56}$/.test(seed)) return new TextEncoder().encode(seed)
  throw new CodedError(
    'key-invalid',
    `${setting}: expected the seed of a user's nkey (58 characters that begin with SU), ${file} holds something else`,
    'Name the file that whokilled-collector host add wrote, or that nk -gen user made.',
  )
}

/** A .creds file. Throws as `readKeyFile` does, and key-invalid if it holds something else. */
export function readCredentialsFile(setting: string, file: string): Uint8Array {
  const bytes = readKeyFile(setting, file)
  const parts = new TextDecoder().decode(bytes).match(/^-{3,}BEGIN (?:NATS USER JWT|USER NKEY SEED)-{3,}\s*$/gm)
  if (parts?.length === 2) return bytes
  throw new CodedError(
    'key-invalid',
    `${setting}: expected the JWT and the seed of a user, ${file} holds something else`,
    'Name a .creds file as nsc generates it.',
  )
}
