import type { Config } from '../config.ts'
import { ProbeError } from '../errors.ts'
import { asIfNow } from './as-if-now.ts'
import { bpftraceProbe } from './bpftrace/bpftrace.ts'
import { firstThatStarts } from './first-that-starts.ts'
import type { Probe } from './probe.ts'
import { replayProbe } from './replay.ts'
import { stapProbe } from './stap/stap.ts'

export interface ChooseOptions {
  readonly config: Pick<Config, 'probe' | 'module' | 'replay' | 'cacheFolder' | 'bufferMegabytes'>
  readonly onProgress: (line: string) => void
  /** Told why a better probe was passed over. */
  readonly onPassedOver: (error: ProbeError) => void
}

/** The probe that the settings ask for. SystemTap comes first; bpftrace is for kernels that load no modules. */
export function chooseProbe({ config, onProgress, onPassedOver }: ChooseOptions): Probe {
  const { probe, module, cacheFolder, replay, bufferMegabytes } = config
  const buffer = bufferMegabytes === undefined ? {} : { bufferMegabytes }
  const file = recordingOf(probe)
  if (file !== undefined) {
    const recording = replayProbe({ file, speed: replay.speed })
    return replay.time === 'now' ? asIfNow(recording) : recording
  }
  const stap =
    module === undefined
      ? stapProbe({ mode: 'compile', cacheFolder, onProgress, ...buffer })
      : stapProbe({ mode: 'module', path: module, onProgress, ...buffer })
  if (probe === 'stap') return forRoot(stap)
  if (probe === 'bpftrace') return forRoot(bpftraceProbe(buffer))
  return forRoot(firstThatStarts([stap, bpftraceProbe(buffer)], onPassedOver))
}

/** Tracers tell other users of a file that they may not see, or of a call that failed; this says what it comes from. */
function forRoot(probe: Probe): Probe {
  return {
    get kind() {
      return probe.kind
    },
    async start() {
      const user = process.getuid?.()
      if (user === 0) return await probe.start()
      throw new ProbeError(
        'not-permitted',
        `expected to run as root, which tracing needs, got user ${user}`,
        'Start it with sudo, or as a system service.',
      )
    },
  }
}

/** The file of a `replay:FILE` setting. */
export function recordingOf(setting: string): string | undefined {
  return setting.startsWith('replay:') ? setting.slice('replay:'.length) : undefined
}
