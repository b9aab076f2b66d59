/** Writes docs/causes.md from the list of ways and their recordings. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { causesDoc } from './causes-doc.ts'

await writeFile(join(import.meta.dirname, '../../docs/causes.md'), await causesDoc())
