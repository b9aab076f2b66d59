import type { Command } from 'commander'
import { startCollector } from '../collector.ts'
import { type Config, checkNats } from '../config.ts'
import { createLog } from '../log.ts'

/** Adds `run`: the collector itself. */
export function addRun(program: Command, settings: () => Config): void {
  program
    .command('run')
    .description('consume, store and answer, until SIGTERM or SIGINT')
    .option('--migrate', 'bring the tables up to date first', false)
    .action((options: { migrate: boolean }) => run(settings(), options))
}

async function run(config: Config, options: { migrate: boolean }): Promise<void> {
  checkNats(config)
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
  process.on('SIGHUP', () => {
    try {
      log.info(
        collector.reloadCertificate() ? 'the certificate was read again' : 'there is no certificate to read again',
      )
    } catch (error) {
      log.error({ err: error }, 'the certificate cannot be read; the old one stays')
    }
  })
  await collector.ended
  log.info('stopped')
}
