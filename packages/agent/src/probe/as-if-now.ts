import { encodeRecord } from '../record/encode.ts'
import { parseRecord } from '../record/parse.ts'
import type { Probe } from './probe.ts'

/** The same recording, told as if it began at this moment: its wall clock is moved, the rest is as it was. */
export function asIfNow(probe: Probe, nowMs = Date.now()): Probe {
  return {
    kind: probe.kind,
    async start() {
      const run = await probe.start()
      const moved = movedTo(BigInt(nowMs) * 1_000_000n)
      return {
        stop: () => run.stop(),
        ended: run.ended,
        async *lines() {
          for await (const line of run.lines()) yield moved(line)
        },
      }
    },
  }
}

function movedTo(beginsAt: bigint): (line: string) => string {
  let shift: bigint | undefined
  return (line) => {
    if (!/^(?:start|heartbeat|stop)\t/.test(line)) return line
    const parsed = parseRecord(line)
    if (!('record' in parsed) || !('real' in parsed.record)) return line
    shift ??= beginsAt - parsed.record.real
    return encodeRecord({ ...parsed.record, real: parsed.record.real + shift })
  }
}
