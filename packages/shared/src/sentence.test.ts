import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes, DeathEvent, type SentSignal } from './event.ts'
import type { Ancestor, Process } from './process.ts'
import { type Story, storyText, summarySentence, tellDeath } from './sentence.ts'

const bootId = '0b9f3a52-7c1e-4d0a-9a53-3d1f0c7a2e11'

function someone(pid: number, args: string[] | null, changes: Partial<Process> = {}): Process {
  return {
    id: `${bootId}:8811:${pid}`,
    pid,
    nsPid: pid,
    ppid: 1,
    startedAt: '2026-11-22T19:00:00.000000Z',
    comm: args?.[0] ?? 'unknown',
    exe: null,
    args,
    argsTruncated: false,
    redacted: false,
    uid: 1001,
    euid: 1001,
    user: 'deploy',
    loginUid: 1001,
    sessionId: 7,
    tty: 'pts0',
    cgroup: '/user.slice/user-1001.slice/session-7.scope',
    container: null,
    ancestors: [],
    ...changes,
  }
}

const systemd = someone(1, ['/sbin/init'], { comm: 'systemd', exe: '/usr/lib/systemd/systemd', uid: 0, user: 'root' })
const login: Ancestor[] = [
  someone(5100, ['-bash'], { comm: 'bash', exe: '/usr/bin/bash' }),
  someone(5099, ['sshd: deploy@pts/0', '', ''], { comm: 'sshd', exe: '/usr/sbin/sshd' }),
  someone(5090, ['sshd: deploy [priv]'], { comm: 'sshd', exe: '/usr/sbin/sshd', uid: 0, user: 'root' }),
  systemd,
]
const killer = someone(5120, ['sh', 'xdkill.sh'], { exe: '/usr/bin/dash', ancestors: login })
const nginx = someone(4242, ['nginx: master process'], {
  comm: 'nginx',
  exe: '/usr/sbin/nginx',
  cgroup: '/system.slice/nginx.service',
  ancestors: [systemd],
})

function sent(changes: Partial<SentSignal> = {}): SentSignal {
  return {
    at: '2026-11-22T19:40:42.123056Z',
    number: 9,
    name: 'SIGKILL',
    sender: killer,
    senderStatus: 'seen',
    via: 'kill',
    code: 0,
    result: 'delivered',
    ...changes,
  }
}

function aDeath(changes: Partial<DeathEvent> = {}): DeathEvent {
  return DeathEvent.parse({
    v: 1,
    id: '019ab3c2-7f00-7abc-8def-0123456789ab',
    at: '2026-11-22T19:40:42.123456Z',
    host: { id: 'h-1', name: 'web-3', bootId },
    agent: { version: '0.1.0', probe: 'systemtap', runId: 'r1', seq: 1 },
    type: 'death',
    victim: nginx,
    service: { name: 'nginx.service', kind: 'systemd' },
    exit: { code: null, signal: { number: 9, name: 'SIGKILL' }, coreDumped: false },
    cause: 'signal',
    signal: sent(),
    signals: [],
    killer,
    behalf: null,
    oom: null,
    wrongPid: null,
    verdict: {
      confidence: 'certain',
      reasons: ['the signal and the death were both seen', 'no records were lost'],
      alternatives: [],
      summary: '',
    },
    incidentId: null,
    evidence: [],
    coverage: { watchedSince: '2026-11-22T00:00:00.000000Z', lostRecords: 0 },
    clock: null,
    ...changes,
  })
}

const term = { number: 15, name: 'SIGTERM' }
const nobodySent = (number: number, name: string, via: SentSignal['via'] = 'kernel') =>
  sent({ number, name, sender: null, senderStatus: 'none', via })
const exited = (code: number) => ({ code, signal: null, coreDumped: false })
const killedBy = (number: number, name: string, coreDumped = false) => ({
  code: null,
  signal: { number, name },
  coreDumped,
})

const afterThreeMinutes = { nowMs: Date.parse('2026-11-22T19:43:50Z'), timeZone: 'UTC' }
const tell = (changes: Partial<DeathEvent>, options = afterThreeMinutes) => tellDeath(aDeath(changes), options)
const line = (story: Story, label: string) => story.lines.find((each) => each.label === label)?.text

test('a kill from a login is told in five lines', () => {
  expect(storyText(tell({}))).toBe(`nginx.service on web-3 was killed at 19:40:42 (3 minutes ago).
  by    sh xdkill.sh (built-in kill)   pid 5120, user deploy (uid 1001)
  from  bash ← sshd: deploy@pts/0
  with  SIGKILL, sent by kill(2), delivered; nginx was dead 0.4 ms later
  sure  certain: the signal and the death were both seen, no records were lost`)
})

