import { describe, expect, it } from 'vitest'
import { loginShell, ToldHost, type ToldProcess, unitProcess } from '../../../test/told-host.ts'

async function killedBy(start: (host: ToldHost) => ToldProcess) {
  const host = new ToldHost()
  const victim = unitProcess(host, 'web.service', ['/usr/sbin/web'])
  const killer = start(host)
  host.kill(killer, victim)
  return await host.behalf()
}

const sshLogin = (host: ToldHost, uid: number) => {
  const server = unitProcess(host, 'ssh.service', ['/usr/sbin/sshd', '-D'])
  const session = host.run(server, ['/usr/sbin/sshd', '-D', '-R'])
  return { ...host.fork(session), facts: { uid, euid: uid, luid: uid, sid: 88 } }
}

describe('a session', () => {
  it('is who types at a terminal: the killer is the shell', async () => {
    expect(await killedBy((host) => loginShell(host, 1001))).toMatchObject({
      kind: 'session',
      name: 'uid 1001 at pts/3',
      rule: 'login',
      confidence: 'certain',
    })
  })

  it('has run the tool', async () => {
    const behalf = await killedBy((host) => host.run(loginShell(host, 1001), ['kill', '-9', '4242']))
    expect(behalf).toMatchObject({ name: 'uid 1001 at pts/3', process: { comm: 'bash' } })
  })

  it('is only likely where a terminal was made and nobody is known to have logged in', async () => {
    const server = (host: ToldHost, luid?: number) =>
      host.run(host.systemd, ['tmux', 'new', '-d', 'kill 4242'], luid === undefined ? {} : { luid })
    const kills = (luid?: number) =>
      killedBy((host) => host.run(server(host, luid), ['kill', '4242'], { uid: 1001, tty: 'pts/0' }))
    expect(await kills()).toMatchObject({ name: 'uid 1001 at pts/0', confidence: 'likely' })
    expect(await kills(1001)).toMatchObject({ name: 'uid 1001 at pts/0', confidence: 'certain' })
  })

  it('has run the script that ran the tool', async () => {
    const behalf = await killedBy((host) => {
      const script = host.run(loginShell(host, 1001), ['/bin/sh', './deploy.sh', 'web'])
      return host.run(script, ['kill', '4242'])
    })
    expect(behalf).toMatchObject({ name: 'sh ./deploy.sh web of uid 1001 at pts/3', kind: 'session' })
  })

  it('is likely that of a program of its own that runs at its terminal', async () => {
    const behalf = await killedBy((host) => host.run(loginShell(host, 1001), ['/opt/tool']))
    expect(behalf).toMatchObject({ name: 'uid 1001 at pts/3', confidence: 'likely' })
  })

  it('stays that of the user behind sudo', async () => {
    const behalf = await killedBy((host) => {
      const sudo = host.run(loginShell(host, 1001), ['sudo', 'kill', '4242'], { euid: 0 })
      return host.run(host.fork(sudo), ['kill', '4242'], { uid: 0, euid: 0, tty: 'pts/9' })
    })
    expect(behalf).toMatchObject({ name: 'uid 1001 (sudo, pts/3)', process: { comm: 'bash', uid: 1001 } })
  })

  it('stays that of who logged in, through a shell of root', async () => {
    const behalf = await killedBy((host) => {
      const su = host.run(loginShell(host, 1001, 'pts/3', { luid: 1001 }), ['su', '-'], { uid: 1001, euid: 0 })
      return host.run(su, ['-bash'], { uid: 0, euid: 0 })
    })
    expect(behalf).toMatchObject({ name: 'uid 1001 (su, pts/3)', process: { uid: 1001 } })
  })

  it('through ssh without a terminal', async () => {
    const behalf = await killedBy((host) => host.run(sshLogin(host, 1001), ['bash', '-c', 'kill 4242']))
    expect(behalf).toMatchObject({ name: 'uid 1001 (ssh)', kind: 'session', process: { comm: 'sshd' } })
  })

  it('through ssh with a terminal, and sudo', async () => {
    const behalf = await killedBy((host) => {
      const shell = host.exec(sshLogin(host, 1001), ['-bash'], { tty: 'pts/0' })
      const sudo = host.run(shell, ['sudo', '-i'], { euid: 0 })
      return host.run(host.run(sudo, ['-bash'], { uid: 0, euid: 0, tty: 'pts/1' }), ['kill', '4242'])
    })
    expect(behalf).toMatchObject({ name: 'uid 1001 (ssh, sudo, pts/0)', process: { comm: 'bash', uid: 1001 } })
  })

  it('is who used su or sudo where nobody logged in', async () => {
    const behalf = await killedBy((host) => {
      const script = host.run(host.systemd, ['sh', '/proc/self/fd/3'], { cgroup: '/lab.scope', uid: 0 })
      const su = host.run(script, ['su', '-c', 'sudo kill 4242', 'deploy'])
      const shell = host.run(su, ['bash', '-c', 'sudo kill 4242'], { uid: 1001, euid: 1001 })
      const sudo = host.run(shell, ['sudo', 'kill', '4242'], { uid: 1001, euid: 0 })
      return host.run(sudo, ['kill', '4242'], { uid: 0, euid: 0 })
    })
    expect(behalf).toMatchObject({ name: 'uid 1001 (su, sudo)', kind: 'session' })
  })

  it('is not that of a service that uses sudo', async () => {
    const behalf = await killedBy((host) => {
      const agent = unitProcess(host, 'zabbix-agent.service', ['/usr/sbin/zabbix_agentd'], { uid: 110 })
      return host.run(host.run(agent, ['sudo', 'kill', '4242'], { euid: 0 }), ['kill', '4242'], { uid: 0 })
    })
    expect(behalf).toMatchObject({ name: 'zabbix-agent.service', rule: 'service' })
  })

  it('has not killed what sudo or sshd itself ends: those only pass on what was not seen', async () => {
    const sudo = (host: ToldHost) => host.run(loginShell(host, 1001), ['sudo', 'victim'], { euid: 0 })
    expect(await killedBy(sudo)).toBeNull()
    const server = (host: ToldHost) => unitProcess(host, 'ssh.service', ['/usr/sbin/sshd', '-D'])
    expect(await killedBy((host) => host.run(server(host), ['/usr/sbin/sshd', '-D', '-R'], { luid: 1001 }))).toBeNull()
  })

  it('is not guessed where it was lost who started the killer: it may be a job of cron', async () => {
    const host = new ToldHost()
    const victim = unitProcess(host, 'web.service', ['/usr/sbin/web'])
    const cron = unitProcess(host, 'cron.service', ['/usr/sbin/cron', '-f'])
    const job = host.run(host.fork(cron), ['/bin/sh', '-c', 'kill 4242; true'], { luid: 1001 })
    host.kill(host.run(job, ['kill', '4242']), victim)
    expect(await host.behalf()).toMatchObject({ rule: 'cron-job' })
    const isOfJob = (line: string) => line.includes(`\tpid=${job.pid}\t`)
    const lines = (all: string[]) => all.filter((line) => !isOfJob(line))
    expect(await host.behalf({ lines })).toBeNull()
  })

  it('is not that of a daemon which only inherited who logged in', async () => {
    const behalf = await killedBy((host) => unitProcess(host, 'd.scope', ['/usr/sbin/d'], { luid: 1001 }))
    expect(behalf).toBeNull()
  })
})
