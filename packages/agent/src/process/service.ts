import type { Service } from '@whokilled/shared/event'
import { fitsGlob } from '@whokilled/shared/glob'
import { textOf } from '../record/bytes.ts'
import { serviceUnitOf } from './cgroup.ts'
import type { ProcessEntry, Program } from './entry.ts'

/** A service that the configuration names. All patterns that are given must match; `*` stands for anything. */
export interface ServiceRule {
  readonly name: string
  readonly exe?: string | undefined
  readonly comm?: string | undefined
  /** Matched against the arguments joined by spaces. */
  readonly args?: string | undefined
  readonly cgroup?: string | undefined
  readonly user?: number | undefined
}

/**
 * What a person would call it: a match from the configuration, a systemd service unit, a container, else the
 * script that an interpreter runs, else the executable.
 */
export function serviceOf(entry: ProcessEntry, rules: readonly ServiceRule[]): Service {
  const rule = rules.find((one) => matches(one, entry))
  if (rule !== undefined) return { name: rule.name, kind: 'config' }
  const unit = entry.cgroup === undefined ? undefined : serviceUnitOf(entry.cgroup)
  if (unit !== undefined) return { name: textOf(unit), kind: 'systemd' }
  if (entry.container !== null) {
    return { name: entry.container.name ?? entry.container.id.slice(0, 12), kind: 'container' }
  }
  return { name: textOf(programName(entry.program)) || 'unknown', kind: 'process' }
}

function matches(rule: ServiceRule, entry: ProcessEntry): boolean {
  const { program } = entry
  const wanted: [string | undefined, string | undefined][] = [
    [rule.exe, program.exe],
    [rule.comm, program.comm],
    [rule.args, program.args?.join(' ')],
    [rule.cgroup, entry.cgroup],
  ]
  const isForUser = rule.user === undefined || rule.user === entry.uid
  return (
    isForUser && wanted.every(([pattern, value]) => pattern === undefined || fitsGlob(pattern, textOf(value ?? '')))
  )
}

interface Interpreter {
  readonly name: RegExp
  /** Options that take the next argument as their value. */
  readonly takesValue: RegExp
  /** Options that bring the program itself, so that there is no script. */
  readonly inline: RegExp
}

const interpreters: readonly Interpreter[] = [
  { name: /^(?:ba|da|a|k|mk|z|fi)?sh$/, takesValue: /^[-+][oO]$/, inline: /^-[a-z]*c$|^-s$/ },
  { name: /^(?:python|pypy)[\d.]*$/, takesValue: /^-[WX]$/, inline: /^-[a-zA-Z]*c$/ },
  {
    name: /^(?:node(?:js)?|bun|deno)$/,
    takesValue: /^(?:-r|--require|--import|--loader|--conditions|-C)$/,
    inline: /^-[a-z]*[ep]$|^--eval$|^--print$/,
  },
  { name: /^(?:perl|ruby|php|lua|tclsh)[\d.]*$|^Rscript$/, takesValue: /^-[IM]$/, inline: /^-[a-z]*[eEr]$/ },
  { name: /^java$/, takesValue: /^(?:-cp|-classpath|--class-path|-p|--module-path)$/, inline: /^$/ },
]

/** What a program is called: the script that an interpreter runs, else the executable. A byte string. */
export function programName(program: Program): string {
  const { file = '', args } = program
  // Of a script that was run by its own name (#!) the interpreter gets the path that exec was asked to run.
  if (file !== '' && !isDescriptor(file) && args?.slice(1).includes(file)) return baseName(file)
  const called = baseName(args?.[0] ?? '').replace(/^-/, '')
  const own = ownName(program, called)
  const interpreter =
    interpreters.find(({ name }) => name.test(called)) ?? interpreters.find(({ name }) => name.test(own))
  if (interpreter === undefined || args === undefined) return own === 'busybox' && called !== '' ? called : own
  return scriptIn(args.slice(1), interpreter) ?? (called || own)
}

/** The executable's name; without it, what exec was asked to run, since a program may give itself any other name. */
function ownName({ exe = '', file = '', comm = '' }: Program, called: string): string {
  if (exe !== '') {
    const path = exe.replace(/ \(deleted\)$/, '')
    // A file in memory (memfd_create(2)) has any name, and no folder.
    return path.startsWith('/memfd:') ? path.slice(1) : baseName(path)
  }
  if (file !== '' && !isDescriptor(file)) return baseName(file)
  // The kernel calls a program that was run from a descriptor by that number, or exe.
  return /^(?:\d*|exe)$/.test(comm) ? called || comm : comm
}

/** The script among an interpreter's arguments: the first that is not an option, or what follows -m or -jar. */
function scriptIn(args: readonly string[], { takesValue, inline }: Interpreter): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    if (arg === '-m' || arg === '-jar') return baseName(args[index + 1] ?? '') || undefined
    if (arg === '-' || inline.test(arg)) return undefined
    if (takesValue.test(arg)) index += 1
    else if (!/^[-+]/.test(arg)) return isDescriptor(arg) ? undefined : baseName(arg) || undefined
  }
  return undefined
}

/** A path that names an open file and not a program: fexecve(3), `sh <(…)`, a program that runs itself again. */
function isDescriptor(path: string): boolean {
  return /^\/(?:dev|proc\/(?:self|thread-self|\d+))\/(?:fd\/\d+|exe)$/.test(path)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
