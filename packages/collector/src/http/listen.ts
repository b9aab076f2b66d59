import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import { ListenError } from '../errors.ts'

/** Listens where the settings say; the URL. Rejects with a ListenError. */
export async function listen(
  server: Pick<FastifyInstance, 'listen'>,
  { httpHost, httpPort }: Pick<Config, 'httpHost' | 'httpPort'>,
): Promise<string> {
  try {
    return await server.listen({ host: httpHost, port: httpPort })
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
