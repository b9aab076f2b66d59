import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { eventSubject, hostInbox } from '@whokilled/shared/subjects'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { Identities } from '../src/identity/identities.ts'
import { hostIdentity } from '../src/identity/identity.ts'
import { runProgram } from './run-program.ts'
import { eventually } from './running.ts'

let folder = ''
let users = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-identity-'))
  users = join(folder, 'users.conf')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The program, in the folder of the test's keys. */
const collector = (...args: string[]) => runProgram(args, { WHOKILLED_NATS_USERS_FILE: users })
const seed = (name: string) => join(folder, name)

async function startServer(): Promise<NatsServer> {
  return startNats([], {
    configure: async (home) => {
      users = join(home, 'users.conf')
      expect(await collector('identity', 'init', '--out-folder', folder)).toMatchObject({ code: 0, stderr: '' })
      return 'authorization { include "users.conf" }'
    },
  })
}

async function connectAs(nats: NatsServer, seedFile: string, host: string): Promise<NatsConnection> {
  const text = (await readFile(seedFile, 'utf8')).trim()
  return connect({
    servers: nats.url,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(text)),
    inboxPrefix: hostInbox(host),
    reconnect: false,
  })
}

test('a server that runs takes a new host at a reload, keeps the others, and cuts off a removed one', async () => {
  await using nats = await startServer()
  const added = await collector('host', 'add', 'web-3', '--out', seed('web-3.nk'))
  expect(added).toMatchObject({ code: 0, stderr: '' })
  expect(added.stdout).toContain('systemctl reload nats-server')
  expect(added.stdout).toContain('natsNkeyFile')
  await expect(connectAs(nats, seed('web-3.nk'), 'web-3')).rejects.toThrow(/authorization/i)
  await nats.reload()
  const web3 = await eventually(() => connectAs(nats, seed('web-3.nk'), 'web-3'))

  expect(await collector('host', 'add', 'web.4', '--out', seed('web.4.nk'))).toMatchObject({ code: 0 })
  await nats.reload()
  const web4 = await eventually(() => connectAs(nats, seed('web.4.nk'), 'web.4'))
  await web3.flush()
  expect(web3.isClosed()).toBe(false)
  web4.publish(eventSubject('web.4', 'death'), '{}')
  await web4.flush()

  expect(await collector('host', 'remove', 'web-3')).toMatchObject({ code: 0, stderr: '' })
  await web3.flush()
  await nats.reload()
  await eventually(
    () => web3.isClosed(),
    (closed) => closed,
  )
  await expect(connectAs(nats, seed('web-3.nk'), 'web-3')).rejects.toThrow(/authorization/i)
  await web4.flush()
  await web4.close()
})

test('a host that is removed while its key is renewed has neither key any more', async () => {
  await using nats = await startServer()
  await collector('host', 'add', 'web-3', '--out', seed('old.nk'))
  await collector('host', 'rotate', 'web-3', '--out', seed('new.nk'))
  await nats.reload()
  const renewed = await eventually(() => connectAs(nats, seed('new.nk'), 'web-3'))
  expect(await collector('host', 'remove', 'web-3')).toMatchObject({ code: 0 })
  expect(await listed()).toEqual([])
  await nats.reload()
  await eventually(
    () => renewed.isClosed(),
    (closed) => closed,
  )
  for (const key of ['old.nk', 'new.nk']) {
    await expect(connectAs(nats, seed(key), 'web-3')).rejects.toThrow(/authorization/i)
  }
})

test('while a key is renewed both are good; then the old one, or the new one, is refused', async () => {
  await using nats = await startServer()
  await collector('host', 'add', 'web-3', '--out', seed('old.nk'))
  await nats.reload()
  const old = await eventually(() => connectAs(nats, seed('old.nk'), 'web-3'))

  const begun = await collector('host', 'rotate', 'web-3', '--out', seed('new.nk'))
  expect(begun.stdout).toContain('whokilled-collector host rotate web-3 --finish')
  await nats.reload()
  const renewed = await eventually(() => connectAs(nats, seed('new.nk'), 'web-3'))
  await old.flush()
  expect(await collector('host', 'rotate', 'web-3', '--out', seed('third.nk'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[rotation-begun]'),
  })
  expect(existsSync(seed('third.nk'))).toBe(false)
  expect((await listed()).map(({ state }) => state)).toEqual(['old', 'new'])

  expect(await collector('host', 'rotate', 'web-3', '--finish')).toMatchObject({ code: 0 })
  await nats.reload()
  await eventually(
    () => old.isClosed(),
    (closed) => closed,
  )
  await renewed.flush()
  await expect(connectAs(nats, seed('old.nk'), 'web-3')).rejects.toThrow(/authorization/i)
  expect(await collector('host', 'rotate', 'web-3', '--undo')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[no-rotation]'),
  })

  await collector('host', 'rotate', 'web-3', '--out', seed('unwanted.nk'))
  expect(await collector('host', 'rotate', 'web-3', '--undo')).toMatchObject({ code: 0 })
  await nats.reload()
  await renewed.flush()
  await expect(connectAs(nats, seed('unwanted.nk'), 'web-3')).rejects.toThrow(/authorization/i)
  await renewed.close()
})

