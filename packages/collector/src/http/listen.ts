import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import { ListenError } from '../errors.ts'

/** Listens where the settings say; the URL. Rejects with a ListenError. */
export async function listen(
  server: Pick<FastifyInstance, 'listen'>,
  { httpHost, httpPort, httpCertificateFile }: Pick<Config, 'httpHost' | 'httpPort' | 'httpCertificateFile'>,
): Promise<string> {
  try {
    const url = await server.listen({ host: httpHost, port: httpPort })
    // fastify does not know what the sockets speak.
    return httpCertificateFile === undefined ? url : url.replace(/^http:/, 'https:')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new ListenError(
        'port-in-use',
        `expected to listen on ${httpHost} port ${httpPort}, another program does`,
        `Choose another with WHOKILLED_HTTP_PORT, or find the program: ss -ltnp 'sport = :${httpPort}'`,
        { cause },
      )
    }
    throw new ListenError(
      'listen-failed',
      `expected to listen on ${httpHost} port ${httpPort}, got: ${message}`,
      'Check httpHost and httpPort.',
      {
        cause,
      },
    )
  }
}
