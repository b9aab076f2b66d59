import { ProbeError } from '../../errors.ts'

interface Pattern {
  readonly code: string
  readonly seen: RegExp
  readonly message: (found: RegExpMatchArray) => string
  readonly hint: string
}

/** The error for a bpftrace that ended by itself, from what it wrote to stderr (texts of bpftrace 0.17). */
export function bpftraceError(doing: string, exit: number | string | undefined, stderr: string): ProbeError {
  const words = complaintsIn(stderr)
  for (const pattern of patterns) {
    const found = pattern.seen.exec(words)
    if (found !== null) return new ProbeError(pattern.code, pattern.message(found), pattern.hint)
  }
  const last = words.trim().split('\n').slice(0, 4).join(' | ') || 'nothing on stderr'
  return new ProbeError(
    'bpftrace-failed',
    `Expected bpftrace to ${doing}, it ended with ${exit ?? 'no status'}: ${last}`,
    'Run `whokilled-agent doctor`: it checks what bpftrace needs on this host.',
  )
}

/** The error for a bpftrace that could not be started at all. */
export function bpftraceSpawnError(cause: NodeJS.ErrnoException): ProbeError {
  if (cause.code === 'ENOENT') {
    return new ProbeError(
      'tracer-missing',
      'Expected the program bpftrace in PATH, found none.',
      'Install it: apt-get install bpftrace (Debian, Ubuntu) or dnf install bpftrace (Fedora, RHEL).',
      { cause },
    )
  }
  if (cause.code === 'EACCES') return notPermitted(cause)
  return new ProbeError('bpftrace-failed', `Could not start bpftrace: ${cause.message}`, 'See the cause above.', {
    cause,
  })
}

/** Lines of stderr that are no more than a warning. */
export function bpftraceWarnings(stderr: string): string[] {
  return complaintsIn(stderr)
    .split('\n')
    .filter((line) => /\bWARNING: /.test(line))
}

/** stderr without what is harmless: without CAP_SYS_RESOURCE bpftrace cannot raise a limit that newer kernels ignore. */
function complaintsIn(stderr: string): string {
  const isHarmless = (line: string) => /couldn't set RLIMIT_MEMLOCK/.test(line) || line.trim() === ''
  return stderr
    .split('\n')
    .filter((line) => !isHarmless(line))
    .join('\n')
}

/** The error for a user who may not trace the kernel. */
export function notPermitted(cause?: Error): ProbeError {
  return new ProbeError(
    'not-permitted',
    'Expected to be allowed to trace the kernel, this user is not: bpftrace runs as root only.',
    'Run the agent as root, or in a container with CAP_SYS_ADMIN.',
    cause === undefined ? undefined : { cause },
  )
}

const patterns: readonly Pattern[] = [
  {
    code: 'not-permitted',
    seen: /only supports running as the root user|unknown type name 'pid_t'|Operation not permitted/,
    message: () => notPermitted().message,
    hint: notPermitted().hint,
  },
  {
    code: 'kernel-lockdown',
    seen: /[Kk]ernel lockdown is enabled|lockdown: .* is restricted/,
    message: () => 'Expected a kernel that lets root trace it, this one is locked down (confidentiality).',
    hint: 'Secure Boot or lockdown= on the kernel command line forbids it: boot with lockdown=integrity or less.',
  },
  {
    code: 'bpftrace-stripped',
    seen: /Could not resolve symbol: \S*:BEGIN_trigger/,
    message: () => 'Expected a bpftrace with its own symbols, this one was stripped of them.',
    hint: 'Install bpftrace-dbgsym, or a newer bpftrace package of the distribution.',
  },
  {
    code: 'tracepoint-missing',
    seen: /tracepoint not found: (\S+)/,
    message: (found) => `Expected the tracepoint ${found[1]} in this kernel, found none.`,
    hint: 'Is tracefs mounted at /sys/kernel/tracing (mount -t tracefs tracefs /sys/kernel/tracing), and CONFIG_FTRACE_SYSCALLS set?',
  },
  {
    code: 'btf-missing',
    seen: /Unknown struct\/union: '([^']+)'/,
    message: (found) => `Expected the kernel to describe its types (BTF), ${found[1]} is unknown.`,
    hint: 'The kernel needs CONFIG_DEBUG_INFO_BTF and the file /sys/kernel/btf/vmlinux; else use --probe stap.',
  },
  {
    code: 'kernel-field-missing',
    seen: /Struct\/union of type '([^']+)' does not contain a field named '([^']+)'/,
    message: (found) => `Expected ${found[1]} to have a field ${found[2]} in this kernel, it has none.`,
    hint: 'This kernel is older or newer than the probe knows, or built without audit or control groups: please report its release; else use --probe stap.',
  },
  {
    code: 'probe-refused',
    seen: /Error loading program: (\S+)/,
    message: (found) => `Expected the kernel to accept the program for ${found[1]}, its verifier refused it.`,
    hint: 'This kernel is older or newer than the probe knows: please report its release; else use --probe stap.',
  },
  {
    code: 'no-memory',
    seen: /Cannot allocate memory|Failed to (?:initialize|open) perf/i,
    message: () => "Expected memory for the probe's buffers, the kernel has too little.",
    hint: 'Set a smaller buffer ("bufferMegabytes"; it is taken once for each processor).',
  },
  {
    code: 'probe-not-parsed',
    seen: /syntax error.*|Unknown (?:function|identifier|builtin).*|BPFTRACE_STRLEN.*exceeds.*/,
    message: (found) => `Expected bpftrace to understand the probe: ${found[0]}`,
    hint: 'bpftrace 0.17 or later is needed (bpftrace --version).',
  },
]
