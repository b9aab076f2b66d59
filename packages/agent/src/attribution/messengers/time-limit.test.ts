import { expect, it } from 'vitest'
import { loginShell, ToldHost } from '../../../test/told-host.ts'

function host(args: readonly string[], ranMs: number) {
  const told = new ToldHost()
  const script = told.run(told.systemd, ['/bin/sh', './backup.sh'], { cgroup: '/' })
  const timeout = told.run(script, args)
  const victim = told.run(timeout, ['/usr/bin/dump'])
  told.wait(ranMs)
  return { told, script, timeout, victim }
}

it.each([
  ['timeout 5 dump', 5_000, '5 s'],
  ['timeout -k 1 -s INT 0.5 dump', 500, '0.5 s'],
  ['timeout --kill-after=1 --foreground 2m dump', 120_000, '2 min'],
  ['/usr/bin/timeout 1h dump', 3_600_000, '1 h'],
  ['busybox timeout -t 5 dump', 5_000, '5 s'],
  ['timeout .5 dump', 500, '0.5 s'],
  ['timeout 5e-1s dump', 500, '0.5 s'],
])('%s: the caller had set the limit', async (line, ranMs, limit) => {
  const { told, script, timeout, victim } = host(line.split(' '), ranMs)
  told.kill(timeout, victim, 15)
  expect(await told.behalf()).toMatchObject({
    kind: 'policy',
    name: `a time limit of ${limit} of sh ./backup.sh`,
    process: { pid: script.pid },
    rule: 'time-limit',
    confidence: 'certain',
  })
})

it('is that of who typed it', async () => {
  const told = new ToldHost()
  const timeout = told.run(loginShell(told, 1001), ['timeout', '5', 'dump'])
  const victim = told.run(timeout, ['/usr/bin/dump'])
  told.wait(5_000)
  told.kill(timeout, victim, 15)
  expect(await told.behalf()).toMatchObject({
    kind: 'policy',
    name: 'a time limit of 5 s of uid 1001 at pts/3',
    process: { comm: 'bash' },
  })
})

it('kills in the end, after the time that it gave', async () => {
  const { told, timeout, victim } = host(['timeout', '-k', '1', '5', 'dump'], 5_000)
  told.signal(timeout, victim, 15, { disp: 'ignore', result: 'ignored' })
  told.wait(1_000)
  told.kill(timeout, victim, 9)
  expect(await told.behalf()).toMatchObject({ rule: 'time-limit', graceMs: 1_001 })
})

it('is not why, before it is over', async () => {
  const { told, timeout, victim } = host(['timeout', '5', 'dump'], 1_000)
  told.kill(timeout, victim, 15)
  expect(await told.behalf()).toMatchObject({ rule: 'tool', name: 'sh ./backup.sh' })
})

it('is not why, where timeout passes a signal on', async () => {
  const { told, script, timeout, victim } = host(['timeout', '5', 'dump'], 6_000)
  told.signal(script, timeout, 15, { disp: 'handler' })
  told.kill(timeout, victim, 15)
  expect(await told.behalf()).toMatchObject({ rule: 'passed-on', name: 'sh ./backup.sh' })
})

it.each([
  ['the outer limit', ['timeout', '1', 'timeout', '5', 'dump'], ['timeout', '5', 'dump']],
  ['the inner limit', ['timeout', '5', 'timeout', '1', 'dump'], ['timeout', '1', 'dump']],
])('of two is told as that of who set it: %s', async (_which, outerArgs, innerArgs) => {
  const told = new ToldHost()
  const script = told.run(told.systemd, ['/bin/sh', './backup.sh'], { cgroup: '/' })
  const outer = told.run(script, outerArgs)
  const inner = told.run(outer, innerArgs)
  const victim = told.run(inner, ['/usr/bin/dump'])
  told.wait(1_000)
  if (outerArgs[1] === '1') told.signal(outer, inner, 15, { disp: 'handler' })
  told.kill(inner, victim, 15)
  expect(await told.behalf()).toMatchObject({
    kind: 'policy',
    name: 'a time limit of 1 s of sh ./backup.sh',
    process: { pid: script.pid },
  })
})
