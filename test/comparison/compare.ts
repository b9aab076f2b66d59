/**
 * Makes every way to die happen in the Debian guest while whokilled and other tools watch, and writes what each told to
 * docs/comparison.md:
 *   node --conditions=source --import tsx test/comparison/compare.ts [WAY…]
 * With names it only prints the rows of these ways.
 */
import { writeFile } from 'node:fs/promises'
import { ways } from '../ways/ways.ts'
import { comparisonDoc, comparisonPath } from './comparison-doc.ts'
import { rowOf } from './rows.ts'
import { runCompared } from './run.ts'

const names = process.argv.slice(2)
const all = [...ways.values()].flat()
const wanted = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
const run = await runCompared(wanted)
if (run.log !== '') console.log(`The scripts printed:\n${run.log}`)
const rows = new Map(wanted.map((way) => [way.name, rowOf(way, run)]))
for (const row of rows.values()) {
  const cells = 'leftOut' in row ? row.leftOut : Object.entries(row.cells).map(([tool, { mark }]) => `${tool} ${mark}`)
  console.log(`${row.way.name}: ${String(cells).replaceAll(',', ', ')}`)
}
console.log(run.versions, run.auditStatus)
if (names.length === 0) await writeFile(comparisonPath, comparisonDoc(ways, rows, run))
