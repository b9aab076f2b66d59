/**
 * What SystemTap's probe costs whoever opens a file, and a pidfile: instructions for open(2) and close(2), without the
 * probe and under it, in one guest whose clock counts instructions.
 *
 *     npm run bench -- open
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInGuest } from '../test/kernel/lab/guest.ts'
import { figures } from './figures.ts'

await using run = await runInGuest({
  script: await readFile(join(import.meta.dirname, 'open.sh'), 'utf8'),
  countInstructions: true,
})
const times = new Map<string, number[]>()
for (const line of String(await run.read('times'))
  .trim()
  .split('\n')) {
  const [probe, file, instructions] = line.split(' ')
  const key = `${probe} ${file}`
  times.set(key, [...(times.get(key) ?? []), Number(instructions)])
}
const medianOf = (key: string) => figures(times.get(key) ?? []).p50
const ratios = Object.fromEntries(
  ['file', 'pidfile'].map((file) => {
    const [traced, bare] = [medianOf(`systemtap ${file}`), medianOf(`none ${file}`)]
    const ratio = Math.round((traced / bare) * 100) / 100
    console.log(`opening and closing a ${file}: ${bare} instructions, under SystemTap ${traced}: ${ratio}`)
    return [file, ratio]
  }),
)
console.log(JSON.stringify({ benchmark: 'open', instructions: Object.fromEntries(times), ratios }))
