#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { startCollector } from './collector.ts'
import { type Config, loadConfig } from './config.ts'
import { CollectorError, ConfigError, DatabaseError, ListenError, SchemaError } from './errors.ts'
import { createLog } from './log.ts'
import { migrate } from './migrate.ts'

const exitCodes = { fine: 0, failed: 1, wrongUsage: 2, cannotReach: 3 }

const program = new Command('whokilled-collector')
  .description('Stores what the agents publish, and answers who killed what.')
  .version('0.1.0')
  .option('--config <file>', 'settings as JSON; the environment goes over it')
  .exitOverride()
  .addHelpText(
    'after',
    `
Environment: WHOKILLED_NATS_URL, WHOKILLED_POSTGRES_URL, WHOKILLED_HTTP_HOST, WHOKILLED_HTTP_PORT, WHOKILLED_LOG_LEVEL.
Exit status: 0 fine, 1 failed, 2 wrong usage, settings or schema, 3 cannot reach Postgres (migrate).`,
  )

program
  .command('run')
  .description('consume, store and answer, until SIGTERM or SIGINT')
  .option('--migrate', 'bring the tables up to date first', false)
  .action((options: { migrate: boolean }) => run(settings(), options))

program
  .command('migrate')
  .description("bring the database's tables up to this version")
  .action(async () => {
    const done = await migrate(settings().postgresUrl)
    process.stdout.write(done.length === 0 ? 'The tables are up to date.\n' : `Migrated: ${done.join(', ')}\n`)
  })

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

function settings(): Config {
  return loadConfig(program.opts<{ config?: string }>().config, process.env)
}

async function run(config: Config, options: { migrate: boolean }): Promise<void> {
  const log = createLog(config.logLevel)
  const collector = await startCollector(config, log, options)
  log.info({ url: collector.url }, 'listening')
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // The second one ends the process at once, as it would without us.
    process.once(signal, () => {
      log.info({ signal }, 'stopping')
      void collector.stop()
    })
  }
  await collector.ended
  log.info('stopped')
}

/** Says what went wrong, and gives the exit status. */
function report(error: unknown): number {
  // Commander has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrongUsage
  if (!(error instanceof CollectorError)) {
    process.stderr.write(`whokilled-collector: ${error instanceof Error ? error.stack : String(error)}\n`)
    return exitCodes.failed
  }
  process.stderr.write(`whokilled-collector: ${error.message} [${error.code}]\n  ${error.hint}\n`)
  if (error instanceof ConfigError || error instanceof SchemaError || error instanceof ListenError)
    return exitCodes.wrongUsage
  return error instanceof DatabaseError && error.code === 'postgres-unreachable'
    ? exitCodes.cannotReach
    : exitCodes.failed
}
