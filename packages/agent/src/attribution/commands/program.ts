import { isSameArgs } from '../../process/arguments.ts'
import type { Program } from '../../process/entry.ts'
import { programName } from '../../process/service.ts'

/**
 * Whether a program goes by one of these names: as it was called (`pkill` is a link to pgrep, `reboot` one to
 * systemctl), as an applet of busybox, as the script that an interpreter runs, or by its executable.
 */
export function isCalled(program: Program, names: ReadonlySet<string>): boolean {
  const known = calledAs.get(program) ?? [wordsOf(program)[0] ?? '', programName(program)]
  calledAs.set(program, known)
  return known.some((name) => names.has(name))
}

/** Each rule asks it of the same programs; a program never changes. */
const calledAs = new WeakMap<Program, readonly string[]>()

/** The command line with the program's folder left out, without `busybox` before an applet. */
export function wordsOf({ args, exe, comm }: Program): readonly string[] {
  if (args === undefined || args.length === 0) return [baseName(exe ?? '') || (comm ?? '')]
  const [first = '', ...rest] = args
  const called = baseName(first).replace(/^-(?=.)/, '')
  const isMultiCall = called === 'busybox' || called === 'toybox'
  return isMultiCall && rest.length > 0 ? [baseName(rest[0] ?? ''), ...rest.slice(1)] : [called, ...rest]
}

/** The same, with the script's name first where an interpreter runs one. */
export function commandOf(program: Program): readonly string[] {
  const words = wordsOf(program)
  const script = programName(program)
  const at = words.findIndex((word, index) => index > 0 && baseName(word) === script)
  return isInterpreter.test(words[0] ?? '') && at > 0 ? [script, ...words.slice(at + 1)] : words
}

const isInterpreter = /^(?:(?:ba|da|a|k|mk|z)?sh|(?:python|pypy|perl|ruby|php)[\d.]*|node(?:js)?)$/

/** Whether two processes run the same command: one is a fork of the other, a subshell for instance. */
export function isSameCommand(a: Program, b: Program): boolean {
  if (a.args === undefined || b.args === undefined) return a.args === b.args && a.comm === b.comm
  return isSameArgs(a.args, b.args)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