describe('the summary', () => {
  test.each<[string, Partial<DeathEvent>]>([
    ['was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy).', {}],
    [
      'was ended by SIGTERM from sh xdkill.sh (pid 5120, user deploy): it caught the signal and exited with code 0 12 ms later.',
      { signal: sent({ ...term, at: '2026-11-22T19:40:42.111456Z' }), exit: exited(0) },
    ],
    [
      'was ended by SIGTERM from sh xdkill.sh (pid 5120, user deploy): it caught the signal and died of SIGABRT 0.4 ms later.',
      { signal: sent(term), exit: killedBy(6, 'SIGABRT') },
    ],
    [
      'was killed with SIGKILL by a process that was not seen.',
      { killer: null, signal: sent({ sender: null, senderStatus: 'unseen' }) },
    ],
    ['was killed with SIGKILL by the kernel.', { killer: null, signal: nobodySent(9, 'SIGKILL') }],
    [
      'ended itself with SIGABRT (it called abort or raise), and a core was dumped.',
      {
        cause: 'self',
        killer: nginx,
        signal: sent({ number: 6, name: 'SIGABRT', sender: nginx, via: 'tgkill' }),
        exit: killedBy(6, 'SIGABRT', true),
      },
    ],
    [
      'crashed with SIGSEGV (a memory fault of its own).',
      { cause: 'fault', killer: null, signal: nobodySent(11, 'SIGSEGV'), exit: killedBy(11, 'SIGSEGV') },
    ],
    [
      "was killed by the kernel's OOM killer, because cgroup /system.slice/nginx.service reached its limit of 64 MiB.",
      {
        cause: 'oom',
        killer: null,
        signal: nobodySent(9, 'SIGKILL'),
        oom: { scope: 'cgroup', cgroup: '/system.slice/nginx.service', limitBytes: 67_108_864 },
      },
    ],
    [
      "was killed by the kernel's OOM killer, because the host was out of memory.",
      { cause: 'oom', killer: null, signal: null, oom: { scope: 'host', cgroup: null, limitBytes: null } },
    ],
    ['ended by itself with exit code 3.', { cause: 'exit', killer: null, signal: null, exit: exited(3) }],
    [
      'was killed with SIGKILL together with its whole cgroup, through cgroup.kill by sh xdkill.sh (pid 5120, user deploy).',
      { cause: 'cgroup-kill', signal: sent({ via: 'cgroup.kill' }) },
    ],
    [
      'was killed with SIGTERM because its parent sh xdkill.sh (pid 5120, user deploy) ended, or only the thread of it that had made this process (it had asked for that with PR_SET_PDEATHSIG).',
      { cause: 'parent-death', signal: sent({ ...term, via: 'kernel' }), exit: killedBy(15, 'SIGTERM') },
    ],
    [
      'was killed with SIGKILL by the kernel, because the first process of its pid namespace (its container) ended.',
      { cause: 'pid-namespace-exit', killer: null, signal: nobodySent(9, 'SIGKILL') },
    ],
    [
      'was killed with SIGXCPU because it used up its limit of processor time (RLIMIT_CPU).',
      { cause: 'resource-limit', killer: null, signal: nobodySent(24, 'SIGXCPU'), exit: killedBy(24, 'SIGXCPU') },
    ],
    [
      'was killed with SIGXFSZ because a file it wrote reached its size limit (RLIMIT_FSIZE).',
      { cause: 'resource-limit', killer: null, signal: nobodySent(25, 'SIGXFSZ'), exit: killedBy(25, 'SIGXFSZ') },
    ],
    [
      'was killed with SIGSYS by its seccomp filter, for a system call that is forbidden to it.',
      { cause: 'seccomp', killer: null, signal: nobodySent(31, 'SIGSYS'), exit: killedBy(31, 'SIGSYS') },
    ],
    [
      'was ended by SIGPIPE: it wrote to a pipe or socket that nobody reads any more.',
      { cause: 'broken-pipe', killer: null, signal: nobodySent(13, 'SIGPIPE'), exit: killedBy(13, 'SIGPIPE') },
    ],
    [
      'was ended by SIGHUP: its terminal pts0 was closed.',
      { cause: 'terminal', killer: null, signal: nobodySent(1, 'SIGHUP', 'tty'), exit: killedBy(1, 'SIGHUP') },
    ],
    [
      'was ended by SIGINT: Ctrl-C was pressed at its terminal pts0; it caught the signal and exited with code 130 0.4 ms later.',
      { cause: 'terminal', killer: null, signal: nobodySent(2, 'SIGINT', 'tty'), exit: exited(130) },
    ],
    [
      'was ended by SIGALRM: a timer that it had set itself ran out.',
      { cause: 'timer', killer: null, signal: nobodySent(14, 'SIGALRM', 'timer'), exit: killedBy(14, 'SIGALRM') },
    ],
    [
      'ended while nobody was watching.',
      { cause: 'unknown', killer: null, signal: null, exit: { code: null, signal: null, coreDumped: false } },
    ],
    [
      'was killed with SIGKILL by the kernel; why was not seen.',
      { cause: 'unknown', killer: null, signal: nobodySent(9, 'SIGKILL') },
    ],
    [
      'was killed with SIGKILL; its sender was not seen.',
      { cause: 'unknown', killer: null, signal: sent({ sender: null, senderStatus: 'unseen', via: 'unknown' }) },
    ],
    [
      "was killed by the kernel's OOM killer, because memory ran out.",
      { cause: 'oom', killer: null, signal: null, oom: { scope: 'unknown', cgroup: '/a', limitBytes: null } },
    ],
    ['was killed with SIGKILL; its sender was not seen.', { cause: 'unknown', killer: null, signal: null }],
    [
      'ended with exit code 137; why was not seen.',
      { cause: 'unknown', killer: null, signal: null, exit: exited(137) },
    ],
    ['ended with SIGKILL (cause: meteor).', { cause: 'meteor' }],
  ])('nginx.service %s', (expected, changes) => {
    expect(summarySentence(aDeath(changes))).toBe(`nginx.service ${expected}`)
  })

  test('names the container of a killer that reached out of it, and as whom it acted', () => {
    const container = { id: 'c0ffee', name: 'web', runtime: 'docker', pod: null } as const
    const { killer, victim } = aDeath()
    const by = { ...killer, euid: 0, container } as Process
    expect(summarySentence(aDeath({ killer: by }))).toMatch(
      / \(pid 5120, user deploy, acting as uid 0, in container web\)\.$/,
    )
    expect(summarySentence(aDeath({ killer: by, victim: { ...victim, container } }))).not.toContain('container web')
  })

  test.each<[string, Partial<DeathEvent>]>([
    [
      'was ended by SIGTERM from sh xdkill.sh (pid 5120, user deploy): it caught the signal and then ended itself with it 0.4 ms later.',
      { signal: sent({ ...term, reception: 'caught' }), exit: killedBy(15, 'SIGTERM') },
    ],
    [
      'was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), sent to its whole process group.',
      { signal: sent({ via: 'kill-group' }) },
    ],
    [
      'was killed with SIGQUIT by sh xdkill.sh (pid 5120, user deploy), and a core was dumped.',
      { signal: sent({ number: 3, name: 'SIGQUIT' }), exit: killedBy(3, 'SIGQUIT', true) },
    ],
    [
      'was killed with SIGKILL because sh xdkill.sh (pid 5120, user deploy) called reboot(2) in its pid namespace (its container).',
      { signal: sent({ via: 'reboot' }) },
    ],
    [
      'was killed with SIGKILL by the kernel, because sh xdkill.sh (pid 5120, user deploy), which traced it, ended.',
      { signal: sent({ via: 'tracer-exit' }) },
    ],
    [
      'ended itself with SIGKILL (it sent the signal to its whole process group).',
      { cause: 'self', killer: nginx, signal: sent({ sender: nginx, via: 'kill-group' }) },
    ],
    [
      'ended itself with SIGKILL (it called reboot(2) in its pid namespace).',
      { cause: 'self', killer: nginx, signal: sent({ sender: nginx, via: 'reboot' }) },
    ],
    [
      'ended itself with SIGABRT (it called abort or raise), 0.4 ms after it had caught SIGSEGV (a memory fault of its own).',
      {
        ...{ cause: 'self', killer: nginx, exit: killedBy(6, 'SIGABRT') },
        signal: sent({ number: 6, name: 'SIGABRT', sender: nginx, via: 'tgkill' }),
        signals: [
          { ...nobodySent(11, 'SIGSEGV'), at: '2026-11-22T19:40:42.122656Z', reception: 'caught' },
          { ...nobodySent(7, 'SIGBUS'), at: '2026-11-22T19:40:22.122656Z', reception: 'caught' },
        ].reverse(),
      },
    ],
    [
      'was killed with SIGKILL by the strict mode of seccomp, for a system call that is forbidden to it.',
      { cause: 'seccomp', killer: null, signal: nobodySent(9, 'SIGKILL') },
    ],
    [
      'was killed with SIGIO by the kernel, possibly because a file was ready for which somebody had asked for that signal (F_SETOWN).',
      { cause: 'unknown', killer: null, signal: nobodySent(29, 'SIGIO'), exit: killedBy(29, 'SIGIO') },
    ],
    [
      'ended by itself with exit code 137 (as after SIGKILL, but none was seen).',
      { cause: 'exit', killer: null, signal: null, exit: exited(137) },
    ],
    ['ended by itself with exit code 127.', { cause: 'exit', killer: null, signal: null, exit: exited(127) }],
    [
      'ended by itself with exit code 127, as shells do when they do not find a program.',
      {
        ...{ cause: 'exit', killer: null, signal: null, exit: exited(127) },
        victim: { ...nginx, args: ['sh', 'start'], comm: 'sh', exe: '/usr/bin/dash' },
      },
    ],
  ])('nginx.service %s (more rarely)', (expected, changes) => {
    expect(summarySentence(aDeath(changes))).toBe(`nginx.service ${expected}`)
  })

  test.each<[string, string, Partial<DeathEvent>]>([
    [
      'child',
      'ended by itself with exit code 137, passing on the end of nginx: worker process (pid 4243), which was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'exit', killer: null, signal: null, exit: exited(137) },
    ],
    [
      'child',
      'ended itself with SIGKILL, passing on the end of nginx: worker process (pid 4243), which was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'self', killer: nginx, signal: sent({ sender: nginx }) },
    ],
    [
      'lost-child',
      'ended by itself with exit code 1, 0 µs after its child nginx: worker process (pid 4243, user deploy) was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'exit', killer: null, signal: null, exit: exited(1) },
    ],
    [
      'parent',
      'was killed with SIGTERM because its parent nginx: worker process (pid 4243, user deploy) was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible (it had asked for that with PR_SET_PDEATHSIG).',
      { cause: 'parent-death', signal: sent({ ...term, via: 'kernel' }), exit: killedBy(15, 'SIGTERM') },
    ],
    [
      'first-process',
      'was killed with SIGKILL by the kernel, because the first process of its pid namespace (its container), nginx: worker process (pid 4243, user deploy), was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'pid-namespace-exit', killer: null, signal: nobodySent(9, 'SIGKILL') },
    ],
    [
      'session-leader',
      'was ended by SIGHUP: the leader of its session at terminal pts0, nginx: worker process (pid 4243, user deploy), was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'terminal', killer: null, signal: nobodySent(1, 'SIGHUP', 'tty'), exit: killedBy(1, 'SIGHUP') },
    ],
    [
      'terminal-holder',
      'was ended by SIGHUP: its terminal pts0 was closed when nginx: worker process (pid 4243, user deploy), which had held it open, was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'terminal', killer: null, signal: nobodySent(1, 'SIGHUP', 'tty'), exit: killedBy(1, 'SIGHUP') },
    ],
    [
      'job-control',
      'was ended by SIGHUP: it was stopped, and nginx: worker process (pid 4243, user deploy), which alone could have continued it, was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), for ansible.',
      { cause: 'terminal', killer: null, signal: nobodySent(1, 'SIGHUP', 'tty'), exit: killedBy(1, 'SIGHUP') },
    ],
    [
      'cousin',
      'was ended by SIGHUP: its terminal pts0 was closed.',
      { cause: 'terminal', killer: null, signal: nobodySent(1, 'SIGHUP', 'tty'), exit: killedBy(1, 'SIGHUP') },
    ],
  ])('tells of the death of which this one is a consequence (%s): %s', (relation, expected, changes) => {
    const { at, service, exit, cause, signal, killer, oom } = aDeath()
    const victim = { ...nginx, pid: 4243, args: ['nginx: worker process'] }
    const behalf = { kind: 'process', name: 'ansible', process: null, rule: 'ancestor', confidence: 'certain' }
    const earlier = { kind: 'earlier-death', relation, at, victim, service, exit, cause, signal, killer, oom, behalf }
    expect(summarySentence(aDeath({ ...changes, evidence: [earlier] }))).toBe(`nginx.service ${expected}`)
  })

  test('names the process where another one than the main process of the unit died', () => {
    const worker = { ...nginx, pid: 4243, ancestors: [nginx, systemd] }
    expect(summarySentence(aDeath({ victim: { ...worker, args: ['nginx: worker process'] } }))).toBe(
      'nginx: worker process (pid 4243) of nginx.service was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy).',
    )
  })

  test('says for whom the killer acted, and whom it meant', () => {
    const behalf = { kind: 'process', name: 'ansible', process: null, rule: 'ancestor', confidence: 'likely' }
    const wrongPid = {
      previousOwner: someone(4242, ['old-worker']),
      endedAt: '2026-11-22T16:40:42.123456Z',
      reusedAfterMs: 9,
      pidfile: '/run/old.pid',
      confidence: 'likely',
    }
    expect(summarySentence(aDeath({ behalf, wrongPid }))).toBe(
      'nginx.service was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy), likely for ansible; it was most likely meant for old-worker, which had pid 4242 until 3 h before and was still named in /run/old.pid.',
    )
    const story = tell({ behalf, wrongPid })
    expect(line(story, 'for')).toBe('likely ansible   (rule: ancestor)')
    const limit = { ...behalf, kind: 'policy', name: 'a time limit of 5 s', reasons: ['it had run so long'] }
    const verdict = { ...aDeath().verdict, reasons: ['both were seen', 'it had run so long'] }
    const limited = tell({ behalf: limit, verdict })
    expect(line(limited, 'because')).toBe('likely a time limit of 5 s   (rule: ancestor): it had run so long')
    expect(line(limited, 'sure')).toBe('certain: both were seen')
    expect(line(story, 'meant')).toBe(
      'most likely old-worker (pid 4242, ended 3 h before, still named in /run/old.pid)',
    )
  })
})

