import type { SentSignal } from '../event.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { millisecondsBetween } from '../vocabulary.ts'
import { processName } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { durationText } from './time-text.ts'

/** `sent by kill(2) to its process group`: the way a signal went. */
export function sentText({ via, senderStatus }: SentSignal): string {
  if (via === 'unknown') return senderStatus === 'none' ? 'sent by the kernel' : 'sent in a way that was not seen'
  return `sent ${ways[via] ?? `by ${shortened(terminalText(via), 64)}`}`
}

const ways: Record<string, string> = {
  kill: 'by kill(2)',
  'kill-group': 'by kill(2) to its process group',
  'kill-all': 'by kill(2) to every process',
  tkill: 'by tkill(2)',
  tgkill: 'by tgkill(2)',
  sigqueue: 'by rt_sigqueueinfo(2)',
  pidfd: 'by pidfd_send_signal(2)',
  'cgroup.kill': 'by a write to cgroup.kill',
  reboot: 'by the kernel, for reboot(2) in its pid namespace',
  'tracer-exit': 'by the kernel, at the end of its tracer',
  tty: 'by its terminal',
  timer: 'by a timer',
  kernel: 'by the kernel',
}

/** What the kernel did with a signal (TRACE_SIGNAL_ in include/trace/events/signal.h). */
export function resultText({ result }: SentSignal): string {
  return results[result] ?? shortened(terminalText(result), 64)
}

/** What became of a signal that did not end its target: `ignored`, `caught`, `too late: it was already ending`. */
function fateText(signal: SentSignal): string {
  return receptions[signal.reception ?? ''] ?? resultText(signal)
}

const receptions: Record<string, string> = {
  caught: 'caught',
  blocked: 'blocked',
  'too-late': 'too late: it was already ending',
}

const results: Record<string, string> = {
  pending: 'already pending',
  overflow: 'lost because the queue was full',
  'info-lost': 'delivered without its details',
}

/** The ladder and the rivals: `SIGTERM from systemd (pid 1) 1 min 30 s earlier, ignored`; undefined if there are none. */
export function earlierSignalsText(death: UnjudgedDeath): string | undefined {
  if (death.signals.length === 0) return undefined
  const groups = new Map<string, { count: number; text: string }>()
  for (const signal of death.signals) {
    const key = [
      signal.number,
      signal.sender?.id,
      signal.senderStatus,
      signal.result,
      signal.reception,
      isLate(signal, death),
    ].join(' ')
    const count = (groups.get(key)?.count ?? 0) + 1
    groups.set(key, { count, text: groups.get(key)?.text ?? rivalText(signal, death) })
  }
  const texts = Array.from(groups.values(), ({ count, text }) => (count === 1 ? text : `${text} (${count} times)`))
  const hidden = texts.length - groupsShownMax
  return [...texts.slice(0, groupsShownMax), ...(hidden > 0 ? [`and ${hidden} more`] : [])].join('; ')
}

/** Whether some of the other signals came after the one that ended it. */
export function hasLaterSignals(death: UnjudgedDeath): boolean {
  return death.signals.some((signal) => isLate(signal, death))
}

const groupsShownMax = 4

function rivalText(signal: SentSignal, death: UnjudgedDeath): string {
  const name = shortened(terminalText(signal.name), 32)
  return `${name} from ${senderText(signal, death)} ${whenText(signal, death)}, ${fateText(signal)}`
}

function senderText({ sender, senderStatus, via }: SentSignal, { victim }: UnjudgedDeath): string {
  if (sender?.id === victim.id) return 'itself'
  if (via === 'tty') return 'its terminal'
  if (sender !== null) return `${processName(sender, 48)} (pid ${sender.pid})`
  return senderStatus === 'none' ? 'the kernel' : 'a process that was not seen'
}

function whenText(signal: SentSignal, death: UnjudgedDeath): string {
  const ms = millisecondsBetween(signal.at, death.signal?.at ?? death.at)
  return ms < 0 ? `${durationText(-ms)} later` : `${durationText(ms)} earlier`
}

function isLate(signal: SentSignal, death: UnjudgedDeath): boolean {
  return millisecondsBetween(signal.at, death.signal?.at ?? death.at) < 0
}
