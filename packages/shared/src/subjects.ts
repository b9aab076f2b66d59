import type { EventType } from './event.ts'

/** The JetStream stream all events go to. */
export const streamName = 'WHOKILLED'

/** What the stream listens to. */
export const allSubjects = 'whokilled.v1.>'

/** The subject of one host's events of one type: `whokilled.v1.web-3.death`. */
export function eventSubject(hostName: string, type: EventType): string {
  return `whokilled.v1.${hostToken(hostName)}.${type}`
}

/** All events of one host: `whokilled.v1.web-3.>`. */
export function hostSubjects(hostName: string): string {
  return `whokilled.v1.${hostToken(hostName)}.>`
}

/** Where a host asks a collector for the time, by request and reply: `whokilled.clock.web-3`. */
export function clockSubject(hostName: string): string {
  return `${clockPrefix}${hostToken(hostName)}`
}

const clockPrefix = 'whokilled.clock.'

/** The clock requests of all hosts. */
export const allClockSubjects = `${clockPrefix}*`

const hostInboxPrefix = 'whokilled.inbox.host.'

/** Where answers to one host's agent come: what it alone may subscribe to. The names of hosts cannot run into each other. */
export function hostInbox(hostName: string): string {
  return `${hostInboxPrefix}${hostToken(hostName)}`
}

/** Where the answer to one of a host's clock requests goes: apart from NATS' own answers, which no collector may send. */
export function clockReply(hostName: string, requestId: string): string {
  return `${hostInbox(hostName)}.clock.${requestId}`
}

/** Where collectors may publish: the answers to all hosts' clock requests. */
export const allClockReplies = `${hostInboxPrefix}*.clock.*`

/**
 * True if the answer to a clock request goes to the host that the request's subject names. Whoever asks chooses where
 * the answer goes: a host could otherwise have a collector publish where it may not publish itself.
 */
export function asksForItself(requestSubject: string, reply: string | undefined): boolean {
  const token = requestSubject.slice(clockPrefix.length)
  return reply?.startsWith(`${hostInboxPrefix}${token}.clock.`) === true
}

/** The host whose inbox, with all below it, a subscription takes; undefined if it is none. */
export function parseHostInbox(subscription: string): string | undefined {
  const token = subscription.startsWith(hostInboxPrefix)
    ? /^([^.]+)\.>$/.exec(subscription.slice(hostInboxPrefix.length))?.[1]
    : undefined
  const hostName = token === undefined ? undefined : decodeToken(token)
  return hostName === undefined || hostToken(hostName) !== token ? undefined : hostName
}

/** Where answers to collectors come, the stream's messages among them. */
export const collectorInbox = 'whokilled.inbox.collector'

/** Where answers to whoever makes the stream come. */
export const adminInbox = 'whokilled.inbox.admin'

/**
 * A host's name as one subject token: every byte outside A–Z a–z 0–9 _ - is percent-encoded,
 * so that a dotted name stays one token.
 */
export function hostToken(hostName: string): string {
  return Array.from(new TextEncoder().encode(hostName), (byte) => {
    const character = String.fromCharCode(byte)
    return /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** The host's name and the event type that a subject names, or undefined if it is none of ours. */
export function parseSubject(subject: string): { hostName: string; type: string } | undefined {
  const [, token, type] = /^whokilled\.v1\.([^.]+)\.([a-z-]+)$/.exec(subject) ?? []
  if (token === undefined || type === undefined) return undefined
  const hostName = decodeToken(token)
  return hostName === undefined || hostToken(hostName) !== token ? undefined : { hostName, type }
}

function decodeToken(token: string): string | undefined {
  try {
    return decodeURIComponent(token)
  } catch {
    return undefined
  }
}

/** The NATS message id: the id of its first event, a colon and how many there are. */
export function messageId(firstEventId: string, eventCount: number): string {
  return `${firstEventId}:${eventCount}`
}
