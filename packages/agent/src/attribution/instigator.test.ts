import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { loginShell, ownLine, ToldHost, type ToldProcess, unitProcess } from '../../test/told-host.ts'

/** A death with commands around it that had nothing to do with it; `right` is who may be named for it. */
interface ToldStory {
  readonly told: ToldHost
  readonly right: readonly ToldProcess[]
}

const stories: Record<string, () => ToldStory> = {
  'systemctl in a script, through sudo': () => {
    const told = new ToldHost()
    const victim = unitProcess(told, 'nginx.service', ['/usr/sbin/nginx'])
    told.run(loginShell(told, 1002, 'pts/7'), ['systemctl', 'stop', 'postgresql'])
    const script = told.run(loginShell(told, 1001, 'pts/0'), ['/bin/sh', './deploy.sh'])
    const sudo = told.run(script, ['sudo', 'systemctl', 'stop', 'nginx'], { euid: 0 })
    const client = told.run(sudo, ['systemctl', 'stop', 'nginx'], { uid: 0, euid: 0 })
    told.kill(told.systemd, victim, 15)
    return { told, right: ownLine(client) }
  },
  'a container, while another one is stopped': () => {
    const told = new ToldHost()
    const id = 'c0ffee'.padEnd(64, '0')
    const shim = unitProcess(told, 'containerd.service', ['containerd-shim-runc-v2', '-id', id])
    const victim = told.run(shim, ['/usr/sbin/web'], { cgroup: `/system.slice/docker-${id}.scope`, nspid: 1 })
    told.run(loginShell(told, 1002, 'pts/7'), ['docker', 'stop', 'db'])
    const client = told.run(loginShell(told, 1001, 'pts/0'), ['docker', 'stop', 'c0ffee000000'])
    told.kill(told.run(shim, ['runc', 'kill', id, '15']), victim, 15)
    return { told, right: [...ownLine(client), shim] }
  },
  'a cron job, and a person who types': () => {
    const told = new ToldHost()
    const victim = unitProcess(told, 'web.service', ['/usr/sbin/web'])
    told.run(loginShell(told, 1002, 'pts/7'), ['kill', '1'])
    const cron = unitProcess(told, 'cron.service', ['/usr/sbin/cron', '-f'])
    const job = told.run(told.fork(cron), ['/bin/sh', '-c', '/opt/cleanup.sh; true'])
    const script = told.run(job, ['/bin/sh', '/opt/cleanup.sh'])
    const kill = told.run(script, ['kill', '4242'])
    told.kill(kill, victim)
    return { told, right: ownLine(kill) }
  },
}

describe.each(Object.entries(stories))('%s', (_name, tell) => {
  it('is told of whole', async () => {
    const { told, right } = tell()
    const behalf = await told.behalf()
    expect(right.map(({ pid }) => pid)).toContain(behalf?.process?.pid)
  })

  it('with lines lost says less, and names nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { minLength: 1, maxLength: 6 }), async (lost) => {
        const { told, right } = tell()
        const [death] = await told.deaths({ lines: (all) => all.filter((_line, at) => at === 0 || !lost.includes(at)) })
        const named = death?.behalf?.process?.pid
        if (named !== undefined) expect(right.map(({ pid }) => pid)).toContain(named)
        if (death !== undefined && lost.some((at) => at > 0 && at < 20)) {
          expect(death.behalf?.confidence).not.toBe('certain')
        }
      }),
      { numRuns: 150 },
    )
  })
})

test('a walk that comes back to where it was ends', async () => {
  const told = new ToldHost()
  const a = unitProcess(told, 'a.service', ['tini', 'a'])
  const b = unitProcess(told, 'b.service', ['tini', 'b'])
  const victim = told.run(a, ['/usr/sbin/web'])
  told.signal(a, b, 15, { disp: 'handler' })
  told.signal(b, a, 15, { disp: 'handler' })
  told.kill(a, victim, 15)
  expect(await told.behalf()).toMatchObject({ kind: 'process' })
})

test('names of any bytes stay in the name', async () => {
  const told = new ToldHost()
  const victim = unitProcess(told, 'web.service', ['/usr/sbin/web'])
  const script = told.run(loginShell(told, 1001), ['/bin/sh', './\x1b[2J\xff`; `.sh', '\n'])
  told.kill(told.run(script, ['kill', '4242']), victim)
  const [death] = await told.deaths()
  expect(death?.behalf?.name).toMatch(/^sh \$'.*' .* of uid 1001 at pts\/3$/)
  expect(death?.verdict.summary).not.toMatch(/[\p{Cc}]/u)
})
