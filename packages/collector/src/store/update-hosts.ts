import type { CoverageEvent, Event } from '@whokilled/shared/event'
import type { ClientBase } from 'pg'
import { forgetHostIds } from './forget-host-ids.ts'

/**
 * Keeps of each host what its newest event and its newest coverage event say. `receivedAt` is when they came, if that
 * was not now: a host does not live because something old of it is stored. How many ids of hosts were forgotten, because
 * there were too many of their name.
 */
export async function updateHosts(
  client: ClientBase,
  events: readonly Event[],
  receivedAt: string | null = null,
): Promise<number> {
  const json = JSON.stringify(hostRows(events))
  const { rows } = await client.query<{ name: string; is_new: boolean }>(sql, [json, receivedAt])
  const names = new Set(rows.filter(({ is_new }) => is_new).map(({ name }) => name))
  return names.size === 0 ? 0 : await forgetHostIds(client, [...names])
}

/** One row a host, ordered by key so that two collectors lock the rows in the same order. */
export function hostRows(events: readonly Event[]) {
  const newest = newestByHost(events)
  const coverage = newestByHost(events.filter((event): event is CoverageEvent => event.type === 'coverage'))
  return [...newest.keys()].sort().flatMap((key) => {
    const event = newest.get(key)
    return event === undefined ? [] : [{ ...seen(event), ...state(coverage.get(key)) }]
  })
}

function newestByHost<E extends Event>(events: readonly E[]): Map<string, E> {
  const newest = new Map<string, E>()
  for (const event of events) {
    const key = JSON.stringify([event.host.name, event.host.id])
    const known = newest.get(key)
    if (known === undefined || Date.parse(event.at) >= Date.parse(known.at)) newest.set(key, event)
  }
  return newest
}

function seen({ at, host, agent }: Event) {
  const { id, name } = host
  return { id, name, boot_id: host.bootId, agent_version: agent.version, probe: agent.probe, last_seen_at: at }
}

function state(event: CoverageEvent | undefined) {
  if (event === undefined) return {}
  return {
    state: event.state,
    state_at: event.at,
    state_reason: event.reason,
    watched_since: event.state === 'watching' ? event.from : null,
    // What happened up to the event was published before it.
    complete_until: event.to ?? event.at,
  }
}

// A host whose clock is far ahead must not keep its row from ever changing again: its word counts least.
const soon = "(now() + interval '1 minute')"

const sql = `
  insert into hosts as h (
    id, name, boot_id, agent_version, probe, last_seen_at, last_received_at,
    state, state_at, state_reason, watched_since, complete_until
  )
  select
    id, name, boot_id, left(agent_version, 64), probe, last_seen_at, coalesce($2::timestamptz, now()),
    state, state_at, left(state_reason, 500), watched_since, case when complete_until > ${soon} then ${soon} else complete_until end
  from jsonb_to_recordset($1::jsonb) as seen (
    id text, name text, boot_id text, agent_version text, probe text, last_seen_at timestamptz,
    state text, state_at timestamptz, state_reason text, watched_since timestamptz, complete_until timestamptz
  )
  on conflict (name, id) do update set
    (boot_id, agent_version, probe, last_seen_at) = (
      select n.boot_id, n.agent_version, n.probe, n.last_seen_at
      from (values
        (excluded.boot_id, excluded.agent_version, excluded.probe, excluded.last_seen_at),
        (h.boot_id, h.agent_version, h.probe, h.last_seen_at)
      ) as n (boot_id, agent_version, probe, last_seen_at)
      order by n.last_seen_at > ${soon}, n.last_seen_at desc limit 1
    ),
    (state, state_at, state_reason, watched_since) = (
      select n.state, n.state_at, n.state_reason, coalesce(n.watched_since, h.watched_since)
      from (values
        (1, excluded.state, excluded.state_at, excluded.state_reason, excluded.watched_since),
        (2, h.state, h.state_at, h.state_reason, h.watched_since)
      ) as n (place, state, state_at, state_reason, watched_since)
      order by n.state_at > ${soon}, n.state_at desc nulls last, n.place limit 1
    ),
    last_received_at = greatest(h.last_received_at, excluded.last_received_at),
    complete_until = greatest(h.complete_until, excluded.complete_until)
  returning h.name, h.xmax = 0 as is_new`
