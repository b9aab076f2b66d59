import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { smallDisk } from '../../packages/agent/test/small-disk.ts'
import { type NatsServer, startNats } from '../servers/nats.ts'
import { storedIds } from './ledger.ts'
import { endure, expectKept, expectTold, type Scene, startScene } from './scene.ts'
import type { SendingHost } from './sending-host.ts'

/** Full disks and full queues. Root is needed to mount a small disk. */

const megabyte = 1_048_576

describe('under JetStream', () => {
  test('a full disk stops the line until there is room and nats-server was restarted, and nothing is lost', async () => {
    await using disk = await smallDisk(megabyte * 60, megabyte * 64)
    await using nats = await startNats(['--store_dir', disk.folder])
    await using scene = await startScene({ natsUrl: nats.url, settings: { stream: { bytesMax: megabyte * 30 } } })
    await using host = await scene.host()
    const ledger = await endure(scene, {
      name: 'the disk under JetStream is full for 8 s',
      hosts: [host],
      strike: async () => {
        await disk.fill(megabyte)
        await pause(8_000)
      },
      mend: async () => {
        await disk.makeRoom()
        // It has switched JetStream off, and does not look again by itself.
        await nats.stop()
        await nats.start()
      },
    })
    expectKept(ledger)
  })

  test('what a stream drops unread at its limit is told as missing', async () => {
    await using nats = await startNats()
    await using scene = await startScene({ natsUrl: nats.url, settings: { stream: { bytesMax: megabyte } } })
    await using host = await scene.host()
    const ledger = await endure(scene, {
      name: 'the stream is full while Postgres is dead for 5 s',
      hosts: [host],
      strike: async () => {
        await scene.postgres.kill()
        await pause(5_000)
      },
      mend: () => scene.postgres.start(),
      lossyAfterMs: 5_000,
    })
    expectTold(ledger)
    expect(ledger.lost).toBeGreaterThan(0)
    expect(ledger.holes).toBe(ledger.lost)
  })
})

describe('under the spool', () => {
  let nats: NatsServer
  let scene: Scene
  beforeAll(async () => {
    nats = await startNats()
    scene = await startScene({ natsUrl: nats.url, collectors: 1 })
  })
  afterAll(async () => {
    await scene[Symbol.asyncDispose]()
    await nats[Symbol.asyncDispose]()
  })

  test('on a full disk events are refused and counted, and all that were taken arrive', async () => {
    await using disk = await smallDisk(megabyte * 15, megabyte * 16)
    await using host = await scene.host({ spoolFolder: disk.folder })
    const count = (what: 'refused' | 'acceptedMs') =>
      [...host.fates().values()].filter((fate) => fate[what] !== undefined && fate[what] !== false).length
    const ledger = await endure(scene, {
      name: 'the disk under the spool is full',
      hosts: [host],
      strike: async () => {
        await nats.stop()
        await disk.fill(megabyte / 2)
        await expect.poll(() => count('refused')).toBeGreaterThan(500)
      },
      mend: async () => {
        await disk.makeRoom()
        await nats.start()
        // What was refused is told once events are taken again.
        const before = count('acceptedMs')
        await expect.poll(() => count('acceptedMs')).toBeGreaterThan(before + 300)
      },
    })
    expectTold(ledger)
    expect(ledger.lost).toBe(0)
    expect(ledger.refused).toBeGreaterThan(500)
    expect([ledger.gaps, ledger.holes]).toEqual([ledger.refused, ledger.refused])
  })

  test('a spool at its limit tells how many events it has dropped', async () => {
    await using host = await scene.host({ spoolEventsMax: 500 })
    const ledger = await endure(scene, {
      name: 'the spool is full while NATS is dead for 5 s',
      hosts: [host],
      strike: async () => {
        await nats.kill()
        await pause(5_000)
      },
      mend: () => nats.start(),
      lossyAfterMs: 3_000,
    })
    expectTold(ledger)
    expect(ledger.lost).toBeGreaterThan(0)
    expect([ledger.gaps, ledger.holes]).toEqual([ledger.lost + ledger.refused, ledger.lost + ledger.refused])
  })

  test.each([
    ['half a record', (log: Buffer) => Buffer.concat([log, log.subarray(0, 150)])],
    ['a block of zeros', (log: Buffer) => Buffer.concat([log, Buffer.alloc(4_096)])],
    ['noise', (log: Buffer) => Buffer.concat([log, randomBytes(5_000)])],
  ])('a spool whose log ends with %s, as after a power failure, has all that it took', async (what, tear) => {
    await using host = await scene.host()
    const ledger = await endure(scene, {
      name: `the log of the spool ends with ${what}`,
      hosts: [host],
      strike: async () => {
        await nats.kill()
        await pause(1_000)
        await host.kill()
        const log = await newestLog(host)
        await writeFile(log, tear(await readFile(log)))
      },
      mend: async () => {
        host.start()
        await nats.start()
      },
    })
    expectKept(ledger)
  })

  test.each([1, 30_000])(
    'where the disk forgot the last %i bytes that it had written only the newest events are lost',
    async (bytes) => {
      await using host = await scene.host()
      const ledger = await endure(scene, {
        name: `the disk forgot ${bytes} bytes of the spool`,
        hosts: [host],
        strike: async () => {
          await nats.kill()
          await pause(1_000)
          await host.kill()
          const log = await newestLog(host)
          await truncate(log, Math.max(0, (await stat(log)).size - bytes))
        },
        mend: async () => {
          host.start()
          await nats.start()
        },
        lossyAfterMs: 3_000,
      })
      // Nothing on this host can know of them: the end of the agent is all that is told.
      const fates = host.fates()
      const lost = ledger.silent.map((id) => fates.get(id))
      const kept = await storedIds(scene.databaseUrl, [host.name])
      const newestKept = Math.max(
        ...[...fates.values()]
          .filter(({ id, runId }) => kept.has(id) && runId === lost[0]?.runId)
          .map(({ seq }) => seq),
      )
      expect(lost.filter((fate) => fate === undefined || fate.seq < newestKept)).toEqual([])
      expect(lost.length).toBeLessThan(100)
      expect([ledger.twice, ledger.strangers]).toEqual([[], []])
    },
  )
})

async function newestLog({ stateFolder }: SendingHost): Promise<string> {
  const folder = join(stateFolder, 'spool')
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort()
  return join(folder, logs.at(-1) ?? '')
}
