import { Agent } from '@whokilled/agent/agent'
import type { ProbeRun } from '@whokilled/agent/probe/probe'
import type { ProcSnapshot } from '@whokilled/agent/process/proc-scan'
import { EventStamp } from '@whokilled/agent/stamp'
import { UserNames } from '@whokilled/agent/user-names'
import type { Event } from '@whokilled/shared/event'

/** Lines of a probe, with the processes that were there when it began. */
export interface Recording {
  readonly lines: readonly string[]
  readonly snapshot: ProcSnapshot
}

/** All events that the agent tells of a recording, with every end of every program told. */
export async function eventsOf({ lines, snapshot }: Recording): Promise<Event[]> {
  const events: Event[] = []
  let scan: ProcSnapshot['processes'] | undefined = snapshot.processes
  const agent = new Agent({
    config: {
      services: [],
      publish: { signals: true, programLifeMsMin: 0 },
      redactArguments: true,
      endedProcessesMax: 16_384,
    },
    stamp: new EventStamp({
      host: { id: 'recorded', name: snapshot.hostName, bootId: snapshot.bootId },
      secret: 'recorded',
      version: '0.0.0',
    }),
    sink: { accept: async (event) => void events.push(event), takeDropped: () => undefined },
    bootId: snapshot.bootId,
    userNames: new UserNames('/dev/null'),
    scan: async () => {
      const told = scan
      scan = undefined
      return told
    },
    canary: false,
  })
  await agent.follow({ kind: 'replay', start: () => Promise.reject(new Error('not used')) }, runOf(lines))
  return events
}

function runOf(lines: readonly string[]): ProbeRun {
  return {
    async *lines() {
      yield* lines
    },
    stop: async () => undefined,
    ended: Promise.resolve({ expected: true, error: null, warnings: [] }),
  }
}
