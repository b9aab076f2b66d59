import { join } from 'node:path'
import { ClockOffset, readClocks } from '@whokilled/shared/clock-offset'
import { pino } from 'pino'
import { Agent } from '../agent.ts'
import { type Config, checkNats } from '../config.ts'
import { WatchMemory } from '../coverage/watch-memory.ts'
import { type LocalHost, localHost } from '../local-host.ts'
import { agentMetrics, serveMetrics } from '../metrics.ts'
import { chooseProbe, recordingOf } from '../probe/choose.ts'
import { supervise } from '../probe/supervise.ts'
import { Spool } from '../spool/spool.ts'
import { SpoolSink } from '../spool/spool-sink.ts'
import { version } from '../version.ts'
import { ClockRequests } from '../wire/clock-requests.ts'
import { Connection } from '../wire/connection.ts'
import { Publisher } from '../wire/publish.ts'

/** How long the end of the agent waits for what is still in the spool; the rest stays there. */
const drainMs = 5_000

/** The agent: watches this host and publishes what it decides, until the signal aborts or a recording ends. */
export async function run(config: Config, signal: AbortSignal): Promise<void> {
  checkNats(config)
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ fd: 2, sync: true }))
  const offset = new ClockOffset()
  const host = localHost(config, config.stateFolder, () => offset.at(readClocks()))
  if (host.identity.wasCloned) log.warn('this state folder came from another machine; the host has a new id')
  const spool = await Spool.open({
    folder: join(config.stateFolder, 'spool'),
    eventsMax: config.spoolEventsMax,
    bytesMax: config.spoolMegabytesMax * 1_048_576,
    ageMsMax: config.spoolAgeHoursMax * 3_600_000,
    onTrouble: ({ code, message, hint }) => log.error({ code, hint }, message),
  })
  const sink = new SpoolSink(spool)
  const memory = memoryOf(config, host)
  if (memory?.trouble !== undefined) {
    log.warn({ code: 'last-watch-unusable' }, `what the last agent watched is not known: ${memory.trouble}`)
  }
  const agent = new Agent({ ...host, config, sink, memory })
  const { id: hostId, name: hostName } = host.identity.host
  const connection = new Connection({ ...config, url: config.natsUrl, hostName })
  const clockRequests = new ClockRequests({ connection, hostName, offset })
  const eventsPerSecondMax = config.publish.eventsPerSecondMax ?? undefined
  const publisher = new Publisher(
    spool,
    {
      connection,
      hostName,
      hostId,
      eventsPerSecondMax,
      onRecovered: () => log.info({ waiting: spool.length }, 'publishing again'),
    },
    ({ code, message, hint }) =>
      log.warn({ code, error: message, hint, waiting: spool.length }, 'cannot publish; events wait on disk'),
  )
  const metrics =
    config.metricsPort === null
      ? undefined
      : await serveMetrics(
          agentMetrics({ agent, spool, sink, publisher, connection, clockRequests, offset, memory }),
          config.metricsPort,
        )
  const probe = chooseProbe({
    config,
    onProgress: (line) => log.info(line),
    onPassedOver: ({ code, message, hint }) => log.warn({ code, hint }, message),
  })
  log.info({ version, host: host.identity.host.name, spooled: spool.length }, 'starting')
  const publishing = publisher.run()
  const stopping = new AbortController()
  const asking = clockRequests.run(stopping.signal)
  try {
    await supervise({
      probe,
      follow: (...args) => agent.follow(...args),
      signal,
      onStarted: (kind) => log.info({ probe: kind }, 'the probe has started'),
      onTrouble: ({ code, message, hint }, retryInMs) => log.error({ code, hint, retryInMs }, message),
      onWarning: (warning) => log.warn({ code: 'probe-warning' }, warning),
    })
  } finally {
    await agent.leave()
    stopping.abort()
    await publisher.stop(drainMs)
    await publishing
    await asking
    await spool.close()
    metrics?.close()
    log.info({ ...agent.counters, spooled: spool.length }, 'stopped')
  }
}

/** A recording is of another time: it has nothing to do with what was watched here before. */
function memoryOf(config: Config, { identity }: LocalHost): WatchMemory | undefined {
  if (recordingOf(config.probe) !== undefined) return undefined
  return new WatchMemory(join(config.stateFolder, 'last-watch.jsonl'), identity.host.id)
}
