import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { ProbeError } from '../errors.ts'
import type { ProcSnapshot } from './proc-scan.ts'

const number = z.int().nonnegative().optional()
const bytes = z.string().optional()

const ScannedProcess = z.looseObject({
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  comm: z.string(),
  args: z.array(z.string()).optional(),
  ...{ ppid: number, uid: number, euid: number, luid: number, ses: number, sid: number, nspid: number, nsid: number },
  ...{ exe: bytes, tty: bytes, cgroup: bytes },
})

const Snapshot = z.looseObject({ bootId: z.string(), hostName: z.string(), processes: z.array(ScannedProcess) })

/**
 * The processes that were alive when a recording began: `article.procs.json` beside `article.wkr`. Without that
 * file nothing is known of them.
 */
export function snapshotOf(recording: string): ProcSnapshot {
  const file = recording.replace(/(?:\.wkr)?$/, '.procs.json')
  if (!existsSync(file)) return { bootId: 'recorded', hostName: 'recorded', processes: [] }
  try {
    return Snapshot.parse(JSON.parse(readFileSync(file, 'utf8'))) as unknown as ProcSnapshot
  } catch (cause) {
    throw new ProbeError(
      'snapshot-unreadable',
      `expected the processes at the start of the recording in ${file}: ${(cause as Error).message}`,
      `Remove ${file} to replay without them; ancestors are then unknown.`,
      { cause },
    )
  }
}
