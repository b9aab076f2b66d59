import { ProbeError } from '../errors.ts'
import type { Probe, ProbeKind } from './probe.ts'

/** The first of these probes that starts here; it stays the one for all later runs. */
export function firstThatStarts(candidates: readonly Probe[], onPassedOver: (error: ProbeError) => void): Probe {
  let chosen: Probe | undefined
  return {
    get kind(): ProbeKind {
      return chosen?.kind ?? candidates[0]?.kind ?? 'systemtap'
    },
    async start() {
      if (chosen !== undefined) return chosen.start()
      const errors: ProbeError[] = []
      for (const candidate of candidates) {
        try {
          const run = await candidate.start()
          chosen = candidate
          return run
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error
          errors.push(error)
          if (candidate !== candidates.at(-1)) onPassedOver(error)
        }
      }
      throw new ProbeError(
        'no-probe',
        `expected SystemTap or bpftrace to run here, neither does: ${errors.map(({ message }) => message).join(' ')}`,
        errors.map(({ hint }) => hint).join(' Or: '),
      )
    },
  }
}
