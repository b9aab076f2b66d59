import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, expect, test } from 'vitest'
import { freePort } from '../servers/free-port.ts'
import { startNats } from '../servers/nats.ts'
import { startPostgres } from '../servers/postgres.ts'
import { bundleProgram } from './lab/bundle.ts'
import { runInGuest } from './lab/guest.ts'

/**
 * The whole line: in the guest the agent with SystemTap, and the story of the article; on this machine NATS, Postgres,
 * the collector, and the CLI that is asked afterwards.
 */
const packages = join(import.meta.dirname, '../../packages')
let told: { exitCode?: number | undefined; stdout: string }
let asked: { exitCode?: number | undefined; stdout: string }

beforeAll(async () => {
  await using folder = await temporaryFolder()
  await using nats = await startNats()
  await using postgres = await startPostgres()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await using _collector = startCollector({
    WHOKILLED_NATS_URL: nats.url,
    WHOKILLED_POSTGRES_URL: await postgres.createDatabase(),
    WHOKILLED_HTTP_PORT: String(port),
  })
  await bundleProgram(join(packages, 'agent/src/main.ts'), join(folder.path, 'agent'), 'agent')
  await writeFile(join(folder.path, 'agent.json'), JSON.stringify(agentSettings(nats.port)))

  await using run = await runInGuest({
    script: story(port),
    node: true,
    network: true,
    files: {
      '/lab/agent': join(folder.path, 'agent'),
      '/lab/agent.json': join(folder.path, 'agent.json'),
      '/root/test.sh': join(import.meta.dirname, 'guest/article/test.sh'),
      '/root/xdkill.sh': join(import.meta.dirname, 'guest/article/xdkill.sh'),
    },
  })
  console.log(`the agent's own words:\n${await run.read('agent.log')}\n${await run.read('agent.status')}`)
  expect(run.status).toBe(0)
  told = await execa('node', sourceProgram('cli', 'test.sh', '--url', url), { reject: false })
  asked = await execa('node', sourceProgram('cli', 'test.sh', '--json', '--url', url), { reject: false })
  console.log(told.stdout)
})

test('the CLI tells who killed the service of the article, by which script, and with which signal', () => {
  expect(told.exitCode).toBe(0)
  expect(told.stdout).toMatch(/^test\.sh on guest was killed at \d\d:\d\d:\d\d/m)
  expect(told.stdout).toContain('sh xdkill.sh')
  expect(told.stdout).toContain('SIGKILL')
  expect(told.stdout).toContain('kill(2)')
  expect(told.stdout).toContain('delivered')
})

test('the event behind it is complete', () => {
  expect(asked.exitCode).toBe(0)
  const { death } = JSON.parse(asked.stdout)
  expect(death).toMatchObject({
    type: 'death',
    cause: 'signal',
    host: { name: 'guest' },
    agent: { probe: 'systemtap' },
    service: { name: 'test.sh' },
    victim: { args: ['sh', 'test.sh'], exe: '/bin/sh', uid: 0 },
    exit: { code: null, signal: { number: 9, name: 'SIGKILL' } },
    killer: { args: ['sh', 'xdkill.sh'], exe: '/bin/sh', uid: 0, comm: 'sh' },
    signal: { via: 'kill', senderStatus: 'seen', result: 'delivered', code: 0 },
    verdict: { confidence: 'certain' },
    coverage: { lostRecords: 0 },
  })
  expect(death.killer.ancestors.at(-1)).toMatchObject({ pid: 1 })
})

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'whokilled-article-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

function startCollector(env: Record<string, string>): AsyncDisposable {
  const collector = execa('node', sourceProgram('collector', 'run', '--migrate'), {
    env,
    reject: false,
    forceKillAfterDelay: 10_000,
  })
  return {
    async [Symbol.asyncDispose]() {
      collector.kill('SIGTERM')
      await collector
    },
  }
}

function sourceProgram(name: string, ...args: string[]): string[] {
  return ['--conditions=source', '--import', 'tsx', join(packages, name, 'src/main.ts'), ...args]
}

function agentSettings(natsPort: number) {
  return {
    natsUrl: `nats://10.0.2.2:${natsPort}`,
    natsPlaintext: true,
    stateFolder: '/tmp/agent',
    probe: 'stap',
    module: '/lab/whokilled.ko',
  }
}

/**
 * Waits until the collector knows that the guest is watched, plays the story, and ends the agent in order. The collector
 * answers to its own names alone; 10.0.2.2 is what the guest calls this machine's loopback.
 */
function story(port: number): string {
  return `
node /lab/agent/agent.mjs run --config /lab/agent.json 2> /out/agent.log &
AGENT=$!
WATCHED=no
for TRY in $(seq 120); do
  wget -qO- --header 'Host: 127.0.0.1:${port}' http://10.0.2.2:${port}/v1/hosts | grep -q '"watching"' && WATCHED=yes && break
  sleep 1
done
[ $WATCHED = yes ] || { cat /out/agent.log; exit 1; }
sh test.sh &
sleep 3
sh xdkill.sh
sleep 3
grep -E '^(VmRSS|VmHWM|Threads)' /proc/$AGENT/status > /out/agent.status
kill $AGENT
wait $AGENT
`
}
