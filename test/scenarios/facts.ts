/** Who was who when ways.sh ran: scenario name → process ids and exit status. */
export type Facts = ReadonlyMap<string, { readonly victim: number; readonly sender: number; readonly status?: number }>

/** Reads lines such as `by-kill victim=120 sender=121 status=143`. */
export function readFacts(text: string): Facts {
  const facts = new Map<string, { victim: number; sender: number; status?: number }>()
  for (const line of text.trim().split('\n')) {
    const [name = '', ...pairs] = line.split(' ')
    const numbers = Object.fromEntries(pairs.map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]))
    facts.set(name, { victim: numbers.victim, sender: numbers.sender, ...numbers })
  }
  return facts
}
