import { ownCopy } from '../record/own-copy.ts'
import type { Program } from './entry.ts'

/** Splits NUL-terminated arguments. `expectedBytes` undefined: nothing is known of them. */
export function argumentsOf(argv: string, expectedBytes: number | undefined): Pick<Program, 'args' | 'argsTruncated'> {
  if (expectedBytes === undefined) return { args: undefined, argsTruncated: false }
  const args = argv.split('\0')
  if (argv.endsWith('\0') || argv === '') args.pop()
  return { args: args.map(ownCopy), argsTruncated: argv.length < expectedBytes }
}

export function isSameArgs(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((arg, at) => arg === b[at]))
}
