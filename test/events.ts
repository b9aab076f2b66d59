import { createHash } from 'node:crypto'
import type { CoverageEvent, DeathEvent, SentSignal, SignalEvent } from '@whokilled/shared/event'
import type { Ancestor, Process } from '@whokilled/shared/process'
import { eventSubject, messageId } from '@whokilled/shared/subjects'

/** The time at which the events below happen unless told otherwise. */
export const happenedAt = '2026-11-22T19:40:42.123456Z'

const bootId = '0c3a9f0e-5f5b-4b3c-9a55-3f4f8f5d2c11'

/** nginx on web-3, killed by the script xdkill.sh of user deploy. Same overrides, same event. */
export function deathEvent(overrides: Partial<DeathEvent> = {}): DeathEvent {
  const at = overrides.at ?? happenedAt
  const signal = sentSignal({ at })
  return withId({
    ...everyEvent(at),
    type: 'death',
    victim: aProcess({
      pid: 4242,
      comm: 'nginx',
      exe: '/usr/sbin/nginx',
      args: ['nginx', '-g', 'daemon off;'],
      uid: 33,
    }),
    service: { name: 'nginx.service', kind: 'systemd' },
    exit: { code: null, signal: { number: 9, name: 'SIGKILL' }, coreDumped: false },
    cause: 'signal',
    signal,
    signals: [],
    killer: signal.sender,
    behalf: null,
    oom: null,
    wrongPid: null,
    verdict: {
      confidence: 'certain',
      reasons: ['the signal and the death were both seen, no records were lost'],
      alternatives: [],
      summary: 'nginx.service on web-3 was killed with SIGKILL by sh xdkill.sh of user deploy.',
    },
    incidentId: null,
    evidence: [{ at, kind: 'signal' }],
    coverage: { watchedSince: '2026-11-22T19:00:00.000000Z', lostRecords: 0 },
    clock: { offsetMs: 0, uncertaintyMs: 1 },
    ...overrides,
  })
}

/** A SIGHUP to nginx on web-3 that it survived. */
export function signalEvent(overrides: Partial<SignalEvent> = {}): SignalEvent {
  const at = overrides.at ?? happenedAt
  return withId({
    ...everyEvent(at),
    type: 'signal',
    target: aProcess({ pid: 4242, comm: 'nginx', exe: '/usr/sbin/nginx' }),
    service: { name: 'nginx.service', kind: 'systemd' },
    ...sentSignal({ at, number: 1, name: 'SIGHUP' }),
    ...overrides,
  })
}

/** web-3 is being watched, and has been since 19:00. */
export function coverageEvent(overrides: Partial<CoverageEvent> = {}): CoverageEvent {
  const at = overrides.at ?? happenedAt
  return withId({
    ...everyEvent(at),
    type: 'coverage',
    state: 'watching',
    from: '2026-11-22T19:00:00.000000Z',
    to: at,
    reason: null,
    lostRecords: 0,
    ...overrides,
  })
}

/** SIGKILL, sent with kill(2) by a shell's built-in. */
export function sentSignal(overrides: Partial<SentSignal> = {}): SentSignal {
  return {
    at: happenedAt,
    number: 9,
    name: 'SIGKILL',
    sender: aProcess({
      pid: 5120,
      comm: 'sh',
      exe: '/usr/bin/dash',
      args: ['sh', 'xdkill.sh'],
      ancestors: killerAncestry(),
    }),
    senderStatus: 'seen',
    via: 'kill',
    code: 0,
    result: 'delivered',
    ...overrides,
  }
}

/** A process of user deploy, without ancestors. */
export function aProcess(overrides: Partial<Process> = {}): Process {
  return { ...anAncestor(overrides), ancestors: [], ...overrides }
}

function anAncestor(overrides: Partial<Ancestor> = {}): Ancestor {
  const pid = overrides.pid ?? 5120
  return {
    id: `${bootId}:${100_000 + pid}:${pid}`,
    pid,
    nsPid: pid,
    ppid: 1,
    startedAt: '2026-11-22T19:40:41.000000Z',
    comm: 'sh',
    exe: '/usr/bin/dash',
    args: ['sh'],
    argsTruncated: false,
    redacted: false,
    uid: 1001,
    euid: 1001,
    user: 'deploy',
    loginUid: 1001,
    sessionId: 7,
    tty: 'pts/0',
    cgroup: '/user.slice/user-1001.slice/session-7.scope',
    container: null,
    ...overrides,
  }
}

function killerAncestry(): Ancestor[] {
  return [
    anAncestor({ pid: 5001, comm: 'bash', exe: '/usr/bin/bash', args: ['-bash'] }),
    anAncestor({ pid: 5000, comm: 'sshd', exe: '/usr/sbin/sshd', args: ['sshd: deploy@pts/0'], tty: null }),
    anAncestor({
      pid: 1,
      comm: 'systemd',
      exe: '/usr/lib/systemd/systemd',
      args: ['/sbin/init'],
      uid: 0,
      euid: 0,
      user: 'root',
    }),
  ]
}

function everyEvent(at: string) {
  return {
    v: 1 as const,
    id: '',
    at,
    host: { id: 'host-web-3', name: 'web-3', bootId },
    agent: { version: '0.1.0', probe: 'systemtap', runId: 'run-1', seq: 1 },
  }
}

/** A UUIDv7 of `at` and the event's content, unless one was given. */
function withId<E extends { id: string; at: string }>(event: E): E {
  if (event.id !== '') return event
  const time = Date.parse(event.at).toString(16).padStart(12, '0')
  const hash = createHash('sha256').update(JSON.stringify(event)).digest('hex')
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`
  return { ...event, id }
}

/** A message as an agent publishes it: events of one host and type, one a line. */
export function messageOf(events: readonly [Sendable, ...Sendable[]]) {
  const [first] = events
  return {
    subject: eventSubject(first.host.name, first.type),
    id: messageId(first.id, events.length),
    body: events.map((event) => JSON.stringify(event)).join('\n'),
  }
}

type Sendable = DeathEvent | SignalEvent | CoverageEvent
