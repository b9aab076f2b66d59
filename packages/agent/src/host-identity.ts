import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Host } from '@whokilled/shared/event'
import { z } from 'zod'
import { IdentityError } from './errors.ts'

const Stored = z.object({
  id: z.string().min(1),
  /** Makes the ids of this host's events impossible to guess for others. */
  secret: z.string(),
  /** Of the machine that this identity was made on. */
  machine: z.string(),
})

export interface HostIdentity {
  readonly host: Host
  readonly secret: string
  /** True if the state folder came from another machine, as when a disk is cloned; the id is new then. */
  readonly wasCloned: boolean
}

export interface HostIdentityOptions {
  /** Where the identity is kept; undefined: it is derived and not kept. */
  readonly stateFolder: string | undefined
  readonly hostName: string | undefined
  readonly machineIdPath?: string
}

/**
 * Who this host is. The id is random, made at the first start and kept in the state folder, so it survives a new
 * name, a new network and a new kernel. It is tied to /etc/machine-id: a clone with a machine id of its own makes
 * a new identity at its first start. Clones that share the machine id too cannot be told apart: clear both.
 */
export function hostIdentity(options: HostIdentityOptions): HostIdentity {
  const machine = machineHash(options.machineIdPath ?? '/etc/machine-id')
  const name = options.hostName ?? hostname()
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  if (options.stateFolder === undefined) {
    return { host: { id: machine, name, bootId }, secret: randomBytes(32).toString('hex'), wasCloned: false }
  }
  const path = join(options.stateFolder, 'host.json')
  const stored = existsSync(path) ? readStored(path) : undefined
  const wasCloned = stored !== undefined && stored.machine !== machine
  const kept = stored === undefined || wasCloned ? store(path, machine) : stored
  return { host: { id: kept.id, name, bootId }, secret: kept.secret, wasCloned }
}

function readStored(path: string): z.infer<typeof Stored> {
  try {
    return Stored.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new IdentityError(
      'host-identity-unreadable',
      `expected this host's identity in ${path}, found something else`,
      `Remove ${path}; the agent makes a new identity, and the host appears under a new id.`,
      { cause },
    )
  }
}

function store(path: string, machine: string): z.infer<typeof Stored> {
  const made = { id: randomUUID(), secret: randomBytes(32).toString('hex'), machine }
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
    // A power cut after the new name and before the content would leave an empty one, with which no agent starts.
    writeFileSync(`${path}.new`, `${JSON.stringify(made)}\n`, { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
  } catch (cause) {
    throw new IdentityError(
      'state-folder-not-writable',
      `expected to write ${path}: ${(cause as Error).message}`,
      'Give the agent a folder that it may write to, with "stateFolder" in its configuration.',
      { cause },
    )
  }
  return made
}

/** The machine id itself is not to be shown to others (machine-id(5)), so only its hash leaves this file. */
function machineHash(path: string): string {
  const id = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  return createHash('sha256')
    .update(`whokilled\n${id || hostname()}`)
    .digest('hex')
    .slice(0, 32)
}
