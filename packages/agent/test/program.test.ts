import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Event as EventSchema } from '@whokilled/shared/event'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../test/servers/free-port.ts'
import { addStream, publishedTo } from '../../../test/servers/jetstream.ts'
import { startNats } from '../../../test/servers/nats.ts'
import { Spool } from '../src/spool/spool.ts'
import { eventsIn, isDeath, isGap, runAgent, startAgent } from './agent-program.ts'
import { writeRecording } from './recorded-story.ts'

const nobody = 65_534
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whokilled-agent-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A configuration file with these settings over those of the tests. */
async function config(settings: object = {}): Promise<string> {
  const file = join(folder, 'agent.json')
  const own = { natsUrl: 'nats://127.0.0.1:9', stateFolder: join(folder, 'state'), cacheFolder: join(folder, 'cache') }
  await writeFile(file, JSON.stringify({ ...own, ...settings }))
  return file
}

describe('whokilled-agent', () => {
  it('explains itself and each command, with examples', async () => {
    const help = await runAgent(['--help'])
    expect(help).toMatchObject({ status: 0, stderr: '' })
    for (const word of ['run', 'watch', 'doctor', 'build-module']) expect(help.stdout).toContain(word)
    const { status, stdout } = await runAgent(['watch', '--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/Examples:\n {2}\$ sudo whokilled-agent watch\n/)
  })

  it.each([
    [['watch', '--jsno'], /unknown option '--jsno'/],
    [['wacth'], /unknown command 'wacth'/],
    [['watch', 'a', 'b'], /too many arguments/],
    [['watch', ''], /expected the name of a service/],
    [['build-module', '--kernel', '../../etc'], /expected a kernel release/],
    [['run', '--probe', 'dtrace'], /probe: expected auto, stap, bpftrace or replay:FILE.*\[config-invalid\]/s],
    [['run', '--config', '/none/agent.json'], /\/none\/agent\.json.*\[config-unreadable\]/s],
  ])('%j is wrong usage: status 2', async (args, message) => {
    const { status, stdout, stderr } = await runAgent(args)
    expect(stderr).toMatch(message)
    expect([status, stdout]).toEqual([2, ''])
  })

  it('names the setting that was meant when one is misspelt', async () => {
    const { status, stderr } = await runAgent(['run', '--config', await config({ spoolEventMax: 5 })])
    expect(status).toBe(2)
    expect(stderr).toContain('unknown setting spoolEventMax, did you mean spoolEventsMax?')
    expect(stderr).toContain('[config-invalid]')
    expect(stderr).not.toContain('    at ')
  })

  it('tells what it cannot reach with a code and a remedy: status 3', async () => {
    const file = await config()
    const { status, stderr } = await runAgent(['run', '--config', file, '--probe', 'replay:/none/story.wkr'])
    expect(status).toBe(3)
    expect(stderr).toMatch(/Expected a recording at \/none\/story\.wkr.*--probe replay:FILE.*\[recording-unreadable\]/s)
  })

  it.runIf(!existsSync('/proc/modules'))('tells why SystemTap cannot run on a kernel without modules', async () => {
    const { status, stderr } = await runAgent(['watch', '--config', await config(), '--probe', 'stap'])
    expect(status).toBe(3)
    expect(stderr).toContain('[kernel-without-modules]')
    expect(stderr).toContain('bpftrace')
  })

  it('names both remedies where there is no tracer at all', async () => {
    const environment = { PATH: join(folder, 'nothing') }
    const { status, stderr } = await runAgent(['watch', '--config', await config()], { environment })
    expect(status).toBe(3)
    expect(stderr).toContain('[no-probe]')
    expect(stderr).toMatch(/bpftrace in PATH, found none.*apt-get install bpftrace/s)
    expect(stderr).toMatch(/stap|SystemTap/)
  })

  it('tells a user who is not root that he has to be', async () => {
    await chmod(folder, 0o755)
    const file = await config({ stateFolder: '/nobodys-folder' })
    const run = await runAgent(['run', '--config', file], { uid: nobody })
    expect(run.stderr).toMatch(/\/nobodys-folder.*"stateFolder".*\[state-folder-not-writable\]/s)
    expect(run.status).toBe(3)
    const watch = await runAgent(['watch', '--config', file, '--probe', 'bpftrace'], { uid: nobody })
    expect(watch.stderr).toMatch(/root.*\[not-permitted\]/s)
    expect(watch.status).toBe(3)
    const doctor = JSON.parse((await runAgent(['doctor', '--json', '--config', file], { uid: nobody })).stdout)
    expect(doctor.probe).toBeNull()
    expect(doctor.findings.find(({ id }: { id: string }) => id === 'root').remedy).toContain('sudo')
  })

  it('does not share its spool with a second agent', async () => {
    const spool = await Spool.open({ folder: await madeFolder('state/spool'), eventsMax: 100 })
    const recording = await writeRecording(folder, { services: ['nginx.service'] })
    const { status, stderr } = await runAgent(['run', '--config', await config(), '--probe', `replay:${recording}`])
    expect(status).toBe(3)
    expect(stderr).toContain('[spool-locked]')
    await spool.close()
  })
})

describe('whokilled-agent doctor', () => {
  it('has a remedy for each thing that is missing, and no other', async () => {
    const { status, stdout } = await runAgent(['doctor', '--json', '--config', await config()])
    const { findings, probe } = JSON.parse(stdout)
    expect(status).toBe(probe === null ? 1 : 0)
    expect(findings.length).toBeGreaterThan(10)
    for (const { ok, remedy } of findings) {
      if (ok) expect(remedy).toBeNull()
      else expect(remedy).toMatch(/\w{3}/)
    }
    const nats = findings.find(({ id }: { id: string }) => id === 'nats')
    expect(nats).toMatchObject({ ok: false, remedy: expect.stringContaining('start NATS there') })
  })

  it('exits with 1 where no probe can run, and says how to get one', async () => {
    const environment = { PATH: join(folder, 'nothing') }
    const { status, stdout } = await runAgent(['doctor', '--config', await config()], { environment })
    expect(status).toBe(1)
    expect(stdout).toMatch(/✗ bpftrace is installed \(bpftrace\)\n {4}apt-get install bpftrace/)
    expect(stdout).toMatch(/✗ staprun is installed \(systemtap\)\n {4}apt-get install systemtap-runtime/)
    expect(stdout.trimEnd()).toMatch(/No probe can run here\.$/)
  })

  it('tells a NATS server from something else, and needs one of several only', async () => {
    await using nats = await startNats()
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const wrong = `nats://agent:hunter2@127.0.0.1:${(other.address() as { port: number }).port}`
    const findingFor = async (natsUrl: string) => {
      const { stdout } = await runAgent(['doctor', '--json', '--config', await config({ natsUrl })])
      expect(stdout).not.toContain('hunter2')
      return JSON.parse(stdout).findings.find(({ id }: { id: string }) => id === 'nats')
    }
    expect(await findingFor(wrong)).toMatchObject({ ok: false, remedy: expect.stringContaining('no NATS server') })
    expect(await findingFor(`${wrong},${nats.url}`)).toMatchObject({ ok: true })
    other.close()
  })

  it("refuses a login that is another host's", async () => {
    const permissions = 'publish: ["whokilled.v1.web-4.>"], subscribe: ["whokilled.inbox.host.web-4.>"]'
    const users = `authorization { users: [{ user: web, password: web, permissions: { ${permissions} } }] }`
    await using nats = await startNats([], { configure: () => users })
    const natsUrl = nats.url.replace('//', '//web:web@')
    const findingAs = async (hostName: string) => {
      const { stdout } = await runAgent(['doctor', '--json', '--config', await config({ natsUrl, hostName })])
      return JSON.parse(stdout).findings.find(({ id }: { id: string }) => id === 'nats')
    }
    expect(await findingAs('web-4')).toMatchObject({ ok: true })
    const stranger = await findingAs('web-3')
    expect(stranger).toMatchObject({ ok: false, remedy: expect.stringContaining('not that of host web-3') })
  })
})

describe('whokilled-agent watch', () => {
  it('tells a recording as JSON, each line an event that the schema knows', async () => {
    const recording = await writeRecording(folder, { services: ['nginx.service', 'api.service'] })
    const args = ['--json', '--config', await config(), '--probe', `replay:${recording}`]
    const { status, stdout } = await runAgent(['watch', ...args])
    expect(status).toBe(0)
    const events = eventsIn(stdout).map((event) => EventSchema.parse(event))
    expect(events[0]).toMatchObject({ type: 'coverage', state: 'watching' })
    expect(events.filter(isDeath).map(({ service }) => service.name)).toEqual(['nginx.service', 'api.service'])
    expect(events.at(-1)).toMatchObject({ type: 'coverage', state: 'stopped' })
    const only = await runAgent(['watch', 'api', ...args])
    expect(eventsIn(only.stdout).filter(isDeath)).toHaveLength(1)
  })

  it('tells it in sentences', async () => {
    const recording = await writeRecording(folder, { services: ['nginx.service'] })
    const args = ['--config', await config(), '--probe', `replay:${recording}`]
    const { stdout } = await runAgent(['watch', ...args])
    expect(stdout).toMatch(/^Watching web-3\. Ctrl-C ends it\.\nnginx\.service on web-3 was killed /)
    expect(stdout).toMatch(/\n {2}by +sh xdkill\.sh/)
    expect(stdout).toContain('The watching ended: the recording was at its end')
    expect(stdout).not.toContain('\x1b')
  })

  it('counts broken lines as a gap and tells the rest', async () => {
    const breakSome = (lines: string[]) => [
      'not a record',
      ...lines.map((line, at) => (at === 5 ? line.slice(0, 20) : line)),
      '\xff\xfe\t\t\0',
    ]
    const services = ['a.service', 'b.service', 'c.service']
    const recording = await writeRecording(folder, { services, lines: breakSome, goesOnMs: 5_000 })
    const args = ['--json', '--config', await config(), '--probe', `replay:${recording}`]
    const events = eventsIn((await runAgent(['watch', ...args])).stdout)
    expect(events.filter(isGap)).toMatchObject([{ lostRecords: 1 }])
    expect(events.filter(isDeath).map(({ service }) => service.name)).toEqual(services)
    expect(events.filter(isDeath).at(-1)?.coverage.lostRecords).toBe(1)
  })

  it('ends in order when nobody reads it any more', async () => {
    const services = Array.from({ length: 300 }, (_, index) => `s${index}.service`)
    const recording = await writeRecording(folder, { services, everyMs: 20 })
    const file = await config({ replay: { speed: 'real' } })
    const agent = startAgent(['watch', '--json', '--config', file, '--probe', `replay:${recording}`])
    await expect.poll(() => agent.stdout()).toContain('"death"')
    agent.child.stdout?.destroy()
    expect(await agent.ended).toMatchObject({ status: 0, stderr: '' })
  })
})

describe('whokilled-agent run', () => {
  it('publishes, and on SIGTERM says that the watching stopped and ends with 0', async () => {
    await using nats = await startNats()
    const recording = await writeRecording(folder, { services: ['nginx.service'], goesOnMs: 3_600_000 })
    const file = await config({ natsUrl: nats.url, replay: { speed: 'real' } })
    await using agent = startAgent(['run', '--config', file, '--probe', `replay:${recording}`])
    await addStream(nats.url)
    await expect.poll(() => publishedTo(nats.url)).toContainEqual(expect.objectContaining({ type: 'death' }))
    const { status, stderr } = await agent.stop()
    expect(status).toBe(0)
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({ msg: 'stopped', spooled: 0 })
    const events = await publishedTo(nats.url)
    expect(events.at(-1)).toMatchObject({ type: 'coverage', state: 'stopped' })
    expect(events.map(({ agent }) => agent.seq)).toEqual(events.map((_, index) => index + 1))
  })

  it('ends soon while NATS is away, and publishes what waited when it comes up again', async () => {
    await using nats = await startNats()
    await addStream(nats.url)
    await nats.stop()
    const recording = await writeRecording(folder, { services: ['nginx.service'] })
    const file = await config({ natsUrl: nats.url })
    const first = await runAgent(['run', '--config', file, '--probe', `replay:${recording}`])
    expect(first.status).toBe(0)
    expect(first.stderr).toContain('nats-unreachable')
    await nats.start()
    const { status } = await runAgent(['run', '--config', file, '--probe', `replay:${recording}`])
    expect(status).toBe(0)
    // The recording was told twice: its death has the same id again, by which the collector recognises it. The server
    // must not: each run's number of it would be missing.
    const deaths = (await publishedTo(nats.url)).filter(isDeath)
    expect(new Set(deaths.map(({ id }) => id)).size).toBe(1)
    expect(deaths.map(({ agent }) => agent.runId)).toEqual([...new Set(deaths.map(({ agent }) => agent.runId))])
    expect(deaths).toHaveLength(2)
  })

  it('serves every counter as a metric, and nothing else', async () => {
    const port = await freePort()
    const recording = await writeRecording(folder, {
      services: ['nginx.service'],
      goesOnMs: 3_600_000,
      lines: (lines) => ['no record', ...lines],
    })
    const file = await config({ metricsPort: port, replay: { speed: 'real' } })
    await using agent = startAgent(['run', '--config', file, '--probe', `replay:${recording}`])
    const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    await expect.poll(metrics).toMatch(/whokilled_agent_deaths_told_total 1\n/)
    const text = await metrics()
    for (const name of metricNames) expect(text).toMatch(new RegExp(`^whokilled_agent_${name}(?:{[^}]*})? \\d+$`, 'm'))
    expect(text).toContain('whokilled_agent_lines_rejected_total{reason="torn"} 1')
    expect(text).toContain('whokilled_agent_nats_connected 0')
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
    expect((await agent.stop()).status).toBe(0)
  })

  it('tells that its metrics port is in use', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const recording = await writeRecording(folder, { services: ['nginx.service'] })
    const file = await config({ metricsPort: port })
    const { status, stderr } = await runAgent(['run', '--config', file, '--probe', `replay:${recording}`])
    expect(status).toBe(3)
    expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*"metricsPort".*\\[metrics-port-in-use\\]`, 's'))
    other.close()
  })
})

const metricNames = [
  'lines_total',
  'lines_rejected_total',
  'records_total',
  'records_lost_total',
  'records_late_total',
  'records_waiting_max',
  'probe_runs_ended_total',
  'processes',
  'processes_forgotten_total',
  'processes_inferred_total',
  'deaths_told_total',
  'deaths_counted_total',
  'signals_told_total',
  'signals_counted_total',
  'signals_over_limit_total',
  'events_total',
  'events_shortened_total',
  'events_too_large_total',
  'events_unproven_total',
  'spool_events',
  'spool_appended_total',
  'spool_removed_total',
  'spool_bytes',
  'spool_dropped_total',
  'spool_unreadable_total',
  'spool_refused_disk_total',
  'spool_reopened_total',
  'published_total',
  'published_messages_total',
  'publish_failures_total',
  'publish_refusals_total',
  'publish_given_up_total',
  'publish_held_back_total',
  'publish_held_back_ms_total',
  'nats_connected',
  'memory_failures_total',
  'memory_over_limit',
]

async function madeFolder(name: string): Promise<string> {
  await mkdir(join(folder, name), { recursive: true })
  return join(folder, name)
}
