import type { DeathEvent } from '@whokilled/shared/event'
import type { GapEvidence } from '@whokilled/shared/gap'
import type { StalePidfileEvidence } from '@whokilled/shared/stale-pidfile'
import { timestampOf } from '@whokilled/shared/vocabulary'
import { type DescribeOptions, describeProcess } from '../process/describe.ts'
import { textOf } from '../record/bytes.ts'
import type { Ending, Finding } from './causes/cause.ts'
import type { Mistake } from './judged.ts'
import type { Gap } from './loss-log.ts'
import { forgedSenderOf } from './signals/forged-sender.ts'
import type { Received, Refused } from './signals/ladder.ts'

/** What speaks for a verdict, or has to be known beside it, as events show it. */
export class EvidenceTeller {
  private readonly describe: DescribeOptions

  constructor(describe: DescribeOptions) {
    this.describe = describe
  }

  /** In the order of time. */
  of(
    { ladder, at, status }: Ending,
    { fatal, gaps = [] }: Finding,
    mistake: Mistake | undefined,
  ): DeathEvent['evidence'] {
    const forged = fatal === undefined ? [] : this.forgedSender(fatal)
    const refused = ladder.refused.map((one) => this.refused(one))
    const chosen = ladder.oomAt === undefined ? [] : [{ at: this.at(ladder.oomAt), kind: 'oom-victim' }]
    const end = status === undefined ? { at: this.at(at), kind: 'missed' } : { at: this.at(at), kind: 'exit', status }
    const unwatched = gaps.slice(-gapsMax).map((gap) => this.gap(gap))
    const pidfile = mistake === undefined ? [] : this.stalePidfile(mistake)
    return [...unwatched, ...refused, ...chosen, ...forged, ...pidfile, end].sort((a, b) =>
      a.at < b.at ? -1 : a.at > b.at ? 1 : 0,
    )
  }

  private stalePidfile({ pidfile, confidence }: Mistake): StalePidfileEvidence[] {
    if (pidfile === undefined) return []
    const { readAt, path, number, writtenAt } = pidfile
    const written = writtenAt === undefined ? null : timestampOf(writtenAt)
    return [
      { at: this.at(readAt), kind: 'stale-pidfile', path: textOf(path), pid: number, writtenAt: written, confidence },
    ]
  }

  private gap({ from, to, why, reason, lost }: Gap): GapEvidence {
    return { at: this.at(from), kind: 'gap', from: this.at(from), to: this.at(to), why, reason, lostRecords: lost }
  }

  private refused({ record, by, program }: Refused): DeathEvent['evidence'][number] {
    return {
      at: this.at(record.time),
      kind: 'refused-signal',
      call: record.call,
      number: record.sig ?? null,
      error: errorNames[record.err] ?? `error ${record.err}`,
      sender: by === undefined ? null : describeProcess(by, this.describe, program),
    }
  }

  private forgedSender(fatal: Received): DeathEvent['evidence'] {
    const claimed = forgedSenderOf(fatal)
    if (claimed === undefined) return []
    const { pid, uid } = claimed
    return [{ at: this.at(fatal.record.time), kind: 'forged-sender', claimedPid: pid, claimedUid: uid ?? null }]
  }

  private at(time: bigint): string {
    return this.describe.clock.timestamp(time)
  }
}

/** Gaps among the evidence of one death; the latest are told. */
const gapsMax = 8

/** Errors of the sending system calls (kill(2), sigqueue(3), pidfd_send_signal(2)). */
const errorNames: Readonly<Record<number, string>> = { 1: 'EPERM', 3: 'ESRCH', 9: 'EBADF', 11: 'EAGAIN', 22: 'EINVAL' }
