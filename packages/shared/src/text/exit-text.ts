import { signalName } from '../signals.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { isShell } from './process-name.ts'

/** Exit codes up to 128 + this one are those by which shells tell of a signal; the ones above are used for other things. */
const signalMax = 31

/** `137 (as after SIGKILL, but none was seen)`: an exit code, with what it usually means where that is known. */
export function exitCodeText({ exit: { code }, signals, victim }: UnjudgedDeath): string {
  if (code === null) return 'unknown'
  const number = code - 128
  if (number > 0 && number <= signalMax && !signals.some((one) => one.number === number)) {
    return `${code} (as after ${signalName(number)}, but none was seen)`
  }
  return `${code}${isShell(victim) ? (meanings[code] ?? '') : ''}`
}

/** What shells mean by them (sh(1)). */
const meanings: Readonly<Record<number, string>> = {
  126: ', as shells do when they cannot run a program',
  127: ', as shells do when they do not find a program',
}
