import { Agent } from '../agent.ts'
import type { Config } from '../config.ts'
import type { AgentError } from '../errors.ts'
import { localHost } from '../local-host.ts'
import { chooseProbe } from '../probe/choose.ts'
import { supervise } from '../probe/supervise.ts'
import { WatchSink } from '../watch.ts'

export interface WatchCommandOptions {
  readonly json: boolean
  /** Only this service. */
  readonly service: string | undefined
  /** Where remarks go that are not the answer: progress, a probe that was passed over, trouble. */
  readonly remark: (text: string) => void
}

/** Prints this host's deaths as they happen; needs neither NATS nor Postgres. */
export async function watch(config: Config, options: WatchCommandOptions, signal: AbortSignal): Promise<void> {
  const colour = !options.json && process.stdout.isTTY === true && process.env.NO_COLOR === undefined
  const sink = new WatchSink({ json: options.json, colour, out: process.stdout })
  const agent = new Agent({ ...localHost(config, undefined), config, sink, only: options.service })
  const probe = chooseProbe({
    config,
    onProgress: options.remark,
    onPassedOver: ({ message }: AgentError) => options.remark(`${message} Trying bpftrace.`),
  })
  await supervise({
    probe,
    follow: (...args) => agent.follow(...args),
    signal,
    onTrouble: ({ message, hint }, retryInMs) =>
      options.remark(`${message} ${hint} Starting again in ${retryInMs / 1_000} s.`),
    onWarning: options.remark,
  })
}
