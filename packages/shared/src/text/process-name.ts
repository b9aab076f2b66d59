import type { Ancestor, Container } from '../process.ts'
import { hasUnprintable, shortened, terminalText } from './terminal-text.ts'

/**
 * A process as a person names it: its command line with the program's folder left out and arguments quoted as a
 * shell would, at most about `lengthMax` characters; its comm where the arguments are not known. A title that a
 * program gave itself (`sshd: deploy@pts/0`) stays as it stands. A first argument that names another program than
 * the one that runs is not believed alone: `nginx (program /tmp/x)`. Safe to print.
 */
export function processName(process: Ancestor, lengthMax = 80): string {
  if (isSystemd(process)) return 'systemd'
  const args = knownArgs(process)
  if (args.length === 0) return quoted(process.comm ?? baseName(process.exe ?? 'a process of unknown name'), lengthMax)
  const title = ownTitle(process, args)
  const name = title === undefined ? commandLine(process, args, lengthMax) : shortened(terminalText(title), lengthMax)
  const other = otherProgram(process, args)
  if (other === undefined) return name
  // A program that was run through a descriptor (fexecve(3)), and of which nothing but that is known.
  if (/^\/(?:dev|proc\/[^/]+)\/fd\/\d+$/.test(other)) return `${name} (run from an open file)`
  return `${name} (program ${quoted(other, lengthMax)})`
}

/** `pid 5120, user deploy (uid 1001), in container web-1`: what follows a killer's name. */
export function processIdentity(process: Ancestor): string {
  const parts = [`pid ${process.pid}`]
  const user = userText(process.user, process.uid)
  if (user !== undefined) parts.push(user)
  if (process.euid !== null && process.euid !== process.uid) parts.push(`acting as uid ${process.euid}`)
  if (process.container !== null) parts.push(`in ${containerText(process.container)}`)
  return parts.join(', ')
}

/** `container web-1 of pod shop/web-7d4f`: by its name, or by the beginning of its id. */
export function containerText({ id, name, pod }: Container): string {
  const container = `container ${shortened(terminalText(name ?? id.slice(0, 12)), 80)}`
  if (pod === null) return container
  // Podman's pods have ids as containers have.
  return `${container} of pod ${shortened(terminalText(/^[0-9a-f]{64}$/.test(pod) ? pod.slice(0, 12) : pod), 120)}`
}

/** `user deploy (uid 1001)`, `uid 1001`; undefined if neither is known. */
export function userText(user: string | null, uid: number | null): string | undefined {
  if (user === null) return uid === null ? undefined : `uid ${uid}`
  return `user ${shortened(terminalText(user), 40)}${uid === null ? '' : ` (uid ${uid})`}`
}

/** True if it is a shell that runs its own commands, and not a command that busybox or a link gives another name. */
export function isShell(process: Ancestor): boolean {
  const [first, second] = knownArgs(process)
  const called = first === undefined ? process.comm : calledName(first)
  const program = process.exe === null ? called : programName(process.exe)
  if (called === 'kill') return false
  if (program !== 'busybox') return shells.has(program ?? '')
  return shells.has((called === 'busybox' ? second : called) ?? '')
}

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'ksh93', 'mksh', 'zsh', 'rbash'])

/** Longest argument shown whole; a longer script path keeps its end, which says more. */
const argumentLengthMax = 48

function commandLine(process: Ancestor, args: readonly string[], lengthMax: number): string {
  const [first = '', ...rest] = args
  const words = [quoted(calledName(first), argumentLengthMax)]
  let length = words[0]?.length ?? 0
  for (const argument of rest) {
    const word = quoted(argument, argumentLengthMax)
    length += word.length + 1
    if (length > lengthMax) return `${words.join(' ')} …`
    words.push(word)
  }
  return `${words.join(' ')}${process.argsTruncated ? ' …' : ''}`
}

/** Shortened before it is quoted, so that a quote which opens always closes. */
function quoted(argument: string, lengthMax: number): string {
  const characters = Array.from(argument)
  const isLong = characters.length > lengthMax
  const kept =
    isLong && /^\.{0,2}\/\S+$/.test(argument)
      ? `…${characters.slice(1 - lengthMax).join('')}`
      : shortened(argument, lengthMax)
  if (hasUnprintable(kept)) return `$'${terminalText(kept.replace(/[\\']/g, '\\$&'))}'`
  return /^[\p{L}\p{N}@%+=:,./_…[\]-]+$/u.test(kept) ? kept : `'${kept.replaceAll("'", "'\\''")}'`
}

/**
 * Programs that rewrite their title leave one argument. Only one that starts with its comm and cannot be taken for
 * something that whokilled itself has written stands without quotes.
 */
function ownTitle(process: Ancestor, args: readonly string[]): string | undefined {
  const [title] = args
  if (args.length !== 1 || title === undefined || !/^[\w.-]+: [^(),;←]+$/.test(title)) return undefined
  return title.includes('  ') || !title.startsWith(process.comm ?? '') ? undefined : title
}

/** What a rewritten title leaves behind it are empty arguments. */
function knownArgs(process: Ancestor): readonly string[] {
  const args = process.args ?? []
  const last = args.findLastIndex((argument) => argument !== '')
  return args.slice(0, last + 1)
}

/**
 * The program that runs, where the first argument names another one. Where the executable is not known, what exec was
 * asked to run is compared, unless that is a script, which the interpreter gets as an argument.
 */
function otherProgram(process: Ancestor, args: readonly string[]): string | undefined {
  const called = calledName(args[0] ?? '')
  const path = process.exe ?? (args.includes(process.file ?? '') ? null : (process.file ?? null))
  if (called === '' || path === null || (process.exe !== null && process.comm === null)) return undefined
  const program = programName(path)
  if (program === 'busybox' || (shells.has(called) && shells.has(program))) return undefined
  // comm holds 15 bytes at most (TASK_COMM_LEN), so the names are compared by their beginning.
  const isCalledSo =
    (process.exe !== null && called.startsWith(process.comm ?? '')) ||
    called.startsWith(program) ||
    program.startsWith(called)
  return isCalledSo ? undefined : inMemory(path)
}

/** `memfd:payload` for `/memfd:payload (deleted)`: it ran from memory, there never was such a file (memfd_create(2)). */
function inMemory(path: string): string {
  return /^\/(memfd:.*) \(deleted\)$/s.exec(path)?.[1] ?? path
}

function isSystemd(process: Ancestor): boolean {
  return process.pid === 1 && process.comm === 'systemd'
}

/** `bash` for `-bash` (a login shell) and `/bin/bash`. */
function calledName(first: string): string {
  return (/\s/.test(first) ? first : baseName(first)).replace(/^-(?=.)/, '')
}

/** The kernel adds ` (deleted)` to the path of a program that was replaced on disk. */
function programName(exe: string): string {
  return baseName(exe.replace(/ \(deleted\)$/, ''))
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path
}
