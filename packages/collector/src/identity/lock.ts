import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { IdentityError } from '../errors.ts'

const waitMsMax = 10_000
const lookMs = 50

/**
 * Does `work` while no other call changes the file. The lock is a file beside it; one that a crash left behind is for
 * a person to delete, because two who find it stale at once could both go on. Throws an IdentityError after 10 s.
 */
export async function whileLocked<T>(file: string, work: () => T): Promise<T> {
  const lock = `${file}.lock`
  const until = Date.now() + waitMsMax
  while (!take(lock)) {
    if (Date.now() > until) {
      throw new IdentityError(
        'users-locked',
        `expected to change ${file}, process ${holderOf(lock)} has been changing it for 10 s`,
        `If that process has gone, delete ${lock}.`,
      )
    }
    await sleep(lookMs)
  }
  try {
    return work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock: string): boolean {
  try {
    const descriptor = openSync(lock, 'wx', 0o644)
    writeSync(descriptor, String(process.pid))
    closeSync(descriptor)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new IdentityError(
      'users-not-written',
      `expected to write beside the users of nats-server, got: ${(cause as Error).message}`,
      'Make the folder, or name another file in natsUsersFile; run this as a user who may write there.',
      { cause },
    )
  }
}

function holderOf(lock: string): string {
  try {
    return readFileSync(lock, 'utf8') || 'unknown'
  } catch {
    return 'unknown'
  }
}
