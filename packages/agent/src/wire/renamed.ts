import type { Event, Host } from '@whokilled/shared/event'
import type { SpooledEvent } from '../spool/spooled-value.ts'

/** The host's name when an event was made, of its JSON: it may be another since. Undefined if it cannot be told so. */
export function nameThen(json: string): string | undefined {
  const name = beginning.exec(json)?.[1]
  return name === undefined ? undefined : (JSON.parse(name) as string)
}

/** How every event begins that an agent makes. */
const beginning = /^\{"v":1,"id":"[\w-]{1,64}","host":\{"id":"[^"\\]*","name":("(?:[^"\\]|\\.)*")[,}]/

/** The event under the host's name of now. One of another host, whose disk this one was cloned from, stays as it is. */
export function renamed(spooled: SpooledEvent, { id, name }: Pick<Host, 'id' | 'name'>): SpooledEvent {
  const event = JSON.parse(spooled.json) as Event
  if (event.host.id !== id) return spooled
  const json = JSON.stringify({ ...event, host: { ...event.host, name } })
  return { ...spooled, json, bytes: Buffer.byteLength(json) }
}
