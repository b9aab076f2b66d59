/**
 * Runs a benchmark by its name.
 *
 *     npm run bench -- latency | agent-load | ingest [arguments of its own]
 */
const benchmarks: Record<string, () => Promise<unknown>> = {
  latency: () => import('./latency.ts'),
  'agent-load': () => import('./agent-load.ts'),
  ingest: () => import('./ingest.ts'),
}

const [node = '', script = '', name = '', ...rest] = process.argv
const benchmark = benchmarks[name]
if (benchmark === undefined) {
  process.stderr.write(`expected one of ${Object.keys(benchmarks).join(', ')}, got ${JSON.stringify(name)}\n`)
  process.exit(2)
}
process.argv = [node, script, ...rest]
await benchmark()
