import { describe, expect, it } from 'vitest'
import { loginShell, ToldHost, unitProcess } from '../../../test/told-host.ts'

describe('a supervisor', () => {
  it.each([
    [
      ['/usr/bin/python3', '/usr/bin/supervisord', '-n'],
      ['supervisorctl', 'stop', 'web'],
    ],
    [
      ['node', '/usr/lib/node_modules/pm2/lib/Daemon.js'],
      ['node', '/usr/bin/pm2', 'restart', 'web'],
    ],
    [
      ['runsv', 'web'],
      ['sv', 'down', 'web'],
    ],
    [
      ['s6-supervise', 'web'],
      ['s6-svc', '-d', '/run/service/web'],
    ],
    [
      ['supervise', 'web'],
      ['svc', '-t', '/service/web'],
    ],
  ])('%s was asked by %s', async (daemon, client) => {
    const told = new ToldHost()
    const supervisor = unitProcess(told, 'sup.service', daemon)
    const victim = told.run(supervisor, ['/usr/sbin/web'])
    told.run(loginShell(told, 1001), client)
    told.signal(supervisor, victim, 15, { disp: 'handler' })
    told.wait(10_000)
    told.kill(supervisor, victim, 9)
    expect(await told.behalf()).toMatchObject({
      kind: 'session',
      name: expect.stringMatching(/^`.*` of uid 1001 at pts\/3$/),
      confidence: 'likely',
      graceMs: 10_001,
    })
  })

  it('acts of its own where nobody asked', async () => {
    const told = new ToldHost()
    const supervisor = unitProcess(told, 'sup.service', ['/usr/bin/python3', '/usr/bin/supervisord'])
    const victim = told.run(supervisor, ['/usr/sbin/web'])
    told.run(loginShell(told, 1001), ['supervisorctl', 'status'])
    told.kill(supervisor, victim, 15)
    expect(await told.behalf()).toBeNull()
  })

  it('has started the script that killed', async () => {
    const told = new ToldHost()
    const victim = unitProcess(told, 'web.service', ['/usr/sbin/web'])
    const script = told.run(unitProcess(told, 'sup.service', ['runsv', 'guard']), ['/bin/sh', './run'])
    told.kill(told.run(script, ['kill', '4242']), victim)
    expect(await told.behalf()).toMatchObject({ name: 'sh ./run of runsv', rule: 'service' })
  })
})

it.each(['earlyoom', 'systemd-oomd', 'nohang'])('%s: memory ran short, and no person is behind that', async (name) => {
  const told = new ToldHost()
  const guard = unitProcess(told, `${name}.service`, [`/usr/sbin/${name}`])
  told.kill(guard, unitProcess(told, 'web.service', ['/usr/sbin/web']))
  const [death] = await told.deaths()
  expect(death?.behalf).toMatchObject({
    kind: 'policy',
    name: `memory running short (${name})`,
    rule: 'memory-guard',
    process: null,
  })
  expect(death?.verdict.summary).toContain(`, because of memory running short (${name}).`)
})
