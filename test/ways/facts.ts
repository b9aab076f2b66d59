/** Who was who in one way, and when it ran, in seconds since boot. */
export interface WayFacts {
  readonly begin: number
  readonly end: number
  readonly roles: ReadonlyMap<string, number>
}

/** Reads what prelude.sh wrote: way → facts. A way that did not come to its end is left out. */
export function readWayFacts(text: string): ReadonlyMap<string, WayFacts> {
  const found = new Map<string, FoundFacts>()
  for (const line of text.split('\n')) {
    const [way = '', what = '', name = '', pid = ''] = line.split(' ')
    if (way === '') continue
    const facts: FoundFacts = found.get(way) ?? { roles: new Map() }
    found.set(way, facts)
    if (what === 'role') facts.roles.set(name, Number(pid))
    else if (what === 'begin' || what === 'end') facts[what] = Number(name)
  }
  return new Map(
    [...found].flatMap(([way, { begin, end, roles }]) =>
      begin === undefined || end === undefined ? [] : [[way, { begin, end, roles }] as const],
    ),
  )
}

interface FoundFacts {
  begin?: number
  end?: number
  readonly roles: Map<string, number>
}
