import { readFileSync } from 'node:fs'
import { natsProblem, natsSettings, natsVariables } from '@whokilled/shared/nats-settings'
import { parseSettings } from '@whokilled/shared/settings'
import { z } from 'zod'
import { ConfigError } from './errors.ts'

const ServiceSetting = z.strictObject({
  name: z.string().min(1).max(255),
  /** Path of the executable. In this and the next three `*` stands for anything. */
  exe: z.string().optional(),
  comm: z.string().optional(),
  /** Matched against the arguments joined by spaces. */
  args: z.string().optional(),
  cgroup: z.string().optional(),
  /** A user id. */
  user: z.int().nonnegative().optional(),
})

/** Which probe to run: `auto` takes the best that this host can run. */
const probeSetting = z
  .string()
  .regex(/^(?:auto|stap|bpftrace|replay:.+)$/, 'expected auto, stap, bpftrace or replay:FILE')

/** The settings, as written in the file. Every limit has a default; docs/agent.md names them all, which a test compares. */
export const Settings = z.strictObject({
  ...natsSettings,
  /** The name events are published under; the host's own by default. */
  hostName: z.string().min(1).max(255).optional(),
  /** Identity and spool. */
  stateFolder: z
    .string()
    .refine((path) => !/^\/+(?:proc|sys)(?:\/|$)/.test(path), 'expected a folder on a disk, not in /proc or /sys')
    .default('/var/lib/whokilled'),
  /** Modules built here. */
  cacheFolder: z.string().default('/var/cache/whokilled'),
  probe: probeSetting.default('auto'),
  /** A probe module built elsewhere; the host then needs neither compiler nor headers. */
  module: z.string().optional(),
  replay: z
    .strictObject({
      speed: z.enum(['real', 'fast']).default('fast'),
      /** `now` tells a recording as if it began now; `recorded` keeps its times. */
      time: z.enum(['recorded', 'now']).default('recorded'),
    })
    .refine(
      ({ speed, time }) => time === 'recorded' || speed === 'real',
      'time now needs speed real: faster, it would tell of deaths to come',
    )
    .prefault({}),
  services: z.array(ServiceSetting).max(1_000).default([]),
  publish: z
    .strictObject({
      /** Publish signals that did not end a service, too. */
      signals: z.boolean().default(true),
      /** A program that is no service by unit, container or rule counts as one if it lived this long. */
      programLifeMsMin: z.int().nonnegative().default(1_000),
      /** Events sent in a second, so that a host with many does not hold up the others; null: any number. */
      eventsPerSecondMax: z.int().min(1).nullable().default(2_000),
    })
    .prefault({}),
  redactArguments: z.boolean().default(true),
  /** Events kept on disk while NATS is away. */
  spoolEventsMax: z.int().min(100).default(500_000),
  /** The same as their JSON; on the disk they take about a third. */
  spoolMegabytesMax: z.int().min(1).max(1_048_576).default(512),
  /** How long the agent tries to publish an event. */
  spoolAgeHoursMax: z.number().min(0.01).max(87_600).default(168),
  /** Buffer between kernel and tracer, taken once for each processor; the probe's own default if left out. */
  bufferMegabytes: z.int().min(1).max(1_024).optional(),
  /** Ended processes remembered. */
  endedProcessesMax: z.int().min(100).default(16_384),
  /** Former owners of pids remembered, to tell a signal that was meant for one of them. */
  formerOwnersMax: z.int().min(100).default(32_768),
  /** Prometheus metrics on http://127.0.0.1:PORT/metrics; null: none. */
  metricsPort: z.int().min(0).max(65_535).nullable().default(null),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})

export type Config = Readonly<Omit<z.output<typeof Settings>, 'natsUrlFile'>>

/** Settings of the command line, which win over the file's. */
export interface GivenSettings {
  readonly probe?: string | undefined
  readonly module?: string | undefined
  readonly stateFolder?: string | undefined
}

/** Reads the settings: the file, over it the environment, over it the command line. */
export function loadConfig(file: string | undefined, environment: NodeJS.ProcessEnv, given: GivenSettings): Config {
  const written = {
    ...(file === undefined ? {} : readJson(file)),
    ...fromEnvironment(environment),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
  const { natsUrlFile } = parsed(written)
  // A URL in the environment wins over a file that holds one.
  const url = natsUrlFile === undefined || environment.WHOKILLED_NATS_URL ? undefined : readSecret(natsUrlFile)
  const { natsUrlFile: _, ...settings } = parsed(url === undefined ? written : { ...written, natsUrl: url })
  return Object.freeze(settings)
}

/** Throws a ConfigError where this host's connection to NATS would not be safe, or not be one. */
export function checkNats(config: Config): void {
  const problem = natsProblem(config)
  if (problem !== undefined) throw new ConfigError(problem.code, problem.message, problem.hint)
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [variable, setting] of Object.entries(natsVariables)) {
    const value = environment[variable]
    if (value === undefined || value === '') continue
    found[setting] = setting === 'natsPlaintext' && /^(?:true|false)$/.test(value) ? value === 'true' : value
  }
  return found
}

function parsed(written: unknown): z.output<typeof Settings> {
  const result = parseSettings(Settings, written)
  if ('settings' in result) return result.settings
  throw new ConfigError('config-invalid', result.problems.join('; '), 'docs/agent.md names every setting.')
}

function readJson(file: string): Record<string, unknown> {
  const text = readText(file)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (cause) {
    // JSON.parse quotes the text around the fault, which may be a password; only the place is told.
    const place = /position \d+/.exec((cause as Error).message)?.[0] ?? 'its end'
    throw new ConfigError(
      'config-not-json',
      `${file}: expected JSON, found a fault at ${place}`,
      'Comments and trailing commas are not JSON.',
    )
  }
  throw new ConfigError('config-not-json', `${file}: expected a JSON object`, 'Write the settings between { and }.')
}

function readSecret(file: string): string {
  return readText(file).trim()
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(
      'config-unreadable',
      `expected to read ${file}: ${(cause as Error).message}`,
      'Check the path and its permissions.',
      { cause },
    )
  }
}
