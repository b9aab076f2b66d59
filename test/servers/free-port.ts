import { createServer } from 'node:net'

/**
 * Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes the port
 * while a server that owns it is down between a kill and its restart.
 */
const portMin = 12_000
const portMax = 30_000
const attemptsMax = 50

/** A TCP port that nothing listens to on the loopback address right now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin))
    if (await isFree(port)) return port
  }
  throw new Error(`Expected a free port between ${portMin} and ${portMax}, ${attemptsMax} tries found none`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