describe('by', () => {
  const by = (changes: Partial<Process>) =>
    line(tell({ killer: { ...killer, exe: null, ...changes } }), 'by')?.replace(/ {3}pid.*/, '')

  test.each<[string, Partial<Process>]>([
    ['kill -9 4242', { args: ['/usr/bin/kill', '-9', '4242'], exe: '/usr/bin/kill' }],
    ['bash (built-in kill)', { args: ['-bash'], comm: 'bash', exe: '/usr/bin/bash' }],
    ["sh -c 'kill -9 4242' (built-in kill)", { args: ['sh', '-c', 'kill -9 4242'] }],
    ['sh ./xdkill.sh (built-in kill)', { args: ['/bin/sh', './xdkill.sh'], comm: 'xdkill.sh', exe: '/usr/bin/dash' }],
    ['ash stop.sh (built-in kill)', { args: ['ash', 'stop.sh'], comm: 'ash', exe: '/bin/busybox' }],
    [
      'busybox sh stop.sh (built-in kill)',
      { args: ['busybox', 'sh', 'stop.sh'], comm: 'busybox', exe: '/bin/busybox' },
    ],
    ['kill 4242', { args: ['kill', '4242'], comm: 'kill', exe: '/bin/busybox' }],
    [
      'python3 /opt/agent.py',
      { args: ['/usr/bin/python3', '/opt/agent.py'], comm: 'python3', exe: '/usr/bin/python3.11' },
    ],
    ['nginx (program /tmp/evil)', { args: ['nginx'], comm: 'evil', exe: '/tmp/evil' }],
    ['nginx (program ./evil)', { args: ['nginx'], comm: 'evil', exe: null, file: './evil' }],
    ['nginx (run from an open file)', { args: ['nginx'], comm: '3', exe: null, file: '/dev/fd/3' }],
    ['nginx (program memfd:evil)', { args: ['nginx'], comm: '3', exe: '/memfd:evil (deleted)' }],
    [
      'sh ./deploy.sh (built-in kill)',
      { args: ['/bin/sh', './deploy.sh'], comm: 'deploy.sh', exe: null, file: './deploy.sh' },
    ],
    ["'sshd: root@pts/0' (program /tmp/evil)", { args: ['sshd: root@pts/0'], comm: 'evil', exe: '/tmp/evil' }],
    ['pkill', { args: null, comm: 'pkill', exe: null }],
    ['a-tool', { args: null, comm: null, exe: '/opt/a-tool' }],
    ["'a process of unknown name'", { args: null, comm: null, exe: null }],
    ["pkill 'it'\\''s'", { args: ['pkill', "it's"], comm: 'pkill' }],
    ["pkill '' x", { args: ['pkill', '', 'x'], comm: 'pkill' }],
    ["pkill $'a\\x1b[2Jb\\u202e\\\\'", { args: ['pkill', 'a\x1b[2Jb\u202e\\'], comm: 'pkill' }],
    ['pkill x …', { args: ['pkill', 'x'], comm: 'pkill', argsTruncated: true }],
  ])('%s', (expected, changes) => {
    expect(by(changes)).toBe(expected)
  })

  test('a long command line is cut, and every quote that opens closes', () => {
    const text = by({ args: ['pkill', `a ${'b'.repeat(300)}`, 'c'.repeat(300), 'd'], comm: 'pkill' }) ?? ''
    expect(text).toBe(`pkill 'a ${'b'.repeat(45)}…' …`)
  })

  test('a long path keeps its end', () => {
    expect(by({ args: ['pkill', '-F', `/srv/${'x'.repeat(60)}/worker.pid`], comm: 'pkill' })).toMatch(
      /^pkill -F …x+\/worker\.pid$/,
    )
  })

  test('a shell that passes its own hangup on is not said to have run kill', () => {
    const bash = { ...killer, args: ['-bash'], comm: 'bash', exe: '/usr/bin/bash' }
    expect(line(tell({ killer: bash, signal: sent({ number: 1, name: 'SIGHUP', sender: bash }) }), 'by')).toMatch(
      /^bash {3}/,
    )
  })

  test('names a pod of podman by the beginning of its id', () => {
    const container = { id: 'c0ffee', name: 'web', runtime: 'podman', pod: 'ab'.repeat(32) } as const
    expect(line(tell({ killer: { ...killer, container } }), 'by')).toMatch(/in container web of pod abababababab$/)
  })

  test('names effective user and container', () => {
    const container = { id: 'c0ffee', name: 'web-1', runtime: 'docker', pod: 'shop/web' } as const
    expect(line(tell({ killer: { ...killer, euid: 0, container } }), 'by')).toMatch(
      / {3}pid 5120, user deploy \(uid 1001\), acting as uid 0, in container web-1 of pod shop\/web$/,
    )
  })

  test.each<[string, Partial<DeathEvent>]>([
    ['the kernel (OOM killer)', { cause: 'oom', killer: null, signal: nobodySent(9, 'SIGKILL') }],
    ['not known: the sender was not seen', { killer: null, signal: sent({ sender: null, senderStatus: 'unseen' }) }],
    ['itself', { cause: 'exit', killer: null, signal: null, exit: exited(1) }],
    [
      'not known: nobody was watching',
      { cause: 'unknown', killer: null, signal: null, exit: { code: null, signal: null, coreDumped: false } },
    ],
  ])('%s', (expected, changes) => {
    const story = tell(changes)
    expect(line(story, 'by')).toBe(expected)
    expect(line(story, 'from')).toBeUndefined()
  })
})

