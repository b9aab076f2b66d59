/**
 * Runs a benchmark by its name.
 *
 *     npm run bench -- attribution | memory | verdict | latency | open | agent-load | ingest | backlog [arguments of its own]
 */
const benchmarks: Record<string, () => Promise<unknown>> = {
  attribution: () => import('./attribution.ts'),
  memory: () => import('./memory.ts'),
  verdict: () => import('./verdict.ts'),
  latency: () => import('./latency.ts'),
  open: () => import('./open.ts'),
  'agent-load': () => import('./agent-load.ts'),
  ingest: () => import('./ingest.ts'),
  'end-to-end': () => import('./end-to-end/end-to-end.ts'),
  fleet: () => import('./fleet/fleet.ts'),
  backlog: () => import('./backlog.ts'),
}

const [node = '', script = '', name = '', ...rest] = process.argv
const benchmark = benchmarks[name]
if (benchmark === undefined) {
  process.stderr.write(`expected one of ${Object.keys(benchmarks).join(', ')}, got ${JSON.stringify(name)}\n`)
  process.exit(2)
}
process.argv = [node, script, ...rest]
await benchmark()
