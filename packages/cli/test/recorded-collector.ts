import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server on loopback that answers in one recorded way, to show how the program takes faults. */
export interface RecordedCollector extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Path and query of what was asked, in order. */
  readonly asked: readonly string[]
}

export type Recording = (request: IncomingMessage, response: ServerResponse) => void

/** Starts it on a free port; `await using` stops it and cuts its connections. */
export async function startRecordedCollector(recording: Recording): Promise<RecordedCollector> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    recording(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers everything with this JSON. */
export function jsonRecording(value: unknown, status = 200): Recording {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': status === 200 ? 'application/json' : 'application/problem+json' })
    response.end(JSON.stringify(value))
  }
}
