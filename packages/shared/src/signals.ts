/** Signal numbers and names of Linux on x86 and arm (include/uapi/asm-generic/signal.h). */
const names = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGKILL',
  'SIGUSR1',
  'SIGSEGV',
  'SIGUSR2',
  'SIGPIPE',
  'SIGALRM',
  'SIGTERM',
  'SIGSTKFLT',
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGVTALRM',
  'SIGPROF',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
] as const

/** The kernel's first and last real-time signal; libc keeps the first two for itself, so its SIGRTMIN is 34. */
const realTimeFirst = 32
const realTimeLast = 64
const libcRealTimeFirst = 34

/** `SIGKILL` for 9, `SIGRTMIN+2` for 36, `SIG32` for what has no name. */
export function signalName(number: number): string {
  const name = names[number - 1]
  if (name !== undefined) return name
  if (number === libcRealTimeFirst) return 'SIGRTMIN'
  if (number > libcRealTimeFirst && number <= realTimeLast) return `SIGRTMIN+${number - libcRealTimeFirst}`
  return `SIG${number}`
}

/** What the kernel does by default on a signal (signal(7)). */
export function defaultAction(number: number): 'terminate' | 'core' | 'stop' | 'continue' | 'ignore' {
  const name = names[number - 1]
  if (name === undefined) return number >= realTimeFirst ? 'terminate' : 'ignore'
  if (stop.has(name)) return 'stop'
  if (ignored.has(name)) return 'ignore'
  if (name === 'SIGCONT') return 'continue'
  return core.has(name) ? 'core' : 'terminate'
}

const stop = new Set<string>(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'])
const ignored = new Set<string>(['SIGCHLD', 'SIGURG', 'SIGWINCH'])
const core = new Set<string>([
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSYS',
])
