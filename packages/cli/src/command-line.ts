import { readFileSync } from 'node:fs'
import { parseTime } from '@whokilled/shared/http-api'
import { Command, InvalidArgumentError } from 'commander'
import { type CoverageOptions, coverage } from './commands/coverage.ts'
import { type DeathsOptions, deaths } from './commands/deaths.ts'
import { hosts } from './commands/hosts.ts'
import { show } from './commands/show.ts'
import { type WhoKilledOptions, whoKilled } from './commands/who-killed.ts'
import { type ExitStatus, UsageError } from './errors.ts'
import { openSession, type Session, type Surroundings } from './session.ts'
import { type GivenSettings, parseSettings } from './settings.ts'

/** The program's command line; the status of the command that ran goes to `done`. */
export function commandLine(argv: readonly string[], surroundings: Surroundings, done: Done): Command {
  const program = makeProgram(surroundings, done)
  return isServiceBehindDashes(argv) ? program : addCommands(program, surroundings, done)
}

type Done = (status: ExitStatus) => void

function makeProgram(surroundings: Surroundings, done: Done): Command {
  const program = new Command('whokilled')
    .description('Who killed my service, from which host, and why?')
    .version(version())
    .usage('[options] <service>\n       whokilled [options] <command>')
    .argument('<service>', 'as a person names it: nginx.service, xdworker.sh, a container', notEmpty)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'whokilled: ')),
      writeErr: (text) => surroundings.stderr.write(text),
    })
    .showHelpAfterError('Run whokilled --help for what it understands.')
  return withSettings(withTimes(program, ' (24h)'))
    .addHelpText('after', examples)
    .action(async (service: string, options: WhoKilledOptions, command: Command) => {
      done(await whoKilled(service, options, sessionOf(command, surroundings)))
    })
}

function addCommands(program: Command, surroundings: Surroundings, done: Done): Command {
  withSettings(withTimes(program.command('deaths').description('the latest deaths, newest first')))
    .option('--service <name>', 'of this service alone', notEmpty)
    .option('--cause <cause>', 'signal, fault, oom, exit, …', notEmpty)
    .option('--limit <count>', 'how many at most, 1 to 1000 (50)', wholeNumber)
    .option('--cursor <cursor>', 'continue where an earlier list ended')
    .action(async (_options: object, command: Command) => {
      done(await deaths(command.optsWithGlobals<DeathsOptions>(), sessionOf(command, surroundings)))
    })
  withSettings(program.command('show').description('everything that is known of one death'))
    .argument('<id>', 'as `whokilled deaths` prints it', notEmpty)
    .action(async (id: string, _options: object, command: Command) => {
      done(await show(id, sessionOf(command, surroundings)))
    })
  withSettings(program.command('hosts').description('which hosts are watched, and since when')).action(
    async (_options: object, command: Command) => {
      done(await hosts(sessionOf(command, surroundings)))
    },
  )
  withSettings(
    withTimes(program.command('coverage').description('when hosts were not watched, and why'), ' (24h)'),
  ).action(async (_options: object, command: Command) => {
    done(await coverage(command.optsWithGlobals<CoverageOptions>(), sessionOf(command, surroundings)))
  })
  for (const word of reserved) {
    program
      .command(word, { hidden: true })
      .allowUnknownOption()
      .argument('[rest...]')
      .action(() => {
        throw new UsageError(
          'reserved-word',
          `expected a service or a command of this version, got "${word}", which is kept for a command to come.`,
          `For a service of that name: whokilled -- ${word}.`,
        )
      })
  }
  return program
}

/** Words that must not become names of services in people's scripts before they are commands. */
const reserved = ['killers', 'signals', 'tail']

/**
 * `whokilled -- tail` asks for a service that is named like a command. commander looks for commands behind `--` too,
 * so for such a line the program is made without them.
 */
function isServiceBehindDashes(argv: readonly string[]): boolean {
  const dashes = argv.indexOf('--')
  if (dashes === -1) return false
  const reader = withSettings(withTimes(new Command().exitOverride()))
  return reader.parseOptions(argv.slice(0, dashes)).operands.length === 0
}

function withTimes(command: Command, sinceDefault = ''): Command {
  return command
    .option('--host <name>', 'on this host alone; * stands for any characters', notEmpty)
    .option('--since <time>', `no earlier than: 24h, 90m, 7d, 2026-11-22T03:00:00Z${sinceDefault}`, aTime)
    .option('--until <time>', 'no later than', aTime)
}

function withSettings(command: Command): Command {
  return command
    .option('--json', "print the collector's answer, one JSON value a line")
    .option('--url <address>', 'the collector (WHOKILLED_URL, http://127.0.0.1:9137)')
    .option('--timeout <seconds>', 'how long it may take (10)')
}

/** Options given before a command's name count for it too (`whokilled --json deaths`). */
function sessionOf(command: Command, surroundings: Surroundings): Session {
  const given = command.optsWithGlobals<GivenSettings>()
  return openSession(parseSettings(given, surroundings.env), surroundings)
}

function notEmpty(text: string): string {
  if (text === '' || text.length > 255) throw new InvalidArgumentError('Expected 1 to 255 characters.')
  return text
}

function aTime(text: string): string {
  if (parseTime(text, 0) !== undefined) return text
  throw new InvalidArgumentError('Expected a duration (24h, 90m, 7d) or an ISO 8601 time (2026-11-22T03:00:00Z).')
}

function wholeNumber(text: string): string {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return text
  throw new InvalidArgumentError('Expected a whole number from 1 to 1000.')
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

const examples = `
Examples:
  whokilled nginx.service                     who killed it last
  whokilled nginx.service --host web-3 --since 24h
  whokilled deaths --since 1h --host 'web-*'  what died in the last hour
  whokilled show 019ab3c2-7f00-7abc-8def-0123456789ab
  whokilled hosts                             who is watching
  whokilled coverage --host web-3 --since 7d  when nobody was watching, and why
  whokilled -- deaths                         a service named like a command

Environment: WHOKILLED_URL, WHOKILLED_TOKEN_FILE or WHOKILLED_TOKEN, NODE_EXTRA_CA_CERTS, NO_COLOR.
Exit status: 0 answered, 1 nothing found, 2 wrong usage, 3 the collector cannot be reached.`
