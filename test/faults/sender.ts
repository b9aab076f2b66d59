/**
 * An agent without a probe, to be killed: the real stamp, spool and publisher, which events are made up for at a steady
 * rate. It writes down what happens to each event.
 *
 * The file `said` has one line an event and fate: `offered ID RUN SEQ TYPE MS` before the spool is asked to keep it,
 * `accepted ID MS` once its append has resolved, so that it is on disk, `refused ID MS` if it was not taken. A SIGKILL
 * leaves what was written before it. It may fall between an event's way to the disk and its line: so what was only
 * offered may be stored or not, what was accepted must be.
 *
 * Lines on stdin command it: `rate N` (events a second), `end` (in order).
 * When stdin ends it goes at once.
 */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { Event } from '@whokilled/shared/event'
import type { EventDraft } from '../../packages/agent/src/event-draft.ts'
import type { Dropped } from '../../packages/agent/src/event-sink.ts'
import { hostIdentity } from '../../packages/agent/src/host-identity.ts'
import { Spool } from '../../packages/agent/src/spool/spool.ts'
import { SpoolSink } from '../../packages/agent/src/spool/spool-sink.ts'
import { EventStamp } from '../../packages/agent/src/stamp.ts'
import { Connection } from '../../packages/agent/src/wire/connection.ts'
import { Publisher } from '../../packages/agent/src/wire/publish.ts'
import { coverageEvent, deathEvent, signalEvent } from '../events.ts'

/** What the program is given, as JSON, in its first argument. */
export interface SenderSettings {
  readonly natsUrl: string
  readonly hostName: string
  readonly stateFolder: string
  /** Where the spool is; in the state folder unless told otherwise. */
  readonly spoolFolder?: string
  readonly spoolEventsMax?: number
  /** Events a second at first. */
  readonly perSecond: number
  /** The file that tells the fate of each event. */
  readonly said: string
  /** What the host's clock is off by, milliseconds: one event after the other has the next of these. */
  readonly clockJumpsMs?: readonly number[]
}

/** Events are made this often, milliseconds. */
const beatMs = 20
/** What could not be kept is told this often, milliseconds, as an agent does with its heartbeats. */
const gapMs = 500

const [, program, given] = process.argv
if (program === import.meta.filename && given !== undefined) await send(JSON.parse(given) as SenderSettings)

async function send(settings: SenderSettings): Promise<void> {
  const { natsUrl, hostName, stateFolder } = settings
  const { host, secret } = hostIdentity({ stateFolder, hostName })
  const stamp = new EventStamp({ host, secret, version: '0.1.0' })
  const spool = await Spool.open({
    folder: settings.spoolFolder ?? join(stateFolder, 'spool'),
    eventsMax: settings.spoolEventsMax ?? 1_000_000,
  })
  const say = tellFates(spool, openSync(settings.said, 'a'))
  const sink = new SpoolSink(spool)
  const publisher = new Publisher(
    spool,
    { connection: new Connection({ url: natsUrl, hostName }), hostName },
    () => undefined,
  )
  const publishing = publisher.run()

  let perSecond = settings.perSecond
  let isEnding = false
  const offer = async (draft: EventDraft) => {
    const event = stamp.stamp(draft, 'replay')
    say(`offered ${event.id} ${event.agent.runId} ${event.agent.seq} ${event.type}`)
    await sink.accept(event)
  }
  const tellDropped = async () => {
    const dropped = sink.takeDropped()
    if (dropped !== undefined) await offer(gapOf(dropped, stamp.runId))
  }
  const commands = createInterface({ input: process.stdin })
  commands.on('line', (line) => {
    const [word, number] = line.split(' ')
    if (word === 'rate') perSecond = Number(number)
    if (word === 'end') isEnding = true
  })
  process.stdin.once('end', () => {
    if (!isEnding) process.exit(1)
  })

  const jumpsMs = settings.clockJumpsMs ?? [0]
  let made = 0
  let due = 0
  let beforeMs = performance.now()
  let toldMs = beforeMs
  while (!isEnding) {
    await pause(beatMs)
    const nowMs = performance.now()
    due += ((nowMs - beforeMs) * perSecond) / 1_000
    beforeMs = nowMs
    for (; due >= 1 && !isEnding; due -= 1) {
      const jumpMs = jumpsMs[made % jumpsMs.length] ?? 0
      await offer(draftNumber(made, stamp.runId, new Date(Date.now() + jumpMs)))
      made += 1
    }
    if (nowMs - toldMs < gapMs) continue
    toldMs = nowMs
    await tellDropped()
  }
  await sink.settled()
  await tellDropped()
  await publisher.stop(5_000)
  await publishing
  await spool.close()
  process.exit(0)
}

/** Writes the fate of each event down; gives what writes a line. */
function tellFates(spool: Spool, said: number): (line: string) => void {
  const say = (line: string) => void writeSync(said, `${line} ${Date.now()}\n`)
  const append = spool.append.bind(spool)
  spool.append = async (...given: Parameters<Spool['append']>) => {
    const [json] = given
    const isKept = await append(...given)
    say(`${isKept ? 'accepted' : 'refused'} ${(JSON.parse(json) as Event).id}`)
    return isKept
  }
  return say
}

/** Of twenty events thirteen are deaths, six are signals, one says that the host is watched. */
function draftNumber(number: number, runId: string, at: Date): EventDraft {
  const time = at.toISOString()
  const key = `${runId}:${number}`
  if (number % 20 === 0) return draftOf(coverageEvent({ at: time, from: time, to: time }), key)
  if (number % 3 === 1) return draftOf(signalEvent({ at: time }), key)
  return draftOf(deathEvent({ at: time }), key)
}

/** As `Coverage.dropped` of the agent tells it. */
function gapOf({ count, since, reason }: Dropped, runId: string): EventDraft {
  const to = new Date().toISOString()
  const from = since < to ? since : to
  const gap = { at: to, state: 'gap', from, to, why: 'events-dropped', reason, lostRecords: count } as const
  return draftOf(coverageEvent(gap), `${runId}:gap:${since}:${to}`)
}

/** Without what the stamp gives it. */
function draftOf(event: Event, key: string): EventDraft {
  const { v: _, id: __, host: ___, agent: ____, ...body } = event
  return { ...body, key } as EventDraft
}
