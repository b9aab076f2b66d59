import { describe, expect, it } from 'vitest'
import { loginShell, ToldHost, type ToldProcess, unitProcess } from '../../../test/told-host.ts'

const sigterm = 15

function host(unit = 'nginx.service') {
  const told = new ToldHost()
  const victim = unitProcess(told, unit, ['/usr/sbin/nginx'])
  const script = told.run(told.systemd, ['/bin/sh', './deploy.sh'], { cgroup: '/' })
  return { told, victim, script }
}

/** A command runs, and meanwhile systemd ends the victim. */
async function whileRunning(args: readonly string[], unit?: string) {
  const { told, victim, script } = host(unit)
  told.run(script, args)
  told.kill(told.systemd, victim, sigterm)
  return (await told.deaths()).at(-1)
}

describe('a command that names the unit', () => {
  it.each([
    ['systemctl stop nginx'],
    ['systemctl stop nginx.service'],
    ['systemctl --no-block restart postgresql nginx'],
    ['/bin/systemctl -q try-restart ngin*'],
    ['systemctl kill -s TERM nginx'],
    ['systemctl kill --signal=SIGTERM nginx'],
    ['systemctl disable --now nginx'],
    ['/bin/sh /usr/sbin/service nginx stop'],
    [
      'busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StopUnit ss nginx.service replace',
    ],
  ])('%s', async (line) => {
    const death = await whileRunning(line.split(' '))
    const name = line.replace('/bin/sh /usr', 'sh /usr').replace('/bin/', '')
    expect(death?.behalf).toMatchObject({ kind: 'process', rule: 'tool', confidence: 'likely' })
    expect(death?.behalf?.name.replaceAll("'", '').slice(0, 30)).toBe(`\`${name}\` of sh ./deploy.sh`.slice(0, 30))
  })

  it('is told in the sentence', async () => {
    const death = await whileRunning(['systemctl', 'stop', 'nginx'])
    expect(death?.verdict.summary).toBe(
      'nginx.service was killed with SIGTERM by systemd (pid 1, uid 0), likely for `systemctl stop nginx` of sh ./deploy.sh.',
    )
  })

  it.each([
    ['getty@tty1.service', ['systemctl', 'stop', 'getty@tty1']],
    ['session-3.scope', ['loginctl', 'terminate-session', '3']],
    ['machine-web.scope', ['machinectl', 'terminate', 'web']],
  ])('%s by %s', async (unit, args) => {
    const death = await whileRunning(args, unit)
    expect(death?.behalf).toMatchObject({ rule: 'tool', confidence: 'likely' })
  })

  it('stands for the user behind sudo', async () => {
    const { told, victim } = host()
    const sudo = told.run(loginShell(told, 1001, 'pts/0'), ['sudo', 'systemctl', 'stop', 'nginx'], { euid: 0 })
    told.run(sudo, ['systemctl', 'stop', 'nginx'], { uid: 0, euid: 0 })
    told.kill(told.systemd, victim, sigterm)
    expect(await told.behalf()).toMatchObject({
      kind: 'session',
      name: '`systemctl stop nginx` of uid 1001 (sudo, pts/0)',
      process: { comm: 'bash' },
      rule: 'login',
      confidence: 'likely',
    })
  })

  it('counts where it did not wait, and not where it failed', async () => {
    for (const [status, rule] of [
      [0, 'tool'],
      [256, 'systemd-unseen'],
    ] as const) {
      const { told, victim, script } = host()
      told.exit(told.run(script, ['systemctl', '--no-block', 'stop', 'nginx']), status)
      told.kill(told.systemd, victim, sigterm)
      expect(await told.behalf()).toMatchObject({ rule })
    }
  })
})

