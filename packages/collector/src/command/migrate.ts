import { type Command, Option } from 'commander'
import { type Config, checkNats } from '../config.ts'
import { type StreamSetup, setUpStream } from '../ingest/stream-setup.ts'
import { migrate } from '../migrate.ts'

interface Options {
  readonly only?: 'postgres' | 'nats'
  readonly updateStream: boolean
}

/** Adds `migrate`: brings the tables up to date, and makes the stream and its consumer. */
export function addMigrate(program: Command, settings: () => Config): void {
  program
    .command('migrate')
    .description("bring the database's tables up to this version, and make the stream and its consumer in NATS")
    .addOption(new Option('--only <server>', 'leave the other one alone').choices(['postgres', 'nats']))
    .option('--update-stream', 'change what differs from the settings in a stream that exists', false)
    .action((options: Options) => run(settings(), options))
}

async function run(config: Config, { only, updateStream }: Options): Promise<void> {
  if (only !== 'postgres') checkNats(config)
  if (only !== 'nats') {
    const done = await migrate(config)
    say(done.length === 0 ? 'The tables are up to date.' : `Migrated: ${done.join(', ')}`)
  }
  if (only !== 'postgres') tell(await setUpStream(config, { change: updateStream }))
}

function tell({ made, differences, isChanged }: StreamSetup): void {
  if (made.length > 0) say(`Made in NATS: ${made.join(', ')}`)
  if (made.length === 0 && differences.length === 0) say('The stream is as the settings say.')
  for (const difference of differences) say(`${isChanged ? 'Changed' : 'Left as it is'}: ${difference}`)
  if (differences.length > 0 && !isChanged) say('To change it: whokilled-collector migrate --update-stream')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
