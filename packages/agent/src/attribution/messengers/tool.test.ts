import { describe, expect, it } from 'vitest'
import { loginShell, ToldHost, type ToldProcess, unitProcess } from '../../../test/told-host.ts'

/** A victim, and a script that nobody stands behind. */
function host() {
  const host = new ToldHost()
  const victim = unitProcess(host, 'web.service', ['/usr/sbin/web'])
  const script = host.run(host.systemd, ['/bin/sh', './cleanup.sh'], { cgroup: '/', sid: 50 })
  return { host, victim, script }
}

describe('a tool', () => {
  it.each([
    [['kill', '-9', '4242']],
    [['pkill', '-f', 'web']],
    [['killall', 'web']],
    [['/sbin/start-stop-daemon', '--stop', '--retry', '5']],
    [['busybox', 'kill', '4242']],
    [['fuser', '-k', '80/tcp']],
    [['sh', '-c', 'kill 4242']],
    [['python3', '-c', 'import os; os.kill(4242, 9)']],
    [['perl', '-e', 'kill 9, 4242']],
    [['crun', 'kill', 'abc', 'KILL']],
  ])('%s acts for the script that ran it', async (args) => {
    const { host: told, victim, script } = host()
    told.kill(told.run(script, args), victim)
    expect(await told.behalf()).toMatchObject({
      kind: 'process',
      name: 'sh ./cleanup.sh',
      process: { pid: script.pid },
      rule: 'tool',
      confidence: 'certain',
    })
  })

  it('acts for the script through other tools, sudo and subshells', async () => {
    const { host: told, victim, script } = host()
    const subshell = told.fork(script)
    const xargs = told.run(told.run(subshell, ['sudo', 'xargs', 'kill']), ['xargs', 'kill'])
    told.kill(told.run(xargs, ['kill', '4242']), victim)
    expect(await told.behalf()).toMatchObject({ process: { pid: script.pid }, name: 'sh ./cleanup.sh' })
  })

  it('acts for a program that runs `sh -c`', async () => {
    const { host: told, victim } = host()
    const java = unitProcess(told, 'app.service', ['java', '-jar', 'app.jar'])
    told.kill(told.run(java, ['/bin/sh', '-c', 'kill 4242']), victim)
    expect(await told.behalf()).toMatchObject({ name: 'app.service', process: { pid: java.pid }, rule: 'service' })
  })

  it('acts for a script in a container, and not for the service of its runtime', async () => {
    const { host: told, victim } = host()
    const cgroup = `/system.slice/docker.service/docker/${'a'.repeat(64)}`
    const shim = unitProcess(told, 'docker.service', ['containerd-shim-runc-v2', '-id', 'a'])
    const entry = told.run(shim, ['/bin/sh', '/entrypoint.sh'], { cgroup, nspid: 1, nsid: 42 })
    told.kill(told.run(entry, ['kill', '7'], { nspid: 8 }), victim)
    expect(await told.behalf()).toMatchObject({ name: 'sh /entrypoint.sh', rule: 'tool' })
  })

  it('acts for a script in the background whose shell has gone, if it is still its session', async () => {
    const { host: told, victim, script } = host()
    const background = told.run(told.fork(script), ['kill', '4242'])
    told.exit(script)
    told.kill(background, victim)
    expect(await told.behalf()).toMatchObject({ name: 'sh ./cleanup.sh', process: { pid: script.pid } })
  })

  it('acts for nobody who can be named: commands through a pipe, at no terminal', async () => {
    const { host: told, victim } = host()
    const shell = told.run(told.systemd, ['sh', '/proc/self/fd/3'], { cgroup: '/' })
    told.kill(told.run(shell, ['kill', '4242']), victim)
    expect(await told.behalf()).toBeNull()
  })
})

describe('who ends the very process that it comes from', () => {
  it('does not act for it, nor for whoever had started that', async () => {
    const { host: told, script } = host()
    const victim = told.run(script, ['/opt/app/worker'])
    told.kill(told.run(victim, ['sh', '-c', 'kill -9 $PPID']), victim)
    expect(await told.behalf()).toBeNull()
  })

  it('acts for the login that comes from it, where that is what starts logins', async () => {
    const told = new ToldHost()
    const server = unitProcess(told, 'ssh.service', ['/usr/sbin/sshd', '-D'])
    const shell = { ...told.fork(server), facts: { uid: 1001, euid: 1001, luid: 1001, sid: 88 } }
    told.kill(told.run(shell, ['kill', '-9', '77']), server)
    expect(await told.behalf()).toMatchObject({ rule: 'login', name: 'uid 1001 (ssh)' })
  })
})

describe('what is no tool acts for nobody', () => {
  it.each<[string, (host: ToldHost, script: ToldProcess) => ToldProcess]>([
    ['a daemon', (told) => unitProcess(told, 'monitor.service', ['/usr/sbin/monitord'])],
    ['a program that a script runs', (told, script) => told.run(script, ['/opt/app/worker'])],
    ['a script', (_told, script) => script],
    [
      'a daemon that somebody started by hand, in a session of its own',
      (told) => {
        const shell = loginShell(told, 1001)
        const starter = told.run(shell, ['/usr/sbin/thing'])
        const daemon = { ...told.fork(starter), facts: { uid: 1001, luid: 1001, sid: 99 } }
        told.exit(starter)
        return told.exec(daemon, ['/usr/sbin/thing'])
      },
    ],
  ])('%s', async (_what, killerOf) => {
    const { host: told, victim, script } = host()
    told.kill(killerOf(told, script), victim)
    expect(await told.behalf()).toBeNull()
  })
})
