import { setTimeout as pause } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { streamName } from '@whokilled/shared/subjects'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NatsCluster, type NatsServer, startNatsCluster } from '../servers/nats.ts'
import { storedIds } from './ledger.ts'
import { endure, expectKept, type Scene, startScene } from './scene.ts'

/** Three nats-servers with three replicas of the stream: one of them may go at any time. */

let cluster: NatsCluster
let scene: Scene
beforeAll(async () => {
  cluster = await startNatsCluster(3)
  scene = await startScene({ natsUrl: cluster.url, settings: { stream: { replicas: 3 } } })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

const nodes = {
  'the node that leads the stream': () => leader(),
  'a node that follows': async () => other(await leader()),
}

test.each(Object.entries(nodes))(
  'while %s is dead events go on, and after its return nothing is lost',
  async (which, choose) => {
    await using first = await scene.host()
    await using second = await scene.host()
    const stored = () => storedIds(scene.databaseUrl, [first.name, second.name])
    let dead: NatsServer | undefined
    const ledger = await endure(scene, {
      name: `${which} of three is dead for 5 s`,
      hosts: [first, second],
      strike: async () => {
        dead = await choose()
        await dead.kill()
        await pause(5_000)
        // Also what is new: the two others do without it.
        const { size } = await stored()
        await expect.poll(async () => (await stored()).size).toBeGreaterThan(size + 100)
      },
      mend: async () => dead?.start(),
    })
    expectKept(ledger)
  },
)

/** The node that leads the stream. */
async function leader(): Promise<NatsServer> {
  const connection = await connect({ servers: cluster.url.split(',') })
  try {
    const { cluster: state } = await (await jetstreamManager(connection)).streams.info(streamName)
    const found = cluster.servers.find((_, index) => state?.leader === `server-${index + 1}`)
    if (found === undefined) throw new Error(`expected one of the nodes to lead the stream, got ${state?.leader}`)
    return found
  } finally {
    await connection.close()
  }
}

function other(node: NatsServer): NatsServer {
  const found = cluster.servers.find((each) => each !== node)
  if (found === undefined) throw new Error('expected another node')
  return found
}