test('keys can be read by their owner alone, are never written over, and stand in no output', async () => {
  const outputs = [
    await collector('identity', 'init', '--out-folder', folder),
    await collector('host', 'add', 'web-3', '--out', seed('web-3.nk')),
    await collector('host', 'add', 'web-4', '--out', seed('web-3.nk')),
    await collector('identity', 'init', '--out-folder', folder),
    await collector('host', 'list', '--json'),
    await collector('identity', 'list'),
    await collector('identity', 'rotate', 'admin', '--out', seed('admin.new.nk')),
  ]
  expect(outputs.map(({ code }) => code)).toEqual([0, 0, 2, 2, 0, 0, 0])
  expect(outputs[2]?.stderr).toContain('[seed-not-written]')
  expect(outputs[3]?.stderr).toContain('[users-there]')
  const names = ['web-3.nk', 'whokilled-admin.nk', 'whokilled-collector.nk', 'admin.new.nk']
  for (const name of names) {
    expect((await stat(seed(name))).mode & 0o777).toBe(0o600)
    const text = (await readFile(seed(name), 'utf8')).trim()
    expect(text).toMatch(/^SU[A-Z2-7]{56}$/)
    expect(JSON.stringify(outputs)).not.toContain(text)
    expect(await readFile(users, 'utf8')).not.toContain(text)
  }
  // nats-server may be another user, and there is no secret in it.
  expect((await stat(users)).mode & 0o777).toBe(0o644)
  // The host whose key could not be written has no entry.
  expect((await listed()).map(({ name }) => name)).toEqual(['web-3'])
})

test('an entry is made for any name of a host, and for nothing that is none', async () => {
  await collector('identity', 'init', '--out-folder', folder)
  const names = ['web-3.example.org', 'Web 3', 'müller', '>', '*', '$JS.API.>', '"', 'a, made 1999', 'x'.repeat(255)]
  for (const [index, name] of names.entries()) {
    expect(await collector('host', 'add', name, '--out', seed(`${index}.nk`))).toMatchObject({ code: 0, stderr: '' })
  }
  expect((await listed()).map(({ name }) => name)).toEqual(names)
  for (const { madeAt } of await listed()) expect(Date.now() - Date.parse(madeAt)).toBeLessThan(3_600_000)
  // The server understands what was written.
  await using nats = await startNats([], {
    configure: async (home) => {
      await writeFile(join(home, 'users.conf'), await readFile(users))
      return 'authorization { include "users.conf" }'
    },
  })
  const connection = await connectAs(nats, seed('5.nk'), '$JS.API.>')
  await connection.close()

  for (const name of ['', ' web', 'web\n', 'a\u0000b', 'a\u202eb', 'x'.repeat(256), 'ü'.repeat(128)]) {
    expect(() => hostIdentity(name)).toThrow(expect.objectContaining({ code: 'bad-host-name' }))
  }
  expect(await collector('host', 'add', ' ', '--out', seed('none.nk'))).toMatchObject({ code: 2 })
})

test('two who change the file at once both get their way', async () => {
  await collector('identity', 'init', '--out-folder', folder)
  const names = Array.from({ length: 20 }, (_, index) => `web-${index}`)
  await Promise.all(names.map((name) => new Identities(users).add(hostIdentity(name), seed(`${name}.nk`))))
  const programs = ['one', 'two'].map((name) => collector('host', 'add', name, '--out', seed(`${name}.nk`)))
  expect((await Promise.all(programs)).map(({ code }) => code)).toEqual([0, 0])
  expect((await listed()).map(({ name }) => name).sort()).toEqual([...names, 'one', 'two'].sort())
  expect(existsSync(`${users}.lock`)).toBe(false)
})

test('a lock that a crash left is named, with what to do', async () => {
  await collector('identity', 'init', '--out-folder', folder)
  await writeFile(`${users}.lock`, '4242')
  const { code, stderr } = await collector('host', 'add', 'web-3', '--out', seed('web-3.nk'))
  expect(code).toBe(1)
  expect(stderr).toContain('4242')
  expect(stderr).toContain(`delete ${users}.lock`)
  expect(existsSync(seed('web-3.nk'))).toBe(false)
})

test("what is in the file beside ours stays, and another's file is left alone", async () => {
  await collector('identity', 'init', '--out-folder', folder)
  const text = await readFile(users, 'utf8')
  await writeFile(users, text.replace('\n]}', ',\n{"user":"grafana","password":"$2a$11$xyz"}\n]}'))
  await collector('host', 'add', 'web-3', '--out', seed('web-3.nk'))
  expect(await readFile(users, 'utf8')).toContain('{"user":"grafana","password":"$2a$11$xyz"}')
  expect((await listed()).map(({ name }) => name)).toEqual(['web-3'])

  const own = 'users = [ { user: me, password: hunter2 } ]\n'
  await writeFile(users, own)
  const { code, stderr } = await collector('host', 'add', 'web-4', '--out', seed('web-4.nk'))
  expect(code).toBe(1)
  expect(stderr).toContain('[users-not-ours]')
  expect(stderr).not.toContain('hunter2')
  expect(await readFile(users, 'utf8')).toBe(own)
})

test('a name without a key, and a file that is not there, are errors that name the next step', async () => {
  expect((await collector('host', 'list')).stderr).toContain('identity init')
  await collector('identity', 'init', '--out-folder', folder)
  expect(await collector('host', 'list')).toMatchObject({ code: 0, stdout: 'No host has a key.\n' })
  for (const args of [
    ['remove', 'web-3'],
    ['rotate', 'web-3'],
    ['rotate', 'web-3', '--finish'],
  ]) {
    expect(await collector('host', ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[no-such-identity]'),
    })
  }
})

async function listed(): Promise<{ name: string; madeAt: string; state: string }[]> {
  const { stdout } = await collector('host', 'list', '--json')
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
