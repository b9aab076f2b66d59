import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CoverageEvent, DeathEvent } from '@whokilled/shared/event'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compiledPrograms } from '../../../test/kernel/lab/programs.ts'
import { eventsIn, isDeath, type RunningAgent, runAgent, startAgent } from './agent-program.ts'

/** Real deaths on this machine, as the program tells them. What else dies here meanwhile is left aside by pid. */
describe('whokilled-agent watch --json under bpftrace (root, bpftrace and BTF are needed)', () => {
  let folder = ''
  let victim = ''
  let agent: RunningAgent
  /** Watches services of this name only. */
  let asked: RunningAgent
  const word = randomBytes(4).toString('hex')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whokilled-watch-'))
    victim = (await compiledPrograms()).get('victim') ?? ''
    const config = join(folder, 'agent.json')
    await writeFile(config, JSON.stringify({ probe: 'bpftrace', stateFolder: folder }))
    agent = startAgent(['watch', '--json', '--config', config])
    asked = startAgent(['watch', '--json', '--config', config, `shop-${word}*`])
    for (const one of [agent, asked]) await watching(one)
  }, 120_000)

  afterAll(async () => {
    await agent.stop()
    await asked.stop()
    await rm(folder, { recursive: true })
  }, 60_000)

  it('begins with a coverage event, printed when kills are really seen', () => {
    for (const one of [agent, asked]) {
      const first = CoverageEvent.parse(eventsIn(one.stdout())[0])
      expect(first).toMatchObject({ state: 'watching', agent: { probe: 'bpftrace', seq: 1 } })
      expect(first.from).toBe(first.to)
    }
  })

  it("names the script whose built-in kill -9 ended a service, and the killer's ancestry", async () => {
    const service = await script(`shop-${word}.sh`, 'while :; do sleep 1; done')
    const running = await started('sh', [service])
    const killer = await killedBy(running, `kill -9 ${running.pid}`)
    const death = await deathOf(running, agent)
    expect(death).toMatchObject({
      cause: 'signal',
      service: { name: `shop-${word}.sh`, kind: 'process' },
      exit: { code: null, signal: { number: 9, name: 'SIGKILL' } },
      signal: { number: 9, senderStatus: 'seen', via: 'kill', result: 'delivered' },
      killer: { pid: killer.pid, comm: 'sh', args: ['sh', killer.script], uid: 0 },
      verdict: { confidence: 'certain' },
    })
    expect(death.victim.args).toEqual(['sh', service])
    expect(death.killer?.ancestors.map(({ pid }) => pid)).toEqual(expect.arrayContaining([process.pid, 1]))
    expect(death.verdict.summary).toContain(basename(killer.script))
    const again = await deathOf(running, asked)
    expect(again.killer?.pid).toBe(killer.pid)
  })

  it('blames who asked for the end when SIGTERM was caught and the exit code is 0', async () => {
    const running = await started(victim, ['catch-term'])
    const killer = await killedBy(running, `kill ${running.pid}`)
    expect(await deathOf(running, agent)).toMatchObject({
      cause: 'signal',
      exit: { code: 0, signal: null },
      signal: { name: 'SIGTERM' },
      killer: { pid: killer.pid },
    })
  })

  it('tells of a crash as the fault of the program itself', async () => {
    const running = spawn(victim, ['segv'], { stdio: 'ignore' })
    await once(running, 'exit')
    expect(await deathOf(running, agent)).toMatchObject({
      cause: 'fault',
      exit: { code: null, signal: { name: 'SIGSEGV' } },
      killer: null,
      signal: { senderStatus: 'none' },
    })
  })

  it('tells any end of a service that was asked for, and nothing of others', async () => {
    const service = await script(`shop-${word}-worker.sh`, 'exit 3')
    const running = spawn('sh', [service], { stdio: 'ignore' })
    await once(running, 'exit')
    expect(await deathOf(running, asked)).toMatchObject({
      cause: 'exit',
      exit: { code: 3, signal: null },
      killer: null,
      service: { name: `shop-${word}-worker.sh` },
    })
    const names = eventsIn(asked.stdout())
      .filter(isDeath)
      .map((death) => death.service.name)
    expect(names.filter((name) => !name.startsWith(`shop-${word}`))).toEqual([])
  })

  it('ends with status 0 on Ctrl-C, and says that the watching stopped', async () => {
    const { status, stdout } = await asked.stop('SIGINT')
    expect(status).toBe(0)
    const events = eventsIn(stdout)
    expect(CoverageEvent.parse(events.at(-1))).toMatchObject({ state: 'stopped', reason: 'the agent was stopped' })
    expect(events.map((event) => event.agent.seq)).toEqual(events.map((_, index) => index + 1))
  })

  /** Fails with the doctor's words where this machine cannot trace. */
  async function watching(one: RunningAgent): Promise<void> {
    const seen = new Promise((resolve) =>
      one.child.stdout?.on('data', () => {
        if (one.stdout().includes('"watching"')) resolve(true)
      }),
    )
    if (await Promise.race([seen, one.ended.then(() => false)])) return
    const { stdout } = await runAgent(['doctor'])
    throw new Error(`bpftrace cannot run here:\n${one.stderr()}\n${stdout}`)
  }

  async function script(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), `${text}\n`)
    return join(folder, name)
  }

  async function started(program: string, args: readonly string[]): Promise<ChildProcess> {
    const child = spawn(program, args, { stdio: 'ignore' })
    await once(child, 'spawn')
    await pause(300)
    return child
  }

  /** Runs a clean-up script of somebody else's and waits until the victim is dead. */
  async function killedBy(
    running: ChildProcess,
    command: string,
  ): Promise<{ pid: number | undefined; script: string }> {
    const dead = once(running, 'exit')
    const path = await script('xdkill.sh', command)
    const killer = spawn('sh', [path], { stdio: 'ignore' })
    await dead
    return { pid: killer.pid, script: path }
  }

  /** The one event that tells of a process' death. */
  async function deathOf({ pid }: ChildProcess, teller: RunningAgent): Promise<DeathEvent> {
    const deaths = () =>
      eventsIn(teller.stdout())
        .filter(isDeath)
        .filter((death) => death.victim.pid === pid)
    await expect.poll(() => deaths().length).toBeGreaterThan(0)
    expect(deaths()).toHaveLength(1)
    return DeathEvent.parse(deaths()[0])
  }
})
