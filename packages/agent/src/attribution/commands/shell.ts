import type { ProcessEntry, Program } from '../../process/entry.ts'
import { isCalled, wordsOf } from './program.ts'

/** What a shell was started for; `nameless`: commands that are typed, or come through a pipe. */
export type ShellUse = 'command' | 'script' | 'nameless'

/** Undefined if it is no shell. */
export function shellUse(program: Program): ShellUse | undefined {
  if (!isCalled(program, shells)) return undefined
  const words = wordsOf(program)
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (/^-[a-z]*c[a-z]*$/.test(word)) return 'command'
    if (/^(?:[-+][oO]|--rcfile|--init-file)$/.test(word)) at += 1
    else if (/^-[a-z]*s$/.test(word) || isDescriptor.test(word)) return 'nameless'
    else if (!/^[-+]/.test(word)) return 'script'
  }
  return 'nameless'
}

/** `bash <(curl …)` runs /dev/fd/63: that is nobody's name. */
const isDescriptor = /^\/(?:dev\/fd|proc\/self\/fd)\/\d+$/

/** A shell at a terminal that runs neither a script nor a command: somebody types. */
export function isTypedAt({ tty }: ProcessEntry, program: Program): boolean {
  return tty !== undefined && shellUse(program) === 'nameless'
}

/** Programs that run what their caller gave them, in `sh -c`, `python3 -c`, `perl -e`. */
export function runsGivenCode(program: Program): boolean {
  if (shellUse(program) === 'command') return true
  const [name = '', first = ''] = wordsOf(program)
  return /^(?:python|perl|ruby|php|node)[\d.]*$/.test(name) && /^-[a-zA-Z]*[ce]$|^-r$|^--eval$/.test(first)
}

const shells: ReadonlySet<string> = new Set([
  ...['sh', 'bash', 'dash', 'ash', 'ksh', 'ksh93', 'mksh', 'zsh', 'fish', 'rbash', 'csh', 'tcsh'],
])
