import type { SettingProblem } from './setting-problem.ts'
import { tlsProblem } from './tls-problem.ts'

/** What of the remedy depends on who speaks to NATS. */
export interface NatsSpeaker {
  /** What to do where NATS does not know the identity. */
  readonly whenRefused: string
  /** What to do where the identity may not do what was tried. */
  readonly whenForbidden: string
}

/**
 * What it means that NATS cannot be used, from an error of its client: codes tls-…, nats-refused (the identity),
 * nats-forbidden (its permissions), nats-no-answer (nobody serves that subject: there is no stream),
 * certificate-unreadable (a file that the settings name), nats-unreachable.
 */
export function natsConnectionProblem(error: unknown, speaker: NatsSpeaker): SettingProblem {
  const tls = tlsProblem(error, { name: 'NATS', prefix: 'nats' })
  if (tls !== undefined) return tls
  const { name, message } = innermost(error)
  if (isUnreadableFile(error)) {
    return {
      code: 'certificate-unreadable',
      message: `expected to read the files that natsCaFile, natsCertificateFile and natsKeyFile name, got: ${message}`,
      hint: 'Check the path, and that this user may read it.',
    }
  }
  if (name === 'PermissionViolationError' || /permissions violation/i.test(message)) {
    return { code: 'nats-forbidden', message: `NATS: ${message}`, hint: speaker.whenForbidden }
  }
  if (
    name === 'AuthorizationError' ||
    name === 'UserAuthenticationExpiredError' ||
    /authoriz|authentic/i.test(message)
  ) {
    return { code: 'nats-refused', message: `NATS: ${message}`, hint: speaker.whenRefused }
  }
  if (name === 'NoResponders') {
    return {
      code: 'nats-no-answer',
      message: 'expected NATS to keep the stream WHOKILLED, nothing takes its events',
      hint: 'Run: whokilled-collector migrate.',
    }
  }
  return {
    code: 'nats-unreachable',
    message: `expected an answer of NATS, got: ${message}`,
    hint: /ECONNRESET/.test(message)
      ? 'NATS hung up: a server that wants a client certificate (natsCertificateFile) does so, too.'
      : 'Check that nats-server runs at natsUrl, and that this machine may connect to it.',
  }
}

/** The client reads certificates itself, and has a sentence of its own for a file that is not there. */
function isUnreadableFile(error: unknown): boolean {
  const at = root(error)
  if (!(at instanceof Error)) return false
  const { code, syscall } = at as NodeJS.ErrnoException
  return syscall === 'open' || code === 'EISDIR' || /^\/.* doesn't exist$/.test(at.message)
}

function innermost(error: unknown): { name: string; message: string } {
  const at = root(error)
  return at instanceof Error ? { name: at.name, message: at.message || at.name } : { name: '', message: String(at) }
}

/** The client wraps what the server said. */
function root(error: unknown): unknown {
  let at = error
  for (let depth = 0; depth < 8 && at instanceof Error && at.cause instanceof Error; depth++) at = at.cause
  return at
}
