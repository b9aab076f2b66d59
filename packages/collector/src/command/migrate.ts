import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { migrate } from '../migrate.ts'

/** Adds `migrate`: brings the tables up to date. */
export function addMigrate(program: Command, settings: () => Config): void {
  program
    .command('migrate')
    .description("bring the database's tables up to this version")
    .action(async () => {
      const done = await migrate(settings().postgresUrl, settings())
      process.stdout.write(done.length === 0 ? 'The tables are up to date.\n' : `Migrated: ${done.join(', ')}\n`)
    })
}