describe('a command that does not name the unit', () => {
  it.each([
    ['systemctl status nginx'],
    ['systemctl start nginx'],
    ['systemctl daemon-reload'],
    ['systemctl --user stop nginx'],
    ['systemctl -H db-1 stop nginx'],
    ['systemctl kill -s HUP nginx'],
    ['service nginx status'],
    ['constructor stop nginx'],
  ])('%s: who asked is not known', async (line) => {
    expect((await whileRunning(line.split(' ')))?.behalf).toMatchObject({
      kind: 'policy',
      rule: 'systemd-unseen',
      confidence: 'possible',
      process: null,
    })
  })

  it('may still be why, if it stops what the unit depends on', async () => {
    const death = await whileRunning(['systemctl', 'stop', 'postgresql'])
    expect(death?.behalf).toMatchObject({
      name: '`systemctl stop postgresql` of sh ./deploy.sh',
      confidence: 'possible',
    })
    expect(death?.verdict.alternatives).toContain('a program may have asked systemd over D-Bus, which is not seen')
  })

  it('is not named where records were lost: the one that was may be among them', async () => {
    const { told, victim, script } = host()
    told.run(script, ['systemctl', 'stop', 'postgresql'])
    told.wait(1)
    told.kill(told.systemd, victim, sigterm)
    const lines = (all: string[]) => all.filter((line) => !line.startsWith('heartbeat'))
    expect(await told.behalf({ lines })).toMatchObject({ rule: 'systemd-unseen' })
  })

  it('is only possible where records were lost and it names the unit: another one may have named it, too', async () => {
    const { told, victim, script } = host()
    told.run(script, ['systemctl', 'restart', 'nginx'])
    told.run(script, ['systemctl', 'stop', 'nginx'])
    told.kill(told.systemd, victim, sigterm)
    const lines = (all: string[]) => all.filter((line) => !line.includes('\\x00stop\\x00'))
    const [death] = await told.deaths({ lines })
    expect(death?.behalf).toMatchObject({
      name: '`systemctl restart nginx` of sh ./deploy.sh',
      confidence: 'possible',
    })
    expect(death?.verdict.alternatives).toContain('another command may have asked for it, which was not seen')
  })

  it('is looked for in what was lost before the victim began, too', async () => {
    const told = new ToldHost()
    const script = told.run(told.systemd, ['/bin/sh', './deploy.sh'], { cgroup: '/' })
    told.run(script, ['systemctl', 'restart', 'nginx'])
    told.wait(1)
    told.kill(told.systemd, unitProcess(told, 'nginx.service', ['/usr/sbin/nginx']), sigterm)
    const lines = (all: string[]) => all.filter((line) => !line.startsWith('heartbeat'))
    expect(await told.behalf({ lines })).toMatchObject({ confidence: 'possible' })
  })
})

it('without a command says what else it may have been', async () => {
  const { told, victim } = host()
  told.wait(2_000)
  told.kill(told.systemd, victim, sigterm)
  const [death] = await told.deaths()
  expect(death?.verdict.alternatives).toEqual([
    'a program may have asked systemd over D-Bus, which is not seen',
    'a setting of the unit may have ended it (RuntimeMaxSec=, TimeoutStartSec=, BindsTo=, Conflicts=; it had run for 2.0 s)',
  ])
  expect(death?.verdict.summary).toBe(
    'nginx.service was killed with SIGTERM by systemd (pid 1, uid 0), possibly because of a request that was not seen, or a setting of its unit.',
  )
})

it('who asked for the stop is behind the SIGKILL after its timeout', async () => {
  const { told, victim, script } = host()
  const client = told.run(script, ['systemctl', 'stop', 'nginx'])
  told.signal(told.systemd, victim, sigterm, { disp: 'handler' })
  told.wait(90_000)
  told.kill(told.systemd, victim, 9)
  told.exit(client)
  const [death] = await told.deaths()
  expect(death?.behalf).toMatchObject({ graceMs: 90_001, confidence: 'likely' })
  expect(death?.verdict.summary).toBe(
    'nginx.service was killed with SIGKILL by systemd (pid 1, uid 0) after the stop timeout of 1 min 30 s, likely for `systemctl stop nginx` of sh ./deploy.sh.',
  )
})

