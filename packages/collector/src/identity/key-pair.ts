import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { nkeys } from '@nats-io/transport-node'
import { UsageError } from '../errors.ts'

/** A new user's key of NATS: what the server is told, and what only its owner keeps. */
export interface KeyPair {
  readonly publicKey: string
  readonly seed: Uint8Array
}

export function makeKeyPair(): KeyPair {
  const pair = nkeys.createUser()
  return { publicKey: pair.getPublicKey(), seed: pair.getSeed() }
}

/** Writes the seed to a new file that only its owner may read. Throws a UsageError if there is one already, or its folder is not there. */
export function writeSeed(file: string, { seed }: KeyPair): void {
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', 0o600)
  } catch (cause) {
    throw new UsageError(
      'seed-not-written',
      `expected to write a new key to ${file}, got: ${(cause as Error).message}`,
      (cause as NodeJS.ErrnoException).code === 'EEXIST'
        ? 'A key is never written over: name another file with --out, or move the old one away.'
        : 'Name a file in a folder that is there, and that this user may write to.',
      { cause },
    )
  }
  try {
    writeSync(descriptor, seed)
    writeSync(descriptor, '\n')
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Takes back a seed that nobody will know. */
export function deleteSeed(file: string): void {
  unlinkSync(file)
}
