import type pg from 'pg'
import { findToken, type KnownToken, noteTokenUse } from './find-token.ts'
import { digestOf } from './token.ts'

/** How many tokens are remembered; the one unused longest goes. */
const rememberedMax = 1_000
const rememberedMs = 600_000
const askDelayMaxMs = 2_000

/**
 * Finds out whether a token is good. Postgres is asked each time, so that revoking counts from the next request on.
 *
 * While Postgres cannot be asked, a token that was good within the last ten minutes is taken where that is allowed:
 * for what is answered without Postgres, and is looked at when Postgres is away.
 */
export class TokenCheck {
  private readonly good = new Map<string, { readonly token: KnownToken; readonly atMs: number }>()
  private readonly noting = new Set<string>()
  private readonly database: pg.Pool
  private readonly notNoted: (error: Error) => void

  /** `notNoted` is told when the time of a token's use could not be written down. */
  constructor(database: pg.Pool, notNoted: (error: Error) => void) {
    this.database = database
    this.notNoted = notNoted
  }

  /** True if it was good a while ago: then it is no guess. */
  wasGood(token: string): boolean {
    return this.good.has(keyOf(token))
  }

  /** What is known of a token, undefined: nothing. Rejects if Postgres cannot be asked. */
  async find(token: string, mayRemember: boolean): Promise<KnownToken | undefined> {
    const key = keyOf(token)
    try {
      const known = await within(askDelayMaxMs, findToken(this.database, digestOf(token)))
      this.remember(key, known)
      if (known?.state === 'good' && known.useIsOld) void this.noteUse(key, digestOf(token))
      return known
    } catch (error) {
      const remembered = this.good.get(key)
      if (!mayRemember || remembered === undefined || Date.now() - remembered.atMs > rememberedMs) throw error
      const { expiresAt } = remembered.token
      return expiresAt !== null && expiresAt.getTime() <= Date.now()
        ? { ...remembered.token, state: 'expired' }
        : remembered.token
    }
  }

  private remember(key: string, known: KnownToken | undefined): void {
    this.good.delete(key)
    if (known?.state !== 'good') return
    this.good.set(key, { token: known, atMs: Date.now() })
    if (this.good.size <= rememberedMax) return
    for (const oldest of this.good.keys()) {
      this.good.delete(oldest)
      break
    }
  }

  private async noteUse(key: string, digest: Buffer): Promise<void> {
    if (this.noting.has(key)) return
    this.noting.add(key)
    try {
      await noteTokenUse(this.database, digest)
    } catch (error) {
      this.notNoted(error as Error)
    } finally {
      this.noting.delete(key)
    }
  }
}

function keyOf(token: string): string {
  return digestOf(token).toString('base64')
}

async function within<T>(delayMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout exceeded when trying to connect')), delayMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
