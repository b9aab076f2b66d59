import { signalName } from '@whokilled/shared/signals'
import { exitCodeOf, termSignalOf } from '../end.ts'
import type { Received } from '../signals/ladder.ts'
import { requests } from '../signals/requests.ts'
import { senderOf } from '../signals/sender.ts'
import { type CauseRule, doubtsOf, type Ending, type Finding, forgedText, stopTimeNs } from './cause.ts'
import { hangUpTimeNs } from './fatal.ts'

const sighup = 1

/** It exited, after a signal that asked it to end and that it catches: somebody ended it. */
export const caught: CauseRule = (ending) => {
  if (ending.status === undefined || termSignalOf(ending.status) !== 0) return undefined
  const code = exitCodeOf(ending.status)
  const request = ending.ladder.rungs.findLast((rung) => isRequest(rung, ending, code))
  if (request === undefined) return undefined
  const confirms = code === 128 + request.record.sig
  // An earlier request that nobody saw may be the one that it was ending for.
  const gaps = ending.gapsBetween(request.record.time - stopTimeNs, ending.at)
  const what = 'it caught the signal and then exited'
  const other = ending.ladder.rungs.find((rung) => rung.by !== request.by && isRequest(rung, ending, code))
  const finding: Omit<Finding, 'confidence'> = {
    cause: senderOf(request, ending.victim).via === 'tty' ? 'terminal' : 'signal',
    fatal: request,
    reasons: [
      confirms ? `${what} with code 128 + ${request.record.sig}, which names it` : what,
      ...forgedText(request),
      ...(gaps.length === 0 ? ['no records were lost'] : doubtsOf(gaps, 'around that time')),
    ],
    alternatives: [
      ...(confirms ? [] : ['it may have exited for a reason of its own right after the signal']),
      ...(other === undefined ? [] : [otherText(other, request, ending)]),
    ],
    gaps,
  }
  const isSure = confirms && gaps.length === 0 && other === undefined
  return { ...finding, confidence: isSure ? 'certain' : 'likely' }
}

function otherText(other: Received, request: Received, { victim }: Ending): string {
  const seconds = (Number(request.record.time - other.record.time) / 1e9).toFixed(1)
  const from = senderOf(other, victim).status === 'seen' ? `process ${other.record.pid}` : 'its terminal'
  return `it may have ended for ${signalName(other.record.sig)} from ${from}, ${seconds} s before, and have taken its time`
}

function isRequest(rung: Received, ending: Ending, code: number): boolean {
  const { record } = rung
  if (!requests.has(record.sig) || record.result === 'ignored' || record.disp === 'ignore') return false
  const sender = senderOf(rung, ending.victim)
  if (sender.isSelf || (sender.status === 'none' && sender.via !== 'tty')) return false
  const age = ending.awakeSince(record.time)
  const namesIt = code === 128 + record.sig
  return age <= (record.sig === sighup && !namesIt ? hangUpTimeNs : stopTimeNs)
}