describe('from', () => {
  const from = (ancestors: Ancestor[], changes: Partial<Process> = {}) =>
    line(tell({ killer: { ...killer, ancestors, ...changes } }), 'from')

  test('names pid 1 only if there is nobody else', () => {
    expect(from([systemd])).toBe('systemd')
    expect(from([someone(600, ['/usr/sbin/cron', '-f'], { comm: 'cron' }), systemd])).toBe('cron -f')
  })

  test('says that it is not known', () => {
    expect(from([])).toBe('not known')
  })

  test('tells who logged in where another user killed', () => {
    const alice = login.map((each) => (each.uid === 0 ? each : { ...each, uid: 1000, user: 'alice' }))
    const sudo = someone(5119, ['sudo', 'sh', 'xdkill.sh'], { comm: 'sudo', uid: 0 })
    expect(from([sudo, ...alice], { uid: 0, user: 'root', loginUid: 1000 })).toBe(
      'sudo sh xdkill.sh ← bash ← sshd: deploy@pts/0 (login user alice (uid 1000))',
    )
    expect(from([sudo], { uid: 0, user: 'root', loginUid: 1000 })).toBe('sudo sh xdkill.sh (login uid 1000)')
  })

  test('leaves out the middle of a long ancestry', () => {
    const many = Array.from({ length: 40 }, (_, index) => someone(100 + index, [`p${index}`]))
    expect(from(many)).toBe('p0 ← p1 ← p2 ← p3 ← p4 ← p5 ← … 33 more … ← p39')
  })
})

