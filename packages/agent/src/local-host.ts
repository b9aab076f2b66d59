import type { ClockReading } from '@whokilled/shared/event'
import type { AgentOptions } from './agent.ts'
import type { Config } from './config.ts'
import { type HostIdentity, hostIdentity } from './host-identity.ts'
import { recordingOf } from './probe/choose.ts'
import { containerNamer } from './process/containers/container-name.ts'
import { lookUpCgroup, lookUpExe, lookUpProc, type ScannedProcess, scanProc, seesAllPids } from './process/proc-scan.ts'
import { snapshotOf } from './process/snapshot.ts'
import { EventStamp } from './stamp.ts'
import { UserNames } from './user-names.ts'
import { version } from './version.ts'

/** What the pure stages need to know of the host they run on, or of the one that a recording was made on. */
export interface LocalHost
  extends Pick<
    AgentOptions,
    'bootId' | 'userNames' | 'scan' | 'lookUp' | 'exeOf' | 'cgroupOf' | 'containerNameOf' | 'canary' | 'stamp'
  > {
  readonly identity: HostIdentity
}

/**
 * @param stateFolder where the identity is kept; undefined: it is derived and not kept
 * @param clock how this host's clock stands to the fleet's; undefined: nobody asks
 */
export function localHost(
  config: Config,
  stateFolder: string | undefined,
  clock?: () => ClockReading | null,
): LocalHost {
  const recording = recordingOf(config.probe)
  const identity = hostIdentity({ stateFolder, hostName: config.hostName })
  const live = { identity, userNames: new UserNames(), canary: true, bootId: identity.host.bootId }
  if (recording !== undefined) {
    const { bootId, hostName, processes } = snapshotOf(recording)
    const host = { ...identity.host, bootId, name: config.hostName ?? hostName }
    return {
      ...live,
      identity: { ...identity, host },
      bootId,
      canary: false,
      stamp: new EventStamp({ host, secret: identity.secret, version }),
      scan: onlyOnce(processes),
      lookUp: undefined,
      exeOf: undefined,
      cgroupOf: undefined,
      containerNameOf: undefined,
    }
  }
  const canScan = seesAllPids()
  return {
    ...live,
    stamp: new EventStamp({ host: identity.host, secret: identity.secret, version, ...(clock && { clock }) }),
    scan: async () => (canScan ? scanProc() : undefined),
    lookUp: canScan ? lookUpProc : undefined,
    exeOf: canScan ? lookUpExe : undefined,
    cgroupOf: canScan ? lookUpCgroup : undefined,
    containerNameOf: containerNamer(),
  }
}

/** A recording tells of the processes at its start; of those that were alive later it knows nothing. */
function onlyOnce(processes: readonly ScannedProcess[]): AgentOptions['scan'] {
  let known: readonly ScannedProcess[] | undefined = processes
  return async () => {
    const told = known
    known = undefined
    return told
  }
}
