import type { ProcessEntry } from '../../process/entry.ts'
import type { Actor } from '../judged.ts'
import type { Received } from '../signals/ladder.ts'
import { requests } from '../signals/requests.ts'
import { senderOf } from '../signals/sender.ts'
import type { Act } from './messenger.ts'

/** Who ended a process, or asked it to end, if that was another process and was seen. */
export function endedBy({ ladderOf }: Pick<Act, 'ladderOf'>, process: ProcessEntry): Actor | undefined {
  const ladder = ladderOf(process)
  const signal = ladder?.fatal ?? ladder?.rungs.findLast((rung) => requests.has(rung.record.sig))
  return signal === undefined ? undefined : senderAsActor(signal, process)
}

export function senderAsActor(received: Received, target: ProcessEntry): Actor | undefined {
  const { by, program } = received
  const { status, isSelf } = senderOf(received, target)
  return status === 'seen' && !isSelf && by !== undefined && program !== undefined
    ? { process: by, program }
    : undefined
}
