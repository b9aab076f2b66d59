#!/usr/bin/env node
import './heap.ts'
import { CodedError } from '@whokilled/shared/coded-error'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { buildModule } from './command/build-module.ts'
import { doctor } from './command/doctor.ts'
import { run } from './command/run.ts'
import { watch } from './command/watch.ts'
import { loadConfig } from './config.ts'
import { ConfigError } from './errors.ts'
import { version } from './version.ts'

const exitStatus = { done: 0, nothing: 1, wrongUsage: 2, cannotReach: 3 } as const

interface Options {
  readonly config?: string
  readonly probe?: string
  readonly module?: string
  readonly json?: boolean
}

const stopping = new AbortController()
/** The second signal ends the program at once. */
const stop = () => (stopping.signal.aborted ? process.exit(exitStatus.cannotReach) : stopping.abort())
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop())
// Who reads what `watch` prints may go away; then there is nobody left to watch for.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (stopping.signal.aborted) return
  stopping.abort()
  if (error.code === 'EPIPE') return
  remark(`whokilled-agent: expected to print what happens, cannot: ${error.message}`)
  process.exitCode = exitStatus.cannotReach
})

const program = new Command('whokilled-agent')
  .description('Watches this host: who killed which service, and why.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(whokilled-agent --help tells more)')

withProbe(program.command('run'))
  .description('watch this host and publish its deaths to NATS')
  .addHelpText('after', example('whokilled-agent run --config /etc/whokilled/agent.json'))
  .action((options: Options) => run(configOf(options), stopping.signal))

withProbe(program.command('watch'))
  .description('print the deaths on this host as they happen; needs no NATS and no Postgres')
  .argument('[service]', 'only this service, by name or a pattern with *', serviceName)
  .option('--json', 'print the events, one a line')
  .addHelpText('after', example('sudo whokilled-agent watch', 'sudo whokilled-agent watch nginx --json'))
  .action((service: string | undefined, options: Options) =>
    watch(configOf(options), { json: options.json === true, service, remark }, stopping.signal),
  )

withProbe(program.command('doctor'))
  .description('tell which probe can run here, and the remedy for what is missing')
  .option('--json', 'print it for programs')
  .action(async (options: Options) => {
    const canRun = await doctor(configOf(options), { json: options.json === true, colour: isColourful(process.stdout) })
    process.exitCode = canRun ? exitStatus.done : exitStatus.nothing
  })

program
  .command('build-module')
  .description('build the SystemTap probe for hosts that have neither compiler nor headers')
  .option('--config <file>', 'settings (JSON)')
  .option('--kernel <release>', 'as `uname -r` prints it there; its headers must be installed here', kernelRelease)
  .option('--out <file>', 'where to put the module')
  .option('--json', 'print the result for programs')
  .addHelpText('after', example('whokilled-agent build-module --kernel 6.1.0-56-amd64 --out whokilled.ko'))
  .action((options: Options & { kernel?: string; out?: string }) =>
    buildModule(configOf(options), { kernel: options.kernel, out: options.out, json: options.json === true, remark }),
  )

function withProbe(command: Command): Command {
  return command
    .option('--config <file>', 'settings (JSON)')
    .option('--probe <probe>', 'auto, stap, bpftrace or replay:FILE')
    .option('--module <file>', 'a probe module built elsewhere')
}

function configOf({ config, probe, module }: Options) {
  return loadConfig(config, process.env, { probe, module })
}

function example(...lines: string[]): string {
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}

function kernelRelease(text: string): string {
  if (/^[\w.+~-]{1,64}$/.test(text)) return text
  throw new InvalidArgumentError('expected a kernel release such as 6.1.0-56-amd64')
}

/** An empty name is most likely a variable of a script that was not set. */
function serviceName(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('expected the name of a service; leave it out to watch all')
}

/** Says something that is not the answer. */
function remark(text: string): void {
  process.stderr.write(`${text}\n`)
}

function isColourful(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env.NO_COLOR === undefined
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are answers, and commander has printed its message.
    process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.wrongUsage
  } else if (error instanceof CodedError) {
    remark(`whokilled-agent: ${error.message}\n  ${error.hint} [${error.code}]`)
    process.exitCode = error instanceof ConfigError ? exitStatus.wrongUsage : exitStatus.cannotReach
  } else throw error
}
