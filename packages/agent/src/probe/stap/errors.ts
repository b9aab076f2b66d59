import { ProbeError } from '../../errors.ts'

/** What SystemTap said, recognised. */
export interface StapComplaint {
  readonly code: string
  readonly message: string
  readonly hint: string
}

interface Pattern {
  readonly code: string
  readonly seen: RegExp
  readonly message: (found: RegExpMatchArray) => string
  readonly hint: string
}

/**
 * Recognises why `stap` or `staprun` did not run, or ended, from what it wrote to stderr.
 * The texts are those of SystemTap 4.8; the causes are looked for before their consequences.
 */
export function complaintIn(stderr: string): StapComplaint | undefined {
  for (const pattern of patterns) {
    const found = pattern.seen.exec(stderr)
    if (found !== null) return { code: pattern.code, message: pattern.message(found), hint: pattern.hint }
  }
  return undefined
}

/** The error for a SystemTap program that ended by itself; `doing` says what was asked of it. */
export function stapError(doing: string, exitCode: number | undefined, stderr: string): ProbeError {
  const complaint = complaintIn(stderr)
  if (complaint !== undefined) return new ProbeError(complaint.code, complaint.message, complaint.hint)
  const words = lastLines(stderr) || 'nothing on stderr'
  return new ProbeError(
    'stap-failed',
    `Expected SystemTap to ${doing}, it ended with ${exitCode ?? 'a signal'}: ${words}`,
    'Run `whokilled-agent doctor`: it checks what SystemTap needs on this host.',
  )
}

/** The error for a SystemTap program that could not be started at all. */
export function spawnError(program: 'stap' | 'staprun', cause: NodeJS.ErrnoException): ProbeError {
  if (cause.code === 'ENOENT') {
    const debian = program === 'stap' ? 'systemtap' : 'systemtap-runtime'
    return new ProbeError(
      'tracer-missing',
      `Expected the program ${program} in PATH, found none.`,
      `Install it: apt-get install ${debian} (Debian, Ubuntu) or dnf install ${debian} (Fedora, RHEL).`,
      { cause },
    )
  }
  if (cause.code === 'EACCES') {
    return new ProbeError(
      'not-permitted',
      `Expected to be allowed to run ${program}, this user is not.`,
      'Run the agent as root, or add its user to the groups stapusr and stapdev.',
      { cause },
    )
  }
  return new ProbeError('stap-failed', `Could not start ${program}: ${cause.message}`, 'See the cause above.', {
    cause,
  })
}

/** Lines of stderr that tell of something lost or left out and did not end the run. */
export function warningsIn(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('WARNING: '))
}

function lastLines(stderr: string): string {
  return stderr.trim().split('\n').slice(-4).join(' | ')
}

