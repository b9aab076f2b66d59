import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'vitest'
import { startNats } from '../servers/nats.ts'
import { endure, expectKept, startScene } from './scene.ts'

test('what happened while NATS was away for two minutes arrives when it is back', async () => {
  await using nats = await startNats()
  await using scene = await startScene({ natsUrl: nats.url })
  await using first = await scene.host({ perSecond: 100 })
  await using second = await scene.host({ perSecond: 100 })
  const ledger = await endure(scene, {
    name: 'NATS is away for 120 s',
    hosts: [first, second],
    strike: async () => {
      await nats.stop()
      await pause(120_000)
    },
    mend: () => nats.start(),
  })
  expectKept(ledger)
})
