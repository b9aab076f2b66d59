import type { SignalEvent } from '@whokilled/shared/event'
import { signalEvent } from '../../test/events.ts'

/** Host number `host`'s event number `index`: a signal to a service whose sender was not seen, about 750 bytes. */
export function eventOf(host: number, index: number, atMs: number): SignalEvent {
  const event = signalEvent({
    at: `${new Date(atMs).toISOString().slice(0, -1)}${String(index % 1_000).padStart(3, '0')}Z`,
    host: { id: `6f1c5b9e-0000-4000-8000-${String(host).padStart(12, '0')}`, name: hostNameOf(host), bootId: 'boot' },
    agent: { version: '0.1.0', probe: 'systemtap', runId: `run-${host}`, seq: index + 1 },
    service: { name: `service-${index % 50}.service`, kind: 'systemd' },
    sender: null,
    senderStatus: 'unseen',
  })
  const unknown = { startedAt: null, exe: null, args: null, cgroup: null, tty: null, user: null }
  return { ...event, target: { ...event.target, ...unknown } }
}

export function hostNameOf(host: number): string {
  return `web-${host}`
}
