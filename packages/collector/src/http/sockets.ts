import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { CodedError } from '@whokilled/shared/coded-error'
import { readKeyFile } from '@whokilled/shared/key-file'
import type { Config } from '../config.ts'
import { ConfigError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'

/** Request line and headers together. */
const headerBytesMax = 8_192
/** All headers must have come by then, counted from the connection's beginning. */
const headersDelayMaxMs = 5_000
/** The whole request must have come by then. */
const requestDelayMaxMs = 10_000
/** How often the two above are looked at; Node's own choice is 30 s. */
const checkDelayMs = 1_000
/** A connection on which nothing moves, an answer that nobody reads. */
const silenceMaxMs = 35_000
const keepAliveMs = 15_000

/** The settings of the server's sockets. */
export type SocketSettings = Pick<Config, 'httpCertificateFile' | 'httpKeyFile' | 'httpConnectionsMax'>

/** Makes the servers that fastify listens with: plain, or TLS if there is a certificate. */
export class Sockets {
  private readonly servers: (Server | TlsServer)[] = []
  private readonly settings: SocketSettings
  private readonly metrics: Metrics
  private certificate: SecureContextOptions | undefined

  /** Throws a ConfigError if the certificate cannot be read. */
  constructor(settings: SocketSettings, metrics: Metrics) {
    this.settings = settings
    this.metrics = metrics
    this.certificate = readCertificate(settings)
  }

  /** For fastify's `serverFactory`. */
  make(handler: RequestListener): Server {
    const limits = {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersDelayMaxMs,
      requestTimeout: requestDelayMaxMs,
      connectionsCheckingInterval: checkDelayMs,
      keepAliveTimeout: keepAliveMs,
    }
    const server =
      this.certificate === undefined
        ? createServer(limits, handler)
        : createTlsServer({ ...limits, ...this.certificate, handshakeTimeout: headersDelayMaxMs }, handler)
    server.setTimeout(silenceMaxMs)
    server.maxConnections = this.settings.httpConnectionsMax
    server.on('drop', () => this.metrics.httpConnectionsRefused.inc())
    this.servers.push(server)
    return server as Server
  }

  /**
   * Reads the certificate anew, for connections to come; false if there is none to read. Throws a ConfigError, and
   * keeps the old one then.
   */
  reload(): boolean {
    const certificate = readCertificate(this.settings)
    if (certificate === undefined) return false
    for (const server of this.servers) if ('setSecureContext' in server) server.setSecureContext(certificate)
    this.certificate = certificate
    return true
  }
}

function readCertificate({ httpCertificateFile, httpKeyFile }: SocketSettings): SecureContextOptions | undefined {
  if (httpCertificateFile === undefined || httpKeyFile === undefined) return undefined
  try {
    const pair = { cert: readFileSync(httpCertificateFile), key: Buffer.from(readKeyFile('httpKeyFile', httpKeyFile)) }
    createSecureContext(pair)
    return pair
  } catch (cause) {
    if (cause instanceof CodedError) throw new ConfigError(cause.code, cause.message, cause.hint, { cause })
    throw new ConfigError(
      'certificate-unusable',
      `expected a certificate in httpCertificateFile and its key in httpKeyFile, got: ${(cause as Error).message}`,
      'Both are PEM; the certificate comes first in its file, then those that signed it.',
      { cause },
    )
  }
}
