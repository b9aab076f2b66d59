import { expect, it } from 'vitest'
import { loginShell, ToldHost, unitProcess } from '../../../test/told-host.ts'

const sigterm = 15

/** A container's first process with the program that it runs, and a script that signals. */
function host(first: string) {
  const told = new ToldHost()
  const parent = unitProcess(told, 'web.service', [first, '--', 'web'])
  const victim = told.run(parent, ['/usr/sbin/web'])
  const script = told.run(told.systemd, ['/bin/sh', './stop.sh'], { cgroup: '/' })
  return { told, parent, victim, script }
}

it.each(['tini', 'dumb-init', '/sbin/docker-init'])('%s acts for who had signalled it just before', async (first) => {
  const { told, parent, victim, script } = host(first)
  told.signal(script, parent, sigterm, { disp: 'handler' })
  told.kill(parent, victim, sigterm)
  expect(await told.behalf()).toMatchObject({
    kind: 'process',
    name: 'sh ./stop.sh',
    process: { pid: script.pid },
    rule: 'passed-on',
    confidence: 'certain',
  })
})

it('a master that ends its workers acts likely for who asked it to end', async () => {
  const { told, parent, victim, script } = host('/usr/sbin/nginx')
  told.signal(told.run(script, ['kill', '1']), parent, sigterm, { disp: 'handler' })
  told.kill(parent, victim, 9)
  expect(await told.behalf()).toMatchObject({ name: 'kill 1 of sh ./stop.sh', rule: 'tool', confidence: 'likely' })
})

it('is walked on to the one at the terminal', async () => {
  const { told, parent, victim } = host('tini')
  told.signal(told.run(loginShell(told, 1001), ['kill', '1']), parent, sigterm, { disp: 'handler' })
  told.kill(parent, victim, sigterm)
  expect(await told.behalf()).toMatchObject({ name: 'kill 1 of uid 1001 at pts/3', kind: 'session' })
})

it('Ctrl-C at the terminal of the one that passes it on', async () => {
  const told = new ToldHost()
  const npm = told.run(loginShell(told, 1001), ['npm', 'start'])
  const victim = told.run(npm, ['/opt/app'])
  told.signal(told.systemd, npm, 2, { call: 'none', info: 'priv', disp: 'handler', code: 128 })
  told.kill(npm, victim, 2)
  expect(await told.behalf()).toMatchObject({ kind: 'session', name: 'Ctrl-C at pts/3', process: null })
})

it('a master that nobody asked acts for nobody', async () => {
  const { told, parent, victim } = host('/usr/sbin/nginx')
  told.kill(parent, victim, sigterm)
  expect(await told.behalf()).toBeNull()
})

it('a signal of long ago does not count, nor one that was ignored', async () => {
  const { told, parent, victim, script } = host('tini')
  told.signal(script, parent, sigterm, { disp: 'handler' })
  told.wait(5_000)
  told.signal(script, parent, sigterm, { disp: 'ignore', result: 'ignored' })
  told.kill(parent, victim, sigterm)
  expect(await told.behalf()).toBeNull()
})

it('a program that was signalled and killed a stranger does not pass on', async () => {
  const { told, script, victim } = host('tini')
  const other = unitProcess(told, 'other.service', ['/usr/sbin/other'])
  told.signal(script, other, sigterm, { disp: 'handler' })
  told.kill(other, victim, sigterm)
  expect(await told.behalf()).toBeNull()
})

it('what the victim itself had sent does not count', async () => {
  const { told, parent, victim } = host('tini')
  told.signal(victim, parent, sigterm, { disp: 'handler' })
  told.kill(parent, victim, sigterm)
  expect(await told.behalf()).toBeNull()
})

it('systemd, which is the ancestor of all, does not pass on what it was sent', async () => {
  const { told, victim, script } = host('/usr/sbin/web')
  told.signal(script, told.systemd, 1, { disp: 'handler' })
  told.kill(told.systemd, victim, sigterm)
  expect(await told.behalf()).toMatchObject({ rule: 'systemd-unseen' })
})

it('Ctrl-C at a prompt has nothing to do with the command that is typed next', async () => {
  const told = new ToldHost()
  const shell = loginShell(told, 1001)
  const victim = told.run(shell, ['/opt/app'])
  told.signal(told.systemd, shell, 2, { call: 'none', info: 'priv', disp: 'handler', code: 128 })
  told.kill(shell, victim, sigterm)
  expect(await told.behalf()).toMatchObject({ rule: 'login', name: 'uid 1001 at pts/3' })
})

it('a shell that lost its terminal hands that on to its jobs', async () => {
  const told = new ToldHost()
  const shell = loginShell(told, 1001)
  const victim = told.run(shell, ['/opt/app'])
  told.signal(told.systemd, shell, 1, { call: 'none', info: 'priv', disp: 'handler', code: 128 })
  told.kill(shell, victim, 1)
  expect(await told.behalf()).toMatchObject({ rule: 'passed-on', name: 'the end of terminal pts/3' })
})
