import { createHash, randomBytes } from 'node:crypto'

/** What a token allows. `admin` includes `read`. */
export const scopes = ['read', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** Whoever finds one in a log or a repository sees what it is; programs that look for leaked secrets do, too. */
const prefix = 'wk_'
const randomBytesCount = 32

/** `wk_` and 256 random bits in base64url. */
export function newToken(): string {
  return prefix + randomBytes(randomBytesCount).toString('base64url')
}

/** False: it cannot be one, so nobody needs to be asked. */
export function isTokenLike(text: string): boolean {
  return /^wk_[A-Za-z0-9_-]{43}$/.test(text)
}

/**
 * What is kept of a token: its SHA-256. A slow hash would protect what can be guessed, such as a password; 256 random
 * bits cannot, and each request hashes its token. It is looked up by this digest: how long that takes tells about the
 * digest at most, and nobody can make a token for a digest.
 */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** A text that may hold a token, without it: for logs. */
export function withoutTokens(text: string): string {
  return text.replace(/wk_[A-Za-z0-9_-]{8,}/g, `${prefix}…`)
}
