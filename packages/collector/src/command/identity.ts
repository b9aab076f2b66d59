import { join, resolve } from 'node:path'
import { Argument, type Command } from 'commander'
import { type Identity, seedFileName, singleIdentities } from '../identity/identity.ts'
import { identitiesOf, type RotateOptions, rotate, withRotation, withUsers } from './host.ts'
import { includeText, keyJson, keysTable, keyText } from './identity-text.ts'

/** Adds `identity init|list|rotate`: who besides the hosts may connect to NATS. */
export function addIdentity(program: Command, usersFile: () => string): void {
  const command = program.command('identity').description('who besides the hosts may connect to NATS')
  withUsers(command.command('init'))
    .description('begin the users of nats-server, with a key for the collectors and one for migrate')
    .option('--out-folder <folder>', 'where the two keys go', '.')
    .action(async (options: { users?: string; outFolder: string }) => {
      const seedFile = (identity: Identity) => resolve(join(options.outFolder, seedFileName(identity)))
      const [admin, collector] = singleIdentities
      const identities = identitiesOf(options, usersFile)
      await identities.begin({ admin: seedFile(admin), collector: seedFile(collector) })
      process.stdout.write(
        keyText(admin, seedFile(admin)) +
          'whokilled-collector migrate makes the stream with it: name it in natsAdminNkeyFile.\n' +
          keyText(collector, seedFile(collector)) +
          'The collectors run with it: name it in natsNkeyFile.\n\n' +
          includeText(identities.file),
      )
    })
  withUsers(command.command('list'))
    .description('all keys, those of hosts too')
    .option('--json', 'one JSON object a line', false)
    .action((options: { users?: string; json: boolean }) => {
      const keys = identitiesOf(options, usersFile).list()
      if (options.json) for (const key of keys) process.stdout.write(`${keyJson(key)}\n`)
      else process.stdout.write(keysTable(keys))
    })
  withRotation(withUsers(command.command('rotate')))
    .description('renew a key: the old one stays good until --finish')
    .addArgument(new Argument('<identity>').choices(singleIdentities.map(({ kind }) => kind)))
    .action((kind: 'admin' | 'collector', options: RotateOptions) => rotate({ kind }, options, usersFile))
}
