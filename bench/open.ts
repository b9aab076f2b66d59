/**
 * What watching pidfiles costs whoever opens a file: nanoseconds for open(2) and close(2), without a probe and under each,
 * in one guest. It is emulated: the ratios count, not the times.
 *
 *     npm run bench -- open
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInGuest } from '../test/kernel/lab/guest.ts'
import { bundledRecorder } from '../test/kernel/lab/recorder.ts'
import { figures } from './figures.ts'

await using recorder = await bundledRecorder()
await using run = await runInGuest({
  script: await readFile(join(import.meta.dirname, 'open.sh'), 'utf8'),
  node: true,
  bpftrace: true,
  timeoutMs: 600_000,
  files: {
    '/lab/recorder': recorder.folder,
    // Where a program in /lab/recorder looks for it, as the installed agent does.
    '/probes/whokilled.bt': join(import.meta.dirname, '../packages/agent/probes/whokilled.bt'),
  },
})
const times = new Map<string, number[]>()
for (const line of String(await run.read('times'))
  .trim()
  .split('\n')) {
  const [probe, file, nanoseconds] = line.split(' ')
  const key = `${probe} ${file}`
  times.set(key, [...(times.get(key) ?? []), Number(nanoseconds)])
}
const medianOf = (key: string) => figures(times.get(key) ?? []).p50
const ratios = Object.fromEntries(
  ['systemtap', 'bpftrace'].flatMap((probe) =>
    ['file', 'pidfile'].map((file) => {
      const [traced, bare] = [medianOf(`${probe} ${file}`), medianOf(`none ${file}`)]
      const ratio = Math.round((traced / bare) * 100) / 100
      console.log(`${file} under ${probe}: ${traced} ns, without a probe ${bare} ns: ${ratio}`)
      return [`${probe} ${file}`, ratio]
    }),
  ),
)
console.log(JSON.stringify({ benchmark: 'open', nanoseconds: Object.fromEntries(times), ratios }))