const patterns: readonly Pattern[] = [
  {
    code: 'headers-missing',
    seen: /Checking "(?:\/lib\/modules\/([^/"]+)\/build|([^"]*))\/\.config" failed/,
    message: (found) => `Expected the headers of kernel ${found[1] ?? `in ${found[2]}`}, found none.`,
    hint: 'Install them (Debian: apt-get install linux-headers-$(uname -r)), or run a module built elsewhere: whokilled-agent build-module.',
  },
  {
    code: 'not-permitted',
    seen: /You are trying to run systemtap as a normal user|part of the group "stap(?:usr|dev)"/,
    message: () => 'Expected root, or a member of the group stapusr; this user is neither.',
    hint: 'Run the agent as root, or add its user to the groups stapusr and stapdev.',
  },
  {
    code: 'module-not-allowed',
    seen: /Unable to verify the signature for the module/,
    message: () => 'Expected a module that this user may load; members of stapusr load only what root has vetted.',
    hint: 'Copy the module to /lib/modules/$(uname -r)/systemtap/ as root, or add the user to stapdev too.',
  },
  {
    code: 'module-not-found',
    seen: /Unable to canonicalize path "([^"]+)"/,
    message: (found) => `Expected a probe module at ${found[1]}, found none.`,
    hint: 'Build it: whokilled-agent build-module --kernel $(uname -r) --out FILE.',
  },
  {
    code: 'module-other-kernel',
    seen: /Couldn't insert module '([^']+)': Invalid module format/,
    message: (found) => `Expected ${found[1]} to be built for the running kernel, the kernel refused its format.`,
    hint: 'Build it for this kernel: whokilled-agent build-module --kernel $(uname -r). `dmesg` names both versions; a file cut short gives the same error.',
  },
  {
    code: 'module-unsigned',
    seen: /Couldn't insert module '([^']+)': (?:Key was rejected by service|Required key not available)/,
    message: (found) => `Expected ${found[1]} to be signed: this kernel loads only modules signed with a key it knows.`,
    hint: 'Sign the module with a machine owner key (mokutil, sign-file), or use --probe bpftrace.',
  },
  {
    code: 'kernel-lockdown',
    seen: /Couldn't insert module '([^']+)': Operation not permitted/,
    message: () => 'Expected to be allowed to load a kernel module, the kernel forbids it.',
    hint: 'Secure Boot locks the kernel down: sign the module, or use --probe bpftrace. In a container, CAP_SYS_MODULE is needed.',
  },
  {
    code: 'kernel-without-modules',
    seen: /Couldn't insert module '([^']+)': Function not implemented/,
    message: () => 'Expected a kernel that loads modules, this one was built without (CONFIG_MODULES).',
    hint: 'Use --probe bpftrace.',
  },
  {
    code: 'module-loaded',
    seen: /Couldn't insert module '([^']+)': File exists/,
    message: () => 'Expected to load the probe module, one of its name is in the kernel already.',
    hint: 'Another agent is running on this host, or one left it behind: staprun -d whokilled removes it if nobody reads it.',
  },
  {
    code: 'module-symbols',
    seen: /Couldn't insert module '([^']+)': Unknown symbol in module/,
    message: (found) => `Expected every symbol that ${found[1]} uses in this kernel; one is missing (dmesg names it).`,
    hint: 'Build the module for this very kernel: whokilled-agent build-module --kernel $(uname -r).',
  },
  {
    code: 'no-memory',
    seen: /Not enough free\+buffered memory|Couldn't insert module '[^']+': Cannot allocate memory/,
    message: () => "Expected memory for the probe's buffers, the kernel has too little.",
    hint: 'Set a smaller buffer ("bufferMegabytes"; it is taken once for each processor).',
  },
  {
    code: 'probe-overload',
    seen: /probe overhead \((\d+) cycles\) exceeded threshold/,
    message: (found) =>
      `Expected the probe to stay within its budget, it took ${found[1]} cycles of the last interval.`,
    hint: 'The host makes more processes or signals than a probe with such a limit can follow: build the module with this agent, which sets none.',
  },
  {
    code: 'probe-skipped',
    seen: /Skipped too many probes/,
    message: () => 'Expected every probe hit to be handled, SystemTap skipped too many and ended.',
    hint: 'Build the module with this agent: its build sets no such limit and counts skipped hits instead.',
  },
  {
    code: 'probe-fault',
    seen: /(?:ERROR: (?:read|write) fault .*|ERROR: MAXACTION exceeded.*)/,
    message: (found) => `Expected the probe to run on, it ended: ${found[0]}`,
    hint: 'This is a defect of the probe: please report it with the kernel release.',
  },
  {
    code: 'output-closed',
    seen: /Couldn't write to output \d+ for cpu \d+, exiting\.: (.+)/,
    message: (found) => `Expected the agent to read what the probe prints, it did not (${found[1]}).`,
    hint: 'The agent ended before its probe, or its reader failed; see its own log.',
  },
  {
    code: 'compiler-missing',
    seen: /(?:\/bin\/sh: \d+: |make(?:\[\d+\])?: )?((?:\S*gcc|make|cc)\S*): (?:not found|No such file or directory|Command not found)/,
    message: (found) => `Expected the compiler that the kernel was built with, ${found[1]} is not there.`,
    hint: 'Install it (Debian: apt-get install gcc make), or run a module built elsewhere: whokilled-agent build-module.',
  },
  {
    code: 'runtime-mismatch',
    seen: /stp_task_work\.c:\d+:\d+: error: /,
    message: () => "Expected SystemTap's runtime to fit this kernel, task_work_cancel() has changed in the kernel.",
    hint: 'Build with whokilled-agent build-module: it corrects a copy of the runtime. Or install a newer SystemTap.',
  },
  {
    code: 'debuginfo-asked',
    seen: /semantic error: missing \S+ kernel\/module debuginfo/,
    message: () => 'Expected the probe to need kernel headers alone, SystemTap asks for debuginfo.',
    hint: 'A tracepoint or function of the probe is not in this kernel: please report the kernel release.',
  },
  {
    code: 'probe-not-resolved',
    seen: /semantic error: .*/,
    message: (found) => `Expected every probe point in this kernel: ${found[0]}`,
    hint: 'This kernel is older or newer than the probe knows: please report its release.',
  },
  {
    code: 'probe-not-parsed',
    seen: /parse error: .*/,
    message: (found) => `Expected SystemTap to understand the probe: ${found[0]}`,
    hint: 'SystemTap 4.8 or later is needed (stap --version).',
  },
  {
    code: 'compile-failed',
    seen: /Pass 4: compilation failed/,
    message: () => 'Expected the probe to compile against the headers of this kernel, it did not.',
    hint: 'This kernel or SystemTap is newer than the probe knows: please report `stap --version` and the kernel release.',
  },
]