describe('with', () => {
  test.each<[string, SentSignal['via']]>([
    ['sent by kill(2)', 'kill'],
    ['sent by kill(2) to its process group', 'kill-group'],
    ['sent by kill(2) to every process', 'kill-all'],
    ['sent by tkill(2)', 'tkill'],
    ['sent by tgkill(2)', 'tgkill'],
    ['sent by rt_sigqueueinfo(2)', 'sigqueue'],
    ['sent by pidfd_send_signal(2)', 'pidfd'],
    ['sent by a write to cgroup.kill', 'cgroup.kill'],
    ['sent in a way that was not seen', 'unknown'],
    ['sent by carrier-pigeon', 'carrier-pigeon'],
  ])('%s', (expected, via) => {
    expect(line(tell({ signal: sent({ via }) }), 'with')).toBe(
      `SIGKILL, ${expected}, delivered; nginx was dead 0.4 ms later`,
    )
  })

  test('a signal that was caught tells what the process made of it', () => {
    expect(line(tell({ signal: sent(term), exit: exited(0) }), 'with')).toBe(
      'SIGTERM, sent by kill(2), delivered; it caught the signal and exited with code 0 0.4 ms later',
    )
  })

  test('times that contradict each other are not told', () => {
    expect(line(tell({ signal: sent({ at: '2026-11-22T19:40:43.000000Z' }) }), 'with')).toBe(
      'SIGKILL, sent by kill(2), delivered',
    )
  })

  test('of a signal that only the wait status tells of, nothing more is said', () => {
    const unseen = sent({ sender: null, senderStatus: 'unseen', via: 'unknown', at: '2026-11-22T19:40:42.123456Z' })
    const story = tell({ cause: 'unknown', killer: null, signal: unseen })
    expect(line(story, 'with')).toBe('SIGKILL; how it was sent was not seen')
    expect(line(story, 'by')).toBe('not known: the sender was not seen')
  })

  test('a core and an exit code are told without a signal', () => {
    expect(line(tell({ signal: null, exit: killedBy(11, 'SIGSEGV', true) }), 'with')).toBe('SIGSEGV; a core was dumped')
    expect(line(tell({ signal: null, exit: exited(3) }), 'with')).toBe('exit code 3')
  })
})

