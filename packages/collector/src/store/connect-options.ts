import { readFileSync } from 'node:fs'
import { readKeyFile, renewableFile } from '@whokilled/shared/key-file'
import type pg from 'pg'
import { ConfigError } from '../errors.ts'
import { type PostgresTlsSettings, postgresPlace } from './postgres-settings.ts'

/**
 * What pg's clients need to connect to a URL. Certificates and keys are read again at each connection, so that they
 * can be renewed without a restart. Throws a ConfigError where the connection would not be safe, and a CodedError
 * where a file cannot be used.
 */
export function connectOptions(
  url: string,
  settings: PostgresTlsSettings,
): Required<Pick<pg.ClientConfig, 'connectionString' | 'ssl'>> {
  const place = postgresPlace(url, settings)
  if ('code' in place) throw new ConfigError(place.code, place.message, place.hint)
  const { tls } = place
  // Said outright, because pg would ask PGSSLMODE otherwise.
  if (tls === null) return { connectionString: place.url, ssl: false }
  const ssl = {}
  if (tls.caFile !== undefined) provide(ssl, 'ca', readPem('postgresCaFile', tls.caFile))
  if (tls.certificateFile !== undefined) provide(ssl, 'cert', readPem('postgresCertificateFile', tls.certificateFile))
  const { keyFile } = tls
  if (keyFile !== undefined) provide(ssl, 'key', () => Buffer.from(readKeyFile('postgresKeyFile', keyFile)))
  return { connectionString: place.url, ssl }
}

/** pg copies the options of TLS at each connection, and so asks for the file's newest content. */
function provide(ssl: object, key: 'ca' | 'cert' | 'key', read: () => Uint8Array): void {
  Object.defineProperty(ssl, key, { enumerable: true, configurable: true, get: renewableFile(read) })
}

function readPem(setting: string, file: string): () => Uint8Array {
  return () => {
    try {
      return readFileSync(file)
    } catch (cause) {
      throw new ConfigError(
        'certificate-unreadable',
        `${setting}: expected to read a certificate, got: ${(cause as Error).message}`,
        'Check the path, and that this user may read it.',
        { cause },
      )
    }
  }
}
