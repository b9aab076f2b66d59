import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootId, clocksAt, init, linesOf, scanned, type Told, watchStart } from './recorded-host.ts'

/** Told of a host where sh xdkill.sh kills services, one after the other. */
export interface RecordedStory {
  /** The services, in the order of their deaths. */
  readonly services: readonly string[]
  /** Milliseconds between two deaths. */
  readonly everyMs?: number
  /** Milliseconds of heartbeats after the last. */
  readonly goesOnMs?: number
  /** Changes the lines before they are written. */
  readonly lines?: (lines: string[]) => string[]
}

const bash = scanned({ pid: 900, comm: 'bash', args: ['-bash'], uid: 1001, startTicks: 200_000 })
const killerStart = 3_600_000_500_000n

/** Writes a recording with its processes into a folder; gives its path. */
export async function writeRecording(folder: string, story: RecordedStory): Promise<string> {
  const victims = story.services.map((service, index) =>
    scanned({ pid: 4_000 + index, comm: 'main', startTicks: 300_000, cgroup: `/system.slice/${service}` }),
  )
  const deaths = victims.flatMap(({ pid }) => [...killed(pid), heartbeat(story.everyMs ?? 1)])
  const after = Array.from({ length: Math.ceil((story.goesOnMs ?? 0) / 1_000) }, () => heartbeat(1_000))
  const lines = linesOf([...scriptStarts, ...deaths, ...after, { ...heartbeat(1), type: 'stop' }])
  const file = join(folder, 'story.wkr')
  await writeFile(file, `${(story.lines?.(lines) ?? lines).join('\n')}\n`, 'latin1')
  const processes = [init, bash, ...victims]
  await writeFile(join(folder, 'story.procs.json'), JSON.stringify({ bootId, hostName: 'web-3', processes }))
  return file
}

const scriptStarts: Told[] = [
  { type: 'fork', pid: 5120, start: killerStart, ppid: 900, pstart: 2_000_000_000_000n },
  {
    ...{ type: 'exec', pid: 5120, start: killerStart, ppid: 900, uid: 1001, comm: 'sh', exe: '/bin/dash' },
    ...{ argn: 13, argv: 'sh\0xdkill.sh\0' },
  } as Told,
]

function killed(pid: number): Told[] {
  const tstart = 3_000_000_000_000n
  return [
    {
      ...{ type: 'signal', pid: 5120, tid: 5120, start: killerStart, uid: 1001, sig: 9, code: 0, info: 'user' },
      ...{ group: 1, result: 'delivered', call: 'kill', arg: pid, ctx: 0, exiting: 0 },
      ...{ tpid: pid, ttid: pid, tstart, disp: 'default', blocked: 0 },
    } as Told,
    { type: 'exit', pid, start: tstart, code: 9, afterMs: 0.4 },
  ]
}

function heartbeat(afterMs: number): Told & { type: 'heartbeat' } {
  return { type: 'heartbeat', ...clocksAt(watchStart), afterMs }
}
