import { isIPv6 } from 'node:net'
import type { Config } from '../config.ts'
import { ConfigError } from '../errors.ts'

/** The settings that say who may ask. */
export type AccessSettings = Pick<
  Config,
  'httpHost' | 'httpAccess' | 'httpPlaintext' | 'httpCertificateFile' | 'httpKeyFile'
>

/**
 * Refuses to listen where more people could ask, or listen to what is asked, than the settings say. Throws a
 * ConfigError that names the remedy.
 */
export function checkAccess(settings: AccessSettings): void {
  const { httpHost, httpAccess, httpPlaintext, httpCertificateFile, httpKeyFile } = settings
  if ((httpCertificateFile === undefined) !== (httpKeyFile === undefined)) {
    throw new ConfigError(
      'config-invalid',
      'expected httpCertificateFile and httpKeyFile, or none of them, received one',
      'The certificate file holds the chain, the key file its private key, both as PEM.',
    )
  }
  if (isLoopback(httpHost)) return
  if (httpAccess === 'loopback') {
    throw new ConfigError(
      'access-loopback',
      `expected httpHost to be a loopback address while httpAccess is loopback, received ${httpHost}`,
      'Set httpAccess to tokens (whokilled-collector token add NAME makes one), or to anyone if whoever reaches it may read; or httpHost to 127.0.0.1.',
    )
  }
  if (httpCertificateFile === undefined && !httpPlaintext) {
    throw new ConfigError(
      'access-plain-text',
      `expected httpCertificateFile and httpKeyFile, because httpHost is ${httpHost} and no loopback address`,
      'Give it a certificate; or, if something in front of it speaks TLS or nobody else is on that network, set httpPlaintext to true.',
    )
  }
}

/** True for localhost, 127.0.0.0/8 and ::1, with or without brackets. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIPv6(name)) return new URL(`http://[${name}]`).hostname === '[::1]'
  return name === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
