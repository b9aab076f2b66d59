import type { SettingProblem } from './setting-problem.ts'

/** The server that was talked to, and the settings that decide about it. */
export interface TlsPeer {
  /** `NATS` or `Postgres`. */
  readonly name: string
  /** What its settings begin with: `nats`, `postgres`. */
  readonly prefix: string
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
])

/**
 * What it means that TLS could not be agreed upon, by Node's and OpenSSL's error codes; undefined if the error, or one
 * of its causes, is not about TLS.
 */
export function tlsProblem(error: unknown, peer: TlsPeer): SettingProblem | undefined {
  const seen = new Set<unknown>()
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at)
    const problem = problemOf(at, peer)
    if (problem !== undefined) return problem
  }
  return undefined
}

function problemOf(error: Error, { name, prefix }: TlsPeer): SettingProblem | undefined {
  const code = String((error as { code?: unknown }).code ?? '')
  if (untrusted.has(code)) {
    return {
      code: 'tls-untrusted',
      message: `expected a certificate of a trusted authority, ${name} showed another (${code})`,
      hint: `Set ${prefix}CaFile to the certificate of the authority that signed it.`,
    }
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return {
      code: code === 'CERT_HAS_EXPIRED' ? 'tls-expired' : 'tls-not-yet-valid',
      message: `expected a certificate that is valid now, that of ${name} ${code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'}`,
      hint: `Renew the certificate of ${name}, or correct this machine's clock.`,
    }
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { reason } = error as { reason?: string }
    return {
      code: 'tls-wrong-name',
      message: `expected a certificate for the name in ${prefix}Url, that of ${name} is for others: ${reason ?? error.message}`,
      hint: `Write a name of the certificate in ${prefix}Url, or give ${name} a certificate for this one.`,
    }
  }
  if (/does not support ('tls'|SSL)|\btls\b.*not available on this server/i.test(error.message)) {
    return {
      code: 'tls-not-offered',
      message: `expected TLS, ${name} offers none`,
      hint: `Give ${name} a certificate; nothing was sent to it.`,
    }
  }
  if (
    /alert (certificate required|bad certificate|unknown ca)|CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA/i.test(
      `${code} ${error.message}`,
    )
  ) {
    return {
      code: 'tls-client-certificate',
      message: `${name} refused this program's certificate, or wants one`,
      hint: `Set ${prefix}CertificateFile and ${prefix}KeyFile to a certificate that ${name} trusts.`,
    }
  }
  return undefined
}
