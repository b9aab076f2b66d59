/** Whether the processor raises this signal in a process that does what it cannot. */
export function isFault(signal: string): boolean {
  return Object.hasOwn(faults, signal)
}

/** `an arithmetic error of its own: integer division by zero`; @param code si_code of the signal, where it is known */
export function faultText(signal: string, code?: number | null): string {
  const details = Object.hasOwn(codes, signal) ? codes[signal] : undefined
  const known = code === undefined || code === null ? undefined : details?.[code]
  return known ?? `${isFault(signal) ? faults[signal] : 'a fault'} of its own`
}

const faults: Readonly<Record<string, string>> = {
  SIGSEGV: 'a memory fault',
  SIGBUS: 'a memory fault',
  SIGILL: 'an illegal instruction',
  SIGFPE: 'an arithmetic error',
  SIGTRAP: 'a trap',
  SIGSYS: 'an invalid system call',
}

const hardware = 'an error of the memory hardware'

/** Codes that say more than the signal does (sigaction(2), include/uapi/asm-generic/siginfo.h). */
const codes: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  SIGBUS: { 2: 'a mapped file that was too short, or could not be read', 4: hardware, 5: hardware },
  SIGFPE: { 1: 'an arithmetic error of its own: integer division by zero' },
}