it('ExecStop= acts for systemd, and so for who asked it', async () => {
  const { told, victim, script } = host()
  told.run(script, ['systemctl', 'stop', 'nginx'])
  const stop = unitProcess(told, 'nginx.service', ['/sbin/start-stop-daemon', '--stop', '--retry', 'QUIT/5'])
  told.signal(stop, victim, 3, { disp: 'handler' })
  told.wait(5_000)
  told.kill(stop, victim, 9)
  expect(await told.behalf()).toMatchObject({ name: '`systemctl stop nginx` of sh ./deploy.sh', graceMs: 5_001 })
})

it('a service that kills its own child is no ExecStop=', async () => {
  const { told, victim } = host()
  told.kill(victim, told.run(victim, ['/usr/sbin/worker']))
  expect(await told.behalf()).toBeNull()
})

describe('settings of a unit', () => {
  it('WatchdogSec=: SIGABRT, without a command', async () => {
    const { told, victim } = host()
    told.kill(told.systemd, victim, 6)
    const [death] = await told.deaths()
    expect(death?.behalf).toMatchObject({ kind: 'policy', rule: 'systemd-watchdog', confidence: 'likely' })
    expect(death?.verdict.summary).toContain('likely because of its watchdog (WatchdogSec=): it did not report in time')
  })

  it('WatchdogSec= is not told where somebody had the signal sent', async () => {
    const { told, victim, script } = host()
    told.run(script, ['systemctl', 'kill', '-s', 'ABRT', 'nginx'])
    told.kill(told.systemd, victim, 6)
    expect(await told.behalf()).toMatchObject({ name: '`systemctl kill -s ABRT nginx` of sh ./deploy.sh' })
  })

  it('OOMPolicy=stop: another process of the unit was out of memory', async () => {
    const { told, victim } = host()
    const worker = told.run(victim, ['/usr/sbin/worker'])
    told.outOfMemory(worker)
    told.exit(worker, 9)
    told.kill(told.systemd, victim, sigterm)
    expect(await told.behalf()).toMatchObject({
      kind: 'policy',
      rule: 'systemd-oom-policy',
      name: 'another process of nginx.service being out of memory (OOMPolicy=stop)',
    })
  })

  it('OOMPolicy= of another unit is none', async () => {
    const { told, victim } = host()
    told.outOfMemory(unitProcess(told, 'other.service', ['/usr/sbin/other']))
    told.kill(told.systemd, victim, sigterm)
    expect(await told.behalf()).toMatchObject({ rule: 'systemd-unseen' })
  })

  it('the end of the main process takes the others along; who killed it is behind that', async () => {
    const { told, victim: main, script } = host()
    const worker = told.run(main, ['/usr/sbin/worker'])
    told.kill(told.run(script, ['kill', '-9', '1001']), main)
    told.kill(told.systemd, worker, sigterm)
    expect(await told.behalf()).toMatchObject({
      kind: 'policy',
      rule: 'systemd-main-process',
      name: `the end of its main process (pid ${main.pid}), which was ended by kill -9 <pid> of sh ./deploy.sh`.replace(
        '<pid>',
        '1001',
      ),
      confidence: 'likely',
    })
  })

  it('a main process that systemd itself had asked to end is no reason', async () => {
    const { told, victim: main, script } = host()
    const worker = told.run(main, ['/usr/sbin/worker'])
    told.run(script, ['systemctl', 'stop', 'nginx'])
    told.kill(told.systemd, main, sigterm)
    told.kill(told.systemd, worker, 9)
    expect(await told.behalf()).toMatchObject({ name: '`systemctl stop nginx` of sh ./deploy.sh' })
  })

  it('a logout ends what was left of the session', async () => {
    const told = new ToldHost()
    const cgroup = '/user.slice/user-1001.slice/session-3.scope'
    const shell = told.run(told.systemd, ['bash', '-c', 'left &'], { cgroup })
    const victim = told.run(shell, ['/opt/left'])
    told.exit(shell)
    told.kill(told.systemd, victim, sigterm)
    expect(await told.behalf()).toMatchObject({ rule: 'logout', name: 'the end of the login session of uid 1001' })
  })
})

