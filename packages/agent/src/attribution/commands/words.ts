/** A command line as far as it matters here. */
export interface Words {
  /** Those that are neither options nor their values. */
  readonly plain: readonly string[]
  /** Values by option as it was written; an empty string where it has none. */
  readonly options: ReadonlyMap<string, string>
}

/** @param valued options that take the next word as their value, where it does not follow behind `=` */
export function wordsIn(args: readonly string[], valued: ReadonlySet<string>): Words {
  const plain: string[] = []
  const options = new Map<string, string>()
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? ''
    const equals = /^--[\w-]+=/.exec(word)?.[0].length ?? 0
    if (word === '--') return { plain: [...plain, ...args.slice(at + 1)], options }
    if (!/^-./.test(word)) plain.push(word)
    else if (equals > 0) options.set(word.slice(0, equals - 1), word.slice(equals))
    else if (valued.has(word)) options.set(word, args[++at] ?? '')
    else options.set(word, '')
  }
  return { plain, options }
}
