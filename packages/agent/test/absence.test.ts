import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CoverageEvent, DeathEvent, Event } from '@whokilled/shared/event'
import { gapsAmong } from '@whokilled/shared/gap'
import { millisecondsBetween } from '@whokilled/shared/vocabulary'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addStream, publishedTo } from '../../../test/servers/jetstream.ts'
import { type NatsServer, startNats } from '../../../test/servers/nats.ts'
import { isDeath, type RunningAgent, runAgent, startAgent } from './agent-program.ts'

/** Real agents under bpftrace that come and go while services of this machine live and die. */
describe('an agent that was away (root, bpftrace and BTF are needed)', () => {
  let folder = ''
  let nats: NatsServer
  let config = ''
  let children: ChildProcess[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whokilled-absence-'))
    nats = await startNats()
    await addStream(nats.url)
    config = join(folder, 'agent.json')
    const settings = { probe: 'bpftrace', stateFolder: join(folder, 'state'), natsUrl: nats.url, hostName: 'web-3' }
    await writeFile(config, JSON.stringify(settings))
  })

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    children = []
    await nats.stop()
    await rm(folder, { recursive: true })
  })

  it('and was killed tells of the gap, and of each service that went in it, once', async () => {
    const shop = await service('shop')
    const stays = await service('stays')
    const first = await watching()
    await remembered(shop, stays)
    await first.stop('SIGKILL')
    await killed(shop)
    const killedAt = Date.now()
    await pause(1_500)

    const second = await watching()
    const [death, ...more] = await deathsOf(shop)
    expect(more).toEqual([])
    expect(death).toMatchObject({
      cause: 'unknown',
      service: { name: shop.name, kind: 'process' },
      exit: { code: null, signal: null },
      killer: null,
      verdict: { confidence: 'possible', reasons: ['it ended while nobody was watching'] },
      victim: { pid: shop.child.pid, comm: 'sh', args: ['sh', shop.path], uid: 0, user: 'root' },
    })
    expect(death?.verdict.summary).toMatch(
      /^shop-\w+\.sh ended while nobody was watching, between [\d: -]+ and [\d: -]+ UTC \(the agent was killed or crashed\)\.$/,
    )
    const coverage = (await coverageOf()).filter(({ agent }) => agent.runId === death?.agent.runId)
    expect(coverage.map(({ state, why }) => [state, why ?? null])).toEqual([
      ['stopped', 'agent-killed'],
      ['gap', 'agent-killed'],
      ['watching', null],
    ])
    const [stopped, gap, begins] = coverage
    expect(stopped?.to).toBe(gap?.from)
    expect(gap?.to).toBe(begins?.from)
    expect(Date.parse(gap?.from ?? '')).toBeLessThan(killedAt)
    expect(Date.parse(gap?.to ?? '')).toBeGreaterThan(killedAt)
    const [hidden] = gapsAmong(death?.evidence ?? [])
    expect(hidden?.why).toBe('agent-killed')
    expect(millisecondsBetween(hidden?.from ?? '', gap?.from ?? '')).toBeCloseTo(0, -1)
    expect(millisecondsBetween(hidden?.to ?? '', gap?.to ?? '')).toBeCloseTo(0, -1)

    // Killed again before long: what has been told is not told again, and who is still there is not told of at all.
    await second.stop('SIGKILL')
    await using third = await watching()
    await pause(4_000)
    expect(await deathsOf(shop)).toHaveLength(1)
    expect(await allDeaths(stays)).toEqual([])
    expect((await third.stop()).status).toBe(0)
  })

  it('does not tell again of a death that it told right before it was killed', async () => {
    const shop = await service('shop')
    const first = await watching()
    await remembered(shop)
    const killer = await killed(shop)
    const [told] = await deathsOf(shop)
    expect(told).toMatchObject({ cause: 'signal', killer: { pid: killer }, verdict: { confidence: 'certain' } })
    await first.stop('SIGKILL')
    await using second = await watching()
    await pause(4_000)
    expect(await deathsOf(shop)).toEqual([told])
    await second.stop()
  })

  it('and was stopped in order says that it was not running', async () => {
    const shop = await service('shop')
    const first = await watching()
    // Remembered at the end, however short it watched.
    await first.stop()
    await killed(shop)
    await using second = await watching()
    const [death] = await deathsOf(shop)
    expect(death?.verdict.summary).toContain('UTC (the agent was not running).')
    const gaps = (await coverageOf()).filter(({ state }) => state !== 'watching')
    expect(gaps.map(({ state, why, reason }) => [state, why, reason])).toEqual([
      ['stopped', 'agent-stopped', 'the agent was stopped'],
      ['gap', 'agent-stopped', 'the agent was not running'],
    ])
    expect(gaps[1]?.from).toBe(gaps[0]?.to)
    await second.stop()
  })

  it('names the killer of a service that is older than the agent, and describes the service in full', async () => {
    const shop = await service('shop')
    await using agent = await watching()
    await pause(1_000)
    const killer = await killed(shop)
    expect(await deathsOf(shop)).toMatchObject([
      {
        cause: 'signal',
        exit: { signal: { name: 'SIGKILL' } },
        killer: { pid: killer, args: ['sh', join(folder, 'xdkill.sh')] },
        verdict: { confidence: 'certain' },
        victim: { args: ['sh', shop.path], exe: expect.stringMatching(/sh$/), uid: 0, ppid: process.pid },
      },
    ])
    await agent.stop()
  })

  it('is not certain that a service ended by itself that may have been asked to before', async () => {
    const name = `shop-${randomBytes(4).toString('hex')}.sh`
    const path = join(folder, name)
    // Asked to end, it still needs some seconds: by then an agent has begun to watch.
    await writeFile(path, 'trap "sleep 12; exit 0" TERM\nwhile :; do sleep 0.2; done\n')
    const child = spawn('sh', [path], { stdio: 'ignore' })
    children.push(child)
    await once(child, 'spawn')
    await pause(500)
    child.kill('SIGTERM')
    await using agent = await watching()
    expect(await deathsOf({ name, path, child })).toMatchObject([
      {
        cause: 'exit',
        exit: { code: 0 },
        verdict: {
          confidence: 'likely',
          reasons: ['its exit was seen', 'the watching had only just begun'],
          alternatives: ['somebody may have asked it to end, and that was not seen'],
        },
      },
    ])
    await agent.stop()
  })

  it('and whose tracer was killed meanwhile tells of that gap, and of what went in it', async () => {
    const shop = await service('shop')
    await using agent = await watching()
    await pause(1_000)
    const tracer = (await readFile(`/proc/${agent.child.pid}/task/${agent.child.pid}/children`, 'utf8')).trim()
    for (const pid of tracer.split(' ')) {
      if ((await readFile(`/proc/${pid}/comm`, 'utf8')).trim() === 'bpftrace') process.kill(Number(pid), 'SIGKILL')
    }
    await expect.poll(async () => (await coverageOf()).some(({ state }) => state === 'stopped')).toBe(true)
    await killed(shop)
    const [death] = await deathsOf(shop)
    expect(death).toMatchObject({ cause: 'unknown', verdict: { confidence: 'possible' }, killer: null })
    expect(death?.evidence).toContainEqual(expect.objectContaining({ kind: 'gap', why: 'probe-ended' }))
    const gap = (await coverageOf()).find(({ state }) => state === 'gap')
    expect(gap).toMatchObject({ why: 'probe-ended', reason: expect.stringContaining('bpftrace') })
    await agent.stop()
  })

  it('watches on when what it remembers is damaged, or of another host, and says so', async () => {
    const file = join(folder, 'state', 'last-watch.jsonl')
    await (await watching()).stop()
    await appendFile(file, 'not a line of it\n')
    const damaged = await watching()
    expect(damaged.stderr()).toMatch(/last-watch-unusable.*damaged/)
    await damaged.stop()
    await writeFile(file, (await readFile(file, 'utf8')).replace(/"hostId":"[^"]+"/, '"hostId":"of another machine"'))
    const foreign = await watching()
    expect(foreign.stderr()).toMatch(/last-watch-unusable.*another host/)
    await foreign.stop()
    const states = (await coverageOf()).map(({ state }) => state)
    expect(states).toEqual(['watching', 'stopped', 'watching', 'stopped', 'watching', 'stopped'])
  })

  interface Service {
    readonly name: string
    readonly path: string
    readonly child: ChildProcess
  }

  /** A script that runs until it is killed, with a name of its own. */
  async function service(word: string): Promise<Service> {
    const name = `${word}-${randomBytes(4).toString('hex')}.sh`
    const path = join(folder, name)
    await writeFile(path, 'while :; do sleep 1; done\n')
    const child = spawn('sh', [path], { stdio: 'ignore' })
    children.push(child)
    await once(child, 'spawn')
    // Younger than a second it would count as a command.
    await pause(1_200)
    return { name, path, child }
  }

  /** Somebody's clean-up script kills it; gives the script's pid. */
  async function killed({ child }: Service): Promise<number | undefined> {
    const dead = once(child, 'exit')
    const path = join(folder, 'xdkill.sh')
    await writeFile(path, `kill -9 ${child.pid}\n`)
    const killer = spawn('sh', [path], { stdio: 'ignore' })
    await dead
    return killer.pid
  }

  /** An agent that has proven that it sees kills. */
  async function watching(): Promise<RunningAgent> {
    const before = (await coverageOf()).filter(({ from, to }) => from === to).length
    const agent = startAgent(['run', '--config', config])
    const begun = async () => {
      const began = (await coverageOf()).filter(({ state, from, to }) => state === 'watching' && from === to)
      if (agent.child.exitCode !== null) throw new Error(`${agent.stderr()}\n${(await runAgent(['doctor'])).stdout}`)
      return began.length
    }
    await expect.poll(begun, { interval: 200 }).toBe(before + 1)
    return agent
  }

  async function remembered(...services: Service[]): Promise<void> {
    const file = join(folder, 'state', 'last-watch.jsonl')
    for (const { path } of services) await expect.poll(() => readFile(file, 'utf8')).toContain(path)
  }

  async function allDeaths({ child }: Service): Promise<DeathEvent[]> {
    return (await publishedTo(nats.url)).filter(isDeath).filter(({ victim }) => victim.pid === child.pid)
  }

  async function deathsOf(service: Service): Promise<DeathEvent[]> {
    await expect.poll(() => allDeaths(service)).not.toEqual([])
    return await allDeaths(service)
  }

  async function coverageOf(): Promise<CoverageEvent[]> {
    const events = await publishedTo(nats.url)
    return events.filter((event: Event): event is CoverageEvent => event.type === 'coverage')
  }
})