describe('before', () => {
  test('is the ladder: ignored signals, rivals, and what came too late', () => {
    const signals = [
      sent({ ...term, at: '2026-11-22T19:39:12.123056Z', result: 'ignored' }),
      sent({ ...term, at: '2026-11-22T19:39:22.123056Z', result: 'ignored' }),
      sent({ at: '2026-11-22T19:40:42.123156Z', sender: null, senderStatus: 'unseen', result: 'pending' }),
    ]
    expect(line(tell({ signals }), 'also')).toBe(
      'SIGTERM from sh xdkill.sh (pid 5120) 1 min 30 s earlier, ignored (2 times); SIGKILL from a process that was not seen 0.1 ms later, already pending',
    )
  })

  test('tells what became of a signal that did not end it', () => {
    const signals = [
      sent({
        ...term,
        reception: 'caught',
        at: '2026-11-22T19:40:41.123056Z',
        sender: null,
        senderStatus: 'none',
        via: 'tty',
      }),
      sent({ ...term, reception: 'blocked', at: '2026-11-22T19:40:41.623056Z' }),
      sent({ result: 'ignored', reception: 'too-late', at: '2026-11-22T19:40:42.123156Z', sender: nginx }),
    ]
    expect(line(tell({ signals }), 'also')).toBe(
      'SIGTERM from its terminal 1.0 s earlier, caught; SIGTERM from sh xdkill.sh (pid 5120) 500 ms earlier, blocked; SIGKILL from itself 0.1 ms later, too late: it was already ending',
    )
  })

  test('is bounded', () => {
    const signals = Array.from({ length: 30 }, (_, index) => sent({ number: index + 1, name: `SIG${index + 1}` }))
    expect(line(tell({ signals }), 'before')).toMatch(/; SIG4 from .*; and 26 more$/)
  })
})

