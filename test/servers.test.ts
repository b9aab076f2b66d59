import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startNats } from './servers/nats.ts'
import { startPostgres } from './servers/postgres.ts'

test('a server that was disposed of has gone with its folder', async () => {
  const { port, folder } = await (async () => {
    await using nats = await startNats()
    expect(await listens(nats.port)).toBe(true)
    return nats
  })()
  expect(await listens(port)).toBe(false)
  expect(existsSync(folder)).toBe(false)
})

test('a killed Postgres comes back on the same port with its databases', async () => {
  await using postgres = await startPostgres()
  await postgres.createDatabase()
  await postgres.kill()
  expect(await listens(postgres.port)).toBe(false)
  await postgres.start()
  await expect(postgres.createDatabase()).resolves.toContain('test_2')
})

test('servers end, and their folders go, when the process that started them is killed', async () => {
  const script = `
    import { startNats } from ${JSON.stringify(new URL('servers/nats.ts', import.meta.url))}
    import { startPostgres } from ${JSON.stringify(new URL('servers/postgres.ts', import.meta.url))}
    const servers = [await startNats(), await startPostgres()]
    console.log(JSON.stringify(servers.map(({ port, folder }) => ({ port, folder }))))
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const servers: { port: number; folder: string }[] = JSON.parse(String(line))
  for (const { port } of servers) expect(await listens(port)).toBe(true)
  child.kill('SIGKILL')
  await expect
    .poll(
      async () => Promise.all(servers.map(async ({ port, folder }) => (await listens(port)) || existsSync(folder))),
      {
        timeout: 15_000,
      },
    )
    .toEqual([false, false])
})

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
