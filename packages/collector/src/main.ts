#!/usr/bin/env node
import { CodedError } from '@whokilled/shared/coded-error'
import { Command, CommanderError } from 'commander'
import { addDeadLetters } from './command/dead-letters.ts'
import { addHost } from './command/host.ts'
import { addIdentity } from './command/identity.ts'
import { addMigrate } from './command/migrate.ts'
import { addRun } from './command/run.ts'
import { addToken } from './command/token.ts'
import { type Config, loadConfig, natsUsersFile } from './config.ts'
import { ConfigError, ListenError, SchemaError, UsageError } from './errors.ts'

const exitCodes = { fine: 0, failed: 1, wrongUsage: 2, cannotReach: 3 }

const program = new Command('whokilled-collector')
  .description('Stores what the agents publish, and answers who killed what.')
  .version('0.1.0')
  .option('--config <file>', 'settings as JSON; the environment goes over it')
  .exitOverride()
  .addHelpText(
    'after',
    `
Environment: WHOKILLED_NATS_URL, WHOKILLED_NATS_NKEY_FILE, WHOKILLED_NATS_CA_FILE, WHOKILLED_POSTGRES_URL,
WHOKILLED_POSTGRES_CA_FILE, WHOKILLED_HTTP_HOST, WHOKILLED_HTTP_PORT, WHOKILLED_LOG_LEVEL; docs/store.md has all.
Exit status: 0 fine, 1 failed, 2 wrong usage, settings or schema, 3 cannot reach Postgres or NATS.`,
  )

// Each file in command/ adds its own, and asks for the settings only when it is called.
addRun(program, settings)
addMigrate(program, settings)
addHost(program, usersFile)
addIdentity(program, usersFile)
addToken(program, settings)
addDeadLetters(program, settings)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

function settings(): Config {
  return loadConfig(program.opts<{ config?: string }>().config, process.env)
}

function usersFile(): string {
  return natsUsersFile(program.opts<{ config?: string }>().config, process.env)
}

/** Says what went wrong, and gives the exit status. */
function report(error: unknown): number {
  // Commander has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrongUsage
  if (!(error instanceof CodedError)) {
    process.stderr.write(`whokilled-collector: ${error instanceof Error ? error.stack : String(error)}\n`)
    return exitCodes.failed
  }
  process.stderr.write(`whokilled-collector: ${error.message} [${error.code}]\n  ${error.hint}\n`)
  if ([ConfigError, SchemaError, ListenError, UsageError].some((kind) => error instanceof kind))
    return exitCodes.wrongUsage
  return ['postgres-unreachable', 'nats-unreachable'].includes(error.code) ? exitCodes.cannotReach : exitCodes.failed
}
