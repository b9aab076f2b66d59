/**
 * Makes every way to die happen in the Debian guest while whokilled and other tools watch, and writes what each told to
 * docs/comparison.md:
 *   node --conditions=source --import tsx test/comparison/compare.ts [--kept] [WAY…]
 * With names it only prints the rows of these ways. With --kept it judges what the last run has kept.
 */
import { writeFile } from 'node:fs/promises'
import { ways } from '../ways/ways.ts'
import { readCompared } from './answers.ts'
import { comparisonDoc, comparisonPath } from './comparison-doc.ts'
import { canBeCompared, rowOf } from './rows.ts'
import { runCompared } from './run.ts'

const names = process.argv.slice(2).filter((word) => word !== '--kept')
const all = [...ways.values()].flat()
const unknown = names.filter((name) => !all.some((way) => way.name === name))
if (unknown.length > 0) throw new Error(`Expected names of ways, ${unknown.join(', ')} is none.`)
const wanted = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
if (!process.argv.includes('--kept')) await runCompared(wanted.filter(canBeCompared))
const run = await readCompared()
if (run.log !== '') console.log(`The scripts printed:\n${run.log}`)
const rows = new Map(wanted.map((way) => [way.name, rowOf(way, run)]))
for (const row of rows.values()) {
  const cells =
    'leftOut' in row ? [row.leftOut] : Object.entries(row.cells).map(([tool, { mark }]) => `${tool} ${mark}`)
  console.log(`${row.way.name}: ${cells.join(', ')}`)
}
console.log(`${run.versions}${run.auditStatus}`)
if (names.length === 0) await writeFile(comparisonPath, comparisonDoc(ways, rows, run))