test('tried tells of attempts that were refused', () => {
  const refused = { at: '2026-11-22T19:40:37.123456Z', kind: 'refused-signal', call: 'kill', number: 9, error: 'EPERM' }
  const evidence = [
    { ...refused, sender: killer },
    { ...refused, number: null, error: 'ESRCH', sender: null },
  ]
  expect(line(tell({ evidence }), 'tried')).toBe(
    'SIGKILL by sh xdkill.sh (pid 5120, uid 1001) 5.0 s before, refused with EPERM; a signal by a process that was not seen 5.0 s before, refused with ESRCH',
  )
  const many = Array.from({ length: 7 }, () => ({ ...refused, sender: killer }))
  expect(line(tell({ evidence: many }), 'tried')).toMatch(/; and 3 more$/)
  expect(line(tell({ evidence: [{ ...refused, sender: 'nobody' }] }), 'tried')).toBeUndefined()
})

test('sure, or and limit', () => {
  const story = tell({
    oom: { scope: 'cgroup', cgroup: '/a', limitBytes: 1_500_000_000 },
    verdict: {
      confidence: 'likely',
      reasons: ['three records were lost'],
      alternatives: ['cron killed it'],
      summary: '',
    },
  })
  expect(line(story, 'limit')).toBe('cgroup /a reached its limit of 1.4 GiB')
  expect(line(tell({ oom: { scope: 'unknown', cgroup: '/a', limitBytes: null } }), 'limit')).toBeUndefined()
  expect(line(story, 'sure')).toBe('likely: three records were lost')
  expect(line(story, 'or')).toBe('cron killed it')
  expect(storyText(story)).toContain('\n  limit  cgroup /a')
})

