import { readPathInfo } from './life-lines.ts'
import { partBytes, partsOnLine } from './path-lines.ts'
import type { PrintedLine } from './printed-line.ts'
import { readProcess } from './process-words.ts'
import type { Words } from './words.ts'

/** A file whose name ends with .pid was opened; its path came before. */
export function readOpen(words: Words): PrintedLine {
  const { cpu, n, draft } = readProcess('open', words)
  const flags = words.int()
  draft.fields.write = words.int()
  const opened = { inode: words.big(), size: words.big(), fileSystem: words.hex(), hasOwnRoot: (flags & 4) !== 0 }
  return { kind: 'fact', cpu, n, lines: 0, draft: { ...draft, path: readPathInfo(flags), opened } }
}

/** A part of the path of the fact that follows. */
export function readPath(words: Words): PrintedLine {
  const [cpu, n] = [words.int(), words.int()]
  const parts = Array.from({ length: partsOnLine }, () => {
    const word = words.hex()
    return { length: word >> 8, at: word & 0xff, bytes: words.bytes(partBytes / 8) }
  })
  return { kind: 'path', cpu, n, parts }
}
