/**
 * The story, played on this machine: Postgres, NATS, the collector and the agent are started on free ports, a service
 * loops, a clean-up script of another team kills it, and the CLI tells who did it. Where the machine can run no
 * tracer, the agent replays a recording made under SystemTap, and the demo says so.
 *
 *   npm run demo [-- --json | --keep]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../test/servers/free-port.ts'
import { startNats } from '../test/servers/nats.ts'
import { startPostgres } from '../test/servers/postgres.ts'
import { ask, buildPrograms, type RunningProgram, startProgram } from './programs.ts'
import { Progress } from './progress.ts'
import { killByName, recordedStory, type Story } from './story.ts'

const recording = join(import.meta.dirname, '../test/recordings/article.wkr')
const answerTimeMs = 30_000

type ProbeName = 'systemtap' | 'bpftrace' | 'replay'
const probeNames: Record<ProbeName, string> = {
  systemtap: 'SystemTap',
  bpftrace: 'bpftrace (this kernel loads no modules)',
  replay: 'a recording',
}

const options = parseOptions()
const progress = new Progress()
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort())

try {
  await demo()
} catch (error) {
  const isInterrupted = interrupted.signal.aborted
  progress.fail(
    isInterrupted
      ? 'Interrupted; all that was started has ended.'
      : error instanceof Error
        ? error.message
        : String(error),
  )
  process.exitCode = 1
}

async function demo(): Promise<void> {
  await progress.step('Built the programs', buildPrograms)
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-demo-'))
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
  await using postgres = await progress.step('Started Postgres', startPostgres, ({ port }) => `on port ${port}`)
  await using nats = await progress.step('Started NATS', startNats, ({ port }) => `on port ${port}`)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await using collector = startProgram('collector', ['run', '--migrate'], {
    WHOKILLED_NATS_URL: nats.url,
    WHOKILLED_POSTGRES_URL: await postgres.createDatabase(),
    WHOKILLED_HTTP_PORT: String(port),
  })
  await progress.step(
    'Started the collector',
    () => until(() => isReady(url), [collector]),
    () => `on port ${port}`,
  )

  interrupted.signal.throwIfAborted()
  const probe = await bestProbe()
  const config = join(folder, 'agent.json')
  await writeFile(config, JSON.stringify(agentSettings(folder, nats.url, probe)))
  await using agent = startProgram('agent', ['run', '--config', config], {})
  await progress.step(
    'The agent sees kills',
    () => until(() => isWatched(url), [collector, agent]),
    () => `with ${probeNames[probe]}`,
  )

  const story = probe === 'replay' ? recordedStory : await killByName(folder)
  if (probe === 'replay') {
    const why =
      process.getuid?.() === 0
        ? 'No tracer can run on this machine'
        : 'Only root can trace (run it as root for a real kill)'
    progress.say(`${why}: the agent replays a recording made under SystemTap in a virtual machine.`)
  }
  interrupted.signal.throwIfAborted()
  const what =
    probe === 'replay'
      ? `The recording plays: ${story.service} is killed`
      : `The service ${story.service} runs, and is killed`
  await progress.step(what, story.play)
  if (probe === 'replay') progress.say('Waiting for the agent to reach the end of the recording…')
  const death = await until(() => answer(url, story), [collector])
  await print(url, story, death)
  if (options.keep) await keep(url, story)
}

function parseOptions(): { json: boolean; keep: boolean } {
  const flags = { json: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } } as const
  try {
    return parseArgs({ options: flags }).values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nusage: npm run demo [-- --json] [-- --keep] [-- --no-install]\n`)
    process.exit(2)
  }
}

/** The best probe this machine can run, as the agent's own doctor tells. */
async function bestProbe(): Promise<ProbeName> {
  const { stdout } = await ask('agent', ['doctor', '--json'])
  const { probe } = JSON.parse(stdout) as { probe: string | null }
  return probe === 'systemtap' || probe === 'bpftrace' ? probe : 'replay'
}

function agentSettings(folder: string, natsUrl: string, probe: ProbeName) {
  return {
    natsUrl,
    stateFolder: join(folder, 'agent'),
    cacheFolder: join(process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '/root', '.cache'), 'whokilled'),
    probe: { systemtap: 'stap', bpftrace: 'bpftrace', replay: `replay:${recording}` }[probe],
    replay: { speed: 'real', time: 'now' },
  }
}

async function isReady(url: string): Promise<true | undefined> {
  const response = await fetch(`${url}/readyz`).catch(() => undefined)
  return response?.ok === true ? true : undefined
}

async function isWatched(url: string): Promise<true | undefined> {
  const { stdout } = await ask('cli', ['hosts', '--json', '--url', url])
  return /"state":\s*"(?:watching|stopped)"/.test(stdout) ? true : undefined
}

/** The death event, as the CLI answers it; undefined while there is none. */
async function answer(url: string, { service }: Story): Promise<object | undefined> {
  const { status, stdout } = await ask('cli', [service, '--json', '--url', url])
  return status === 0 ? ((JSON.parse(stdout) as { death: object | null }).death ?? undefined) : undefined
}

async function print(url: string, { service }: Story, death: object): Promise<void> {
  const told = await ask('cli', [service, '--url', url])
  const words = `\n$ whokilled ${service}\n\n${told.stdout}\n`
  if (options.json) process.stderr.write(words)
  else process.stdout.write(words)
  if (options.json) process.stdout.write(`${JSON.stringify(death)}\n`)
}

async function keep(url: string, { service }: Story): Promise<void> {
  progress.say(
    `All stays up until Ctrl-C. Ask it:\n  node packages/cli/dist/main.js ${service} --url ${url}\n  ${url}/docs`,
  )
  while (!interrupted.signal.aborted)
    await pause(3_600_000, undefined, { signal: interrupted.signal }).catch(() => undefined)
}

/** Asks again and again until there is an answer; fails with a program's words if it ends meanwhile. */
async function until<T>(question: () => Promise<T | undefined>, running: readonly RunningProgram[]): Promise<T> {
  const endsAt = Date.now() + answerTimeMs
  const failed = Promise.race([...running.map((program) => program.failed), abortion()])
  while (Date.now() < endsAt) {
    const answered = await Promise.race([question(), failed])
    if (answered !== undefined) return answered
    await pause(200)
  }
  throw new Error(
    `no answer within ${answerTimeMs / 1_000} s. Its programs said:\n${running.map((one) => one.words()).join('\n')}`,
  )
}

function abortion(): Promise<never> {
  if (interrupted.signal.aborted) return Promise.reject(new Error('interrupted'))
  return new Promise((_, reject) =>
    interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true }),
  )
}
