import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Identities } from '../identity/identities.ts'
import { hostIdentity, type Identity, seedFileName, titleOf } from '../identity/identity.ts'
import { addedText, goneText, keyJson, keysTable, keyText, rotatingText } from './identity-text.ts'

interface Options {
  readonly users?: string
  readonly out?: string
}

export interface RotateOptions extends Options {
  readonly finish: boolean
  readonly undo: boolean
}

/** Adds `host add|list|rotate|remove`: which hosts may publish to NATS, each as itself alone. */
export function addHost(program: Command, usersFile: () => string): void {
  const host = program.command('host').description('which hosts may publish to NATS, each as itself alone')
  withUsers(host.command('add'))
    .description("make a host's key, and its entry among the users of nats-server")
    .argument('<name>', 'the name that its agent publishes under')
    .option('--out <file>', 'where the key goes; NAME.nk unless told otherwise')
    .action(async (name: string, options: Options) => {
      const identity = hostIdentity(name)
      const seedFile = resolve(options.out ?? seedFileName(identity))
      await identitiesOf(options, usersFile).add(identity, seedFile)
      say(keyText(identity, seedFile) + addedText(identity))
    })
  withUsers(host.command('list'))
    .description('all hosts that have a key')
    .option('--json', 'one JSON object a line', false)
    .action((options: Options & { json: boolean }) => {
      const keys = identitiesOf(options, usersFile)
        .list()
        .filter(({ identity }) => identity.kind === 'host')
      if (options.json) for (const key of keys) say(`${keyJson(key)}\n`)
      else say(keys.length === 0 ? 'No host has a key.\n' : keysTable(keys))
    })
  withRotation(withUsers(host.command('rotate')))
    .description("renew a host's key: the old one stays good until --finish")
    .argument('<name>', 'as host list shows it')
    .action((name: string, options: RotateOptions) => rotate(hostIdentity(name), options, usersFile))
  withUsers(host.command('remove'))
    .description('take all keys of a host away')
    .argument('<name>', 'as host list shows it')
    .action(async (name: string, options: Options) => {
      await identitiesOf(options, usersFile).remove(hostIdentity(name))
      say(goneText(`host ${name} has no key any more.`))
    })
}

/** Begins or ends the renewal of a key. */
export async function rotate(identity: Identity, options: RotateOptions, usersFile: () => string): Promise<void> {
  const identities = identitiesOf(options, usersFile)
  if (options.finish || options.undo) {
    await identities.endRotation(identity, options.finish ? 'old' : 'new')
    say(goneText(`The ${options.finish ? 'old' : 'new'} key of ${titleOf(identity)} is gone.`))
    return
  }
  const seedFile = resolve(options.out ?? seedFileName(identity).replace(/\.nk$/, '.new.nk'))
  await identities.rotate(identity, seedFile)
  say(keyText(identity, seedFile) + rotatingText(identity))
}

export function withRotation(command: Command): Command {
  return command
    .option('--out <file>', 'where the new key goes; NAME.new.nk unless told otherwise')
    .option('--finish', 'take the old key away', false)
    .option('--undo', 'take the new key away', false)
}

export function withUsers(command: Command): Command {
  return command.option('--users <file>', 'the users that nats-server includes, in place of natsUsersFile')
}

/** @param usersFile asked only where the command line names no file */
export function identitiesOf({ users }: Options, usersFile: () => string): Identities {
  return new Identities(resolve(users ?? usersFile()))
}

function say(text: string): void {
  process.stdout.write(text)
}
