import { describe, expect, it } from 'vitest'
import { ToldHost, type ToldProcess, unitProcess } from '../../../test/told-host.ts'

function killedBy(start: (host: ToldHost) => ToldProcess) {
  const host = new ToldHost()
  const victim = unitProcess(host, 'web.service', ['/usr/sbin/web'])
  host.kill(start(host), victim)
  return host.behalf()
}

const cronJob = (host: ToldHost, args: readonly string[]) => {
  const cron = unitProcess(host, 'cron.service', ['/usr/sbin/cron', '-f'])
  return host.run(host.fork(cron), args, { luid: 0 })
}

describe('a cron job', () => {
  it('is named by its user and its command, whatever it ran', async () => {
    const behalf = await killedBy((host) => {
      const shell = cronJob(host, ['/bin/sh', '-c', '/usr/local/bin/cleanup.sh >/dev/null 2>&1'])
      return host.run(host.run(shell, ['/bin/sh', '/usr/local/bin/cleanup.sh']), ['kill', '-9', '4242'])
    })
    expect(behalf).toMatchObject({
      kind: 'process',
      name: 'the cron job of uid 0: /usr/local/bin/cleanup.sh >/dev/null 2>&1',
      rule: 'cron-job',
      confidence: 'certain',
    })
  })

  it('is named by its script where its shell has become that script', async () => {
    const behalf = await killedBy((host) => cronJob(host, ['/bin/sh', '/usr/local/bin/cleanup.sh', '-v']))
    expect(behalf).toMatchObject({ name: 'the cron job of uid 0: /usr/local/bin/cleanup.sh -v' })
  })

  it('is named by the script of a folder that run-parts goes through', async () => {
    const behalf = await killedBy((host) => {
      const parts = host.run(cronJob(host, ['/bin/sh', '-c', 'run-parts /etc/cron.daily']), [
        'run-parts',
        '/etc/cron.daily',
      ])
      return host.run(host.run(parts, ['/bin/sh', '/etc/cron.daily/web']), ['kill', '4242'])
    })
    expect(behalf).toMatchObject({ name: 'the cron job of uid 0: /etc/cron.daily/web' })
  })

  it('hides the secrets of its command', async () => {
    const behalf = await killedBy((host) => cronJob(host, ['/bin/sh', '-c', 'PASSWORD=hunter2 kill 4242']))
    expect(behalf?.name).toBe('the cron job of uid 0: PASSWORD=<redacted>')
  })

  it('does not end behind a daemon that it has started', async () => {
    const behalf = await killedBy((host) => {
      const shell = cronJob(host, ['/bin/sh', '-c', 'thingd'])
      const daemon = { ...host.fork(shell), facts: { uid: 0, sid: 4711 } }
      host.exit(shell)
      return host.exec(daemon, ['/usr/sbin/thingd'])
    })
    expect(behalf).toBeNull()
  })
})

describe('other jobs', () => {
  it('an at job is named by its user', async () => {
    const behalf = await killedBy((host) => {
      const atd = unitProcess(host, 'atd.service', ['/usr/sbin/atd', '-f'])
      return host.run(host.run(host.fork(atd), ['sh'], { uid: 1001 }), ['kill', '4242'])
    })
    expect(behalf).toMatchObject({ name: 'the at job of uid 1001', rule: 'at-job', kind: 'process' })
  })

  it.each([
    ['GitLab Runner', ['gitlab-runner', 'run']],
    ['GitHub Actions', ['/home/ci/bin/Runner.Worker', 'spawnclient', '110', '113']],
    ['Jenkins', ['java', '-jar', '/var/lib/jenkins/agent.jar', '-url', 'http://ci']],
    ['Salt', ['/usr/bin/python3', '/usr/bin/salt-minion']],
  ])('a job of %s is named by its command', async (name, runner) => {
    const behalf = await killedBy((host) => {
      const worker = unitProcess(host, 'ci.service', runner, { uid: 900 })
      return host.run(host.run(worker, ['bash', '/tmp/step.sh']), ['kill', '4242'])
    })
    expect(behalf).toMatchObject({ name: `a job of ${name}: /tmp/step.sh`, rule: 'runner-job' })
  })
})