describe('a shutdown', () => {
  it.each([['systemctl reboot'], ['poweroff'], ['shutdown -h now'], ['shutdown -r +1'], ['/sbin/init 6']])(
    '%s',
    async (line) => {
      const { told, victim } = host()
      told.exit(told.run(loginShell(told, 0, 'tty1'), line.split(' ')))
      told.wait(line.includes('+1') ? 60_000 : 20_000)
      told.kill(told.systemd, victim, sigterm)
      expect(await told.behalf()).toMatchObject({
        rule: 'login',
        name: expect.stringMatching(/^`.*` of uid 0 at tty1$/),
      })
    },
  )

  it.each([['shutdown -c'], ['shutdown -r +30'], ['halt -w'], ['systemctl reboot']])(
    '%s %#: not yet, no more, or long ago',
    async (line) => {
      const { told, victim } = host()
      told.exit(told.run(loginShell(told, 0, 'tty1'), line.split(' ')))
      told.wait(line === 'systemctl reboot' ? 400_000 : 20_000)
      told.kill(told.systemd, victim, sigterm)
      expect(await told.behalf()).toMatchObject({ rule: 'systemd-unseen' })
    },
  )

  it('is certain when its last program kills what is left', async () => {
    const { told, victim } = host()
    const last = told.exec(told.systemd, ['/usr/lib/systemd/systemd-shutdown', 'poweroff'])
    told.kill(last, victim, sigterm)
    expect(await told.behalf()).toMatchObject({
      name: 'the shutdown of the system',
      confidence: 'certain',
      kind: 'policy',
    })
  })
})

describe('systemd of a user', () => {
  const cgroup = '/user.slice/user-1001.slice/user@1001.service/app.slice/music.service'
  const manager = (told: ToldHost): ToldProcess =>
    told.run(told.systemd, ['/usr/lib/systemd/systemd', '--user'], {
      uid: 1001,
      cgroup: '/user.slice/user-1001.slice/user@1001.service/init.scope',
    })

  it('is asked by systemctl --user', async () => {
    const told = new ToldHost()
    const user = manager(told)
    const victim = told.run(user, ['/usr/bin/music'], { cgroup })
    told.run(loginShell(told, 1001), ['systemctl', '--user', 'stop', 'music'])
    told.kill(user, victim, sigterm)
    expect(await told.behalf()).toMatchObject({ name: '`systemctl --user stop music` of uid 1001 at pts/3' })
  })

  it('and not by systemctl; it passes on that it was stopped itself', async () => {
    const told = new ToldHost()
    const user = manager(told)
    const victim = told.run(user, ['/usr/bin/music'], { cgroup })
    told.run(loginShell(told, 0), ['systemctl', 'stop', 'user@1001'])
    told.signal(told.systemd, user, sigterm, { disp: 'handler' })
    told.wait(3_000)
    told.kill(user, victim, sigterm)
    expect(await told.behalf()).toMatchObject({ name: '`systemctl stop user@1001` of uid 0 at pts/3' })
  })
})

describe('a service that kills', () => {
  it('is named, if it is a script or a tool, and who started it', async () => {
    const { told, victim } = host()
    const cleanup = unitProcess(told, 'cleanup.service', ['/bin/sh', '/opt/cleanup.sh'])
    told.kill(told.run(cleanup, ['kill', '4242']), victim)
    expect(await told.behalf()).toMatchObject({
      name: 'cleanup.service',
      rule: 'service',
      process: { pid: cleanup.pid },
    })
  })

  it('by the command that had it started', async () => {
    const { told, victim } = host()
    told.run(loginShell(told, 0), ['systemctl', 'start', 'cleanup'])
    told.kill(unitProcess(told, 'cleanup.service', ['/usr/bin/pkill', 'nginx']), victim)
    expect(await told.behalf()).toMatchObject({ name: '`systemctl start cleanup` of uid 0 at pts/3' })
  })
})
