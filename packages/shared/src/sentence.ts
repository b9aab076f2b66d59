import type { DeathEvent, SentSignal } from './event.ts'
import { refusedText } from './refused-signal.ts'
import { behalfLine, instigatorText } from './text/behalf-text.ts'
import {
  caughtText,
  causeText,
  exitText,
  fatalName,
  headlineVerb,
  isUnwatched,
  laterText,
  victimName,
  wasCaught,
  words,
} from './text/cause-text.ts'
import { earlierLine } from './text/earlier-death-text.ts'
import { gapLine } from './text/gap-text.ts'
import { lineageText, loginText } from './text/lineage.ts'
import { holdersText, memoryText } from './text/memory-text.ts'
import { meantLine, mistakeText } from './text/mistake-text.ts'
import { isShell, processIdentity, processName } from './text/process-name.ts'
import { earlierSignalsText, hasLaterSignals, resultText, sentText } from './text/signal-text.ts'
import { shortened, terminalText } from './text/terminal-text.ts'
import { ageText, momentText, type ReaderClock } from './text/time-text.ts'
import type { UnjudgedDeath } from './unjudged-death.ts'

/**
 * The verdict's one plain sentence, without host and time:
 * `nginx.service was killed with SIGKILL by sh xdkill.sh (pid 5120, user deploy).`
 */
export function summarySentence(death: UnjudgedDeath): string {
  return `${victimName(death)} ${causeText(death)}${instigatorText(death)}${mistakeText(death)}.`
}

/** A death told to a person: a headline and labelled lines, all of it safe to print. */
export interface Story {
  readonly headline: string
  readonly lines: readonly { readonly label: string; readonly text: string }[]
}

/**
 * Who (`by`), started by whom (`from`), how (`with`), what had gone before (`before`), what was refused (`tried`),
 * the death of another that it is a consequence of (`after`), for whom (`for`) or why (`because`), whom it was
 * meant for (`meant`), a memory limit (`limit`), when nobody was watching (`gap`), how sure that is (`sure`) and what
 * else it may have been (`or`).
 * A line that has nothing to say is left out.
 */
export function tellDeath(death: DeathEvent, options: ReaderClock): Story {
  const atMs = Date.parse(death.at)
  const when = `${momentText(atMs, options)} (${ageText(atMs, options.nowMs)})`
  const host = shortened(terminalText(death.host.name), 255)
  const told: [string, string | undefined][] = [
    ['by', killerLine(death)],
    ['from', originLine(death)],
    ['with', weaponLine(death)],
    [hasLaterSignals(death) ? 'also' : 'before', earlierSignalsText(death)],
    ['tried', refusedText(death)],
    ['after', earlierLine(death, words)],
    [death.behalf?.kind === 'policy' ? 'because' : 'for', behalfLine(death)],
    ['meant', meantLine(death)],
    ['limit', limitLine(death)],
    ['memory', holdersText(death)],
    ['gap', gapLine(death, options)],
    ['sure', sureLine(death)],
    ['or', listed(death.verdict.alternatives, '; ')],
  ]
  return {
    headline: `${victimName(death)} on ${host} ${headlineVerb(death)} ${when}.`,
    lines: told.flatMap(([label, text]) => (text === undefined ? [] : [{ label, text }])),
  }
}

/** A story as plain text, one line a fact, without a line break at the end. */
export function storyText(story: Story): string {
  const width = labelWidth(story)
  return [story.headline, ...story.lines.map(({ label, text }) => `  ${label.padEnd(width)}  ${text}`)].join('\n')
}

/** How wide the column of labels is. */
export function labelWidth(story: Story): number {
  return Math.max(4, ...story.lines.map(({ label }) => label.length))
}

function killerLine(death: DeathEvent): string {
  const { killer, signal } = death
  if (killer !== null) {
    const isItself = killer.id === death.victim.id ? 'itself: ' : ''
    return `${isItself}${processName(killer)}${usedBuiltin(death) ? ' (built-in kill)' : ''}   ${processIdentity(killer)}`
  }
  if (death.cause === 'exit' || death.cause === 'self') return 'itself'
  const deed = kernelDeeds[death.cause]
  if (deed !== undefined) return `the kernel (${deed})`
  if (signal?.senderStatus === 'none') return 'the kernel'
  return isUnwatched(death) ? 'not known: nobody was watching' : 'not known: the sender was not seen'
}

const kernelDeeds: Record<string, string> = {
  fault: 'after a fault of the process itself',
  oom: 'OOM killer',
  'parent-death': 'parent death signal',
  'pid-namespace-exit': 'end of the pid namespace',
  'resource-limit': 'resource limit',
  seccomp: 'seccomp filter',
  'broken-pipe': 'write to a broken pipe',
  terminal: 'terminal',
  timer: 'timer of the process itself',
}

/** A shell that is not running a kill program has kill built in. On its own hangup it sends SIGHUP without that. */
function usedBuiltin({ killer, signal }: DeathEvent): boolean {
  if (killer === null || signal === null || signal.name === 'SIGHUP') return false
  return (signal.via === 'kill' || signal.via === 'kill-group' || signal.via === 'kill-all') && isShell(killer)
}

function originLine({ killer }: DeathEvent): string | undefined {
  if (killer === null) return undefined
  const login = loginText(killer)
  return `${lineageText(killer)}${login === undefined ? '' : ` (${login})`}`
}

function weaponLine(death: DeathEvent): string | undefined {
  const core = death.exit.coreDumped ? '; a core was dumped' : ''
  const { signal } = death
  if (signal === null) return isUnwatched(death) ? undefined : `${exitText(death)}${core}`
  if (isUnseen(signal)) return `${fatalName(death)}; how it was sent was not seen${core}`
  const { service } = death
  const program = processName({ ...death.victim, args: null }, 40)
  const victim = service.kind === 'process' ? shortened(terminalText(service.name), 40) : program
  const later = laterText(signal, death)
  const end = wasCaught(death) ? caughtText(death) : later === '' ? '' : `${victim} was dead${later}`
  const sent = `${fatalName(death)}, ${sentText(signal)}, ${resultText(signal)}`
  return `${sent}${end === '' ? '' : `; ${end}`}${core}`
}

/** Only the wait status tells of it; its time is that of the death. */
function isUnseen({ senderStatus, via }: SentSignal): boolean {
  return senderStatus === 'unseen' && via === 'unknown'
}

function limitLine(death: DeathEvent): string | undefined {
  return death.oom === null || death.oom.scope === 'unknown' ? undefined : memoryText(death)
}

/** How sure the cause and the killer are; what tells for whom that one acted stands there. */
function sureLine({ verdict, behalf }: DeathEvent): string {
  const own = verdict.reasons.filter((reason) => behalf?.reasons?.includes(reason) !== true)
  const reasons = listed(own, ', ')
  return `${shortened(terminalText(verdict.confidence), 32)}${reasons === undefined ? '' : `: ${reasons}`}`
}

function listed(texts: readonly string[], separator: string): string | undefined {
  if (texts.length === 0) return undefined
  return texts.map((text) => shortened(terminalText(text), 240)).join(separator)
}
