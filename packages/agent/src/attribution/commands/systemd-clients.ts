import type { Program } from '../../process/entry.ts'
import { commandOf, wordsOf } from './program.ts'
import { namesUnit } from './unit.ts'
import { wordsIn } from './words.ts'

/** What a command asked systemd for, as far as it can end processes. */
export interface UnitRequest {
  /** Whether it is for the systemd of a user and not that of the host. */
  readonly isForUser: boolean
  /** The whole host, or some units. */
  readonly ends: 'host' | 'others' | 'units'
  readonly isAbout: (units: readonly string[]) => boolean
  /** The signal that it asked for by number or name, without SIG. */
  readonly signal: string | undefined
  /** How long after its start it acts, seconds (shutdown +5). */
  readonly afterS: number
}

/** Undefined if it asks for nothing that could end a process. */
export function unitRequestOf(program: Program): UnitRequest | undefined {
  const words = wordsOf(program)
  const [name = '', ...args] = parsers.has(words[0] ?? '') ? words : commandOf(program)
  const asked = parsers.get(name)?.(args)
  return asked === undefined ? undefined : { ...nothing, ...asked }
}

const nothing: UnitRequest = {
  isForUser: false,
  ends: 'units',
  isAbout: () => false,
  signal: undefined,
  afterS: 0,
}

type Parser = (args: readonly string[]) => Partial<UnitRequest> | undefined

const naming = (names: readonly string[]) => (units: readonly string[]) => names.some((name) => namesUnit(name, units))

const wholeHost = (afterS = 0): Partial<UnitRequest> => ({ ends: 'host', afterS, isAbout: () => true })

/** systemctl(1) */
const systemctl: Parser = (args) => {
  const { plain, options } = wordsIn(args, valuedOptions)
  const [verb = '', ...names] = plain
  const isElsewhere = ['-H', '--host', '-M', '--machine', '--root', '--image'].some((option) => options.has(option))
  if (isElsewhere) return undefined
  const isForUser = options.has('--user')
  if (enders.has(verb)) return { isForUser, isAbout: naming(names) }
  if ((verb === 'disable' || verb === 'mask') && options.has('--now')) return { isForUser, isAbout: naming(names) }
  if (verb === 'kill') {
    const signal = (options.get('-s') ?? options.get('--signal') ?? 'TERM').replace(/^SIG/i, '').toUpperCase()
    return { isForUser, isAbout: naming(names), signal }
  }
  if (targets.has(verb)) return { isForUser, ends: 'others', isAbout: () => true }
  return hostEnders.has(verb) ? { ...wholeHost(), isForUser } : undefined
}

const enders: ReadonlySet<string> = new Set([
  ...['stop', 'restart', 'try-restart', 'condrestart', 'reload-or-restart', 'try-reload-or-restart'],
  ...['reload-or-try-restart', 'force-reload'],
])
/** These stop all units that their target does not want. */
const targets: ReadonlySet<string> = new Set(['isolate', 'default', 'rescue', 'emergency'])
const hostEnders: ReadonlySet<string> = new Set(['poweroff', 'reboot', 'halt', 'kexec', 'soft-reboot', 'exit'])

const valuedOptions: ReadonlySet<string> = new Set([
  ...['-t', '--type', '-p', '--property', '-P', '-H', '--host', '-M', '--machine', '-s', '--signal', '-n', '--lines'],
  ...['-o', '--output', '--root', '--image', '--job-mode', '--kill-whom', '--kill-who', '--kill-value', '--state'],
  ...['--what', '--when', '--timestamp', '--check-inhibitors', '--legend', '--reboot-argument', '--message'],
])

/** `service nginx stop` (sysvinit-utils) */
const service: Parser = ([name = '', verb = '']) => (enders.has(verb) ? { isAbout: naming([name]) } : undefined)

/** loginctl(1): sessions are scopes, users slices. */
const loginctl: Parser = (args) => {
  const { plain } = wordsIn(args, valuedOptions)
  const [verb = '', ...names] = plain
  const isSession = verb === 'terminate-session' || verb === 'kill-session'
  if (isSession) return { isAbout: naming(names.map((name) => `session-${name}.scope`)) }
  if (verb !== 'terminate-user' && verb !== 'kill-user') return undefined
  // A user may be given by name, and slices have numbers: then any user's may be meant.
  return {
    isAbout: (units) =>
      names.some((name) => /^\D/.test(name) || namesUnit(`user-${name}.slice`, units)) &&
      units.some((unit) => /^user-\d+\.slice$/.test(unit)),
  }
}

/** machinectl(1): a machine is a scope, or an instance of systemd-nspawn@.service. */
const machinectl: Parser = (args) => {
  const { plain } = wordsIn(args, valuedOptions)
  const [verb = '', ...names] = plain
  if (!['poweroff', 'reboot', 'terminate', 'kill', 'stop'].includes(verb)) return undefined
  return { isAbout: naming(names.flatMap((name) => [`machine-${name}.scope`, `systemd-nspawn@${name}.service`])) }
}

/** Calls of org.freedesktop.systemd1.Manager: StopUnit, RestartUnit, TryRestartUnit, KillUnit, … */
const bus: Parser = (args) => {
  const isEnd = args.some((word) =>
    /(?:^|\.)(?:Stop|Restart|TryRestart|ReloadOrRestart|ReloadOrTryRestart|Kill)Unit$/.test(word),
  )
  if (!isEnd) return undefined
  const isForUser = args.includes('--user') || args.includes('--session')
  return { isForUser, isAbout: naming(args.map((word) => word.replace(/^string:/, ''))) }
}

/** shutdown(8): in a minute, unless another time is given. */
const shutdown: Parser = (args) => {
  const { plain, options } = wordsIn(args, new Set())
  if (options.has('-c') || options.has('-k') || options.has('--help')) return undefined
  const when = plain[0] ?? '+1'
  const minutes = when === 'now' ? 0 : Number(/^\+(\d{1,6})$/.exec(when)?.[1] ?? Number.NaN)
  return Number.isNaN(minutes) ? undefined : wholeHost(minutes * 60)
}

const atOnce: Parser = (args) => {
  const isOnlyWritten = args.some((word) => word === '-w' || word === '--wtmp-only' || word === '--help')
  return isOnlyWritten ? undefined : wholeHost()
}

/** init(8), telinit(8): 0 and 6 end the host, 1 to 5 change the target. */
const runLevel: Parser = ([level = '']) => {
  if (level === '0' || level === '6') return wholeHost()
  return /^[1-5sS]$/.test(level) ? { ends: 'others', isAbout: () => true } : undefined
}

const parsers: ReadonlyMap<string, Parser> = new Map([
  ['systemctl', systemctl],
  ['service', service],
  ['loginctl', loginctl],
  ['machinectl', machinectl],
  ['busctl', bus],
  ['dbus-send', bus],
  ['gdbus', bus],
  ['shutdown', shutdown],
  ['poweroff', atOnce],
  ['reboot', atOnce],
  ['halt', atOnce],
  ['init', runLevel],
  ['telinit', runLevel],
])

/** Programs that ask systemd to end units, for RecentPrograms. */
export const systemdClients: readonly string[] = [...parsers.keys()]