describe('the headline', () => {
  const headline = (at: string, changes: Partial<DeathEvent> = {}, timeZone = 'UTC') =>
    tell({ at, ...changes }, { ...afterThreeMinutes, timeZone }).headline

  test.each([
    ['was killed at 19:43:45 (just now).', '2026-11-22T19:43:45.000000Z'],
    ['was killed at 19:43:08 (42 seconds ago).', '2026-11-22T19:43:08.000000Z'],
    ['was killed at 17:43:00 (2 hours ago).', '2026-11-22T17:43:00.000000Z'],
    ['was killed on 2026-11-21 at 19:40:42 (1 day ago).', '2026-11-21T19:40:42.000000Z'],
    ['was killed on 2026-11-17 at 19:40:42 (5 days ago).', '2026-11-17T19:40:42.000000Z'],
    ['was killed at 19:53:50 (10 min ahead of this clock).', '2026-11-22T19:53:50.000000Z'],
  ])('nginx.service on web-3 %s', (expected, at) => {
    expect(headline(at)).toBe(`nginx.service on web-3 ${expected}`)
  })

  test('shows the time, and whether it is today, where the reader is', () => {
    expect(headline('2026-11-22T15:59:59.000000Z', {}, 'Asia/Shanghai')).toContain('on 2026-11-22 at 23:59:59')
    expect(headline('2026-11-22T16:00:00.000000Z', {}, 'Asia/Shanghai')).toContain('killed at 00:00:00')
  })

  test.each<[string, Partial<DeathEvent>]>([
    ['was ended by SIGTERM', { signal: sent(term), exit: exited(0) }],
    ['crashed with SIGSEGV', { cause: 'fault', killer: null, signal: null, exit: killedBy(11, 'SIGSEGV') }],
    ['was killed by the OOM killer', { cause: 'oom' }],
    ['ended by itself with exit code 3', { cause: 'exit', signal: null, exit: exited(3) }],
    ['was killed', { cause: 'cgroup-kill' }],
    [
      'ended while nobody was watching; found gone',
      { cause: 'unknown', killer: null, signal: null, exit: { code: null, signal: null, coreDumped: false } },
    ],
  ])('%s', (expected, changes) => {
    expect(headline('2026-11-22T19:40:42.123456Z', changes)).toContain(`web-3 ${expected} at 19:40:42`)
  })
})

test('whatever a process calls itself, a story stays printable, of the same lines, and of bounded length', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4_000 }),
    fc.constantFrom('\x1b[2J', '\u202e', 'a\nsure  certain', '\u2028', '\ud800', '\r', '\x9b31m', '', ' '),
  )
  const text = fc.tuple(hostile, hostile).map(([first, second]) => `x${first}${second}`)
  const process = fc
    .tuple(fc.option(text), fc.option(fc.array(text, { maxLength: 20 })), fc.option(text), fc.option(text))
    .map(([comm, args, exe, user]) => someone(77, args, { comm, exe, user, cgroup: user, tty: user }))
  fc.assert(
    fc.property(process, process, text, fc.constantFrom(...causes), (first, second, name, cause) => {
      const killer = { ...first, ancestors: [second, { ...second, pid: 78 }] }
      const earlier = { kind: 'earlier-death', relation: 'child' }
      const changes: Partial<DeathEvent> = {
        cause,
        killer,
        victim: second,
        service: { name, kind: name },
        host: { id: 'h', name: name.slice(0, 200), bootId },
        signal: sent({ sender: killer, name, via: 'kill', result: name.slice(0, 60) }),
        signals: [sent({ sender: killer, name })],
        evidence: [{ ...aDeath({ victim: second, killer, service: { name, kind: name } }), ...earlier }],
        behalf: { kind: 'process', name, process: first, rule: name, confidence: 'likely' },
        oom: { scope: 'cgroup', cgroup: name, limitBytes: 1, consumers: [{ pid: 5, comm: name, bytes: 1 }] },
        wrongPid: { previousOwner: second, endedAt: null, reusedAfterMs: null, pidfile: name, confidence: 'likely' },
        verdict: { confidence: 'likely', reasons: [name], alternatives: [name], summary: '' },
      }
      const printed = storyText(tell(changes))
      expect(printed.split('\n')).toHaveLength(12)
      expect(`${printed.replaceAll('\n', '')}${summarySentence(aDeath(changes))}`).not.toMatch(
        /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u,
      )
      expect(printed.length).toBeLessThan(60_000)
    }),
    { numRuns: 100 },
  )
})
