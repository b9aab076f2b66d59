import { access, constants, readFile, statfs } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { hostname, release } from 'node:os'
import { delimiter, join } from 'node:path'
import { natsProblem, natsServers } from '@whokilled/shared/nats-settings'
import { hostInbox } from '@whokilled/shared/subjects'
import type { Config } from '../config.ts'
import { AgentError } from '../errors.ts'
import { findKernelHeaders } from '../probe/stap/kernel-headers.ts'
import { seesAllPids } from '../process/proc-scan.ts'
import { Connection } from '../wire/connection.ts'
import { wireError } from '../wire/wire-error.ts'

/** One thing this host must have. */
export interface Check {
  /** Stable, for programs. */
  readonly id: string
  /** What cannot run without it. */
  readonly needed: 'systemtap' | 'systemtap-compile' | 'bpftrace' | 'agent'
  readonly what: string
  /** The remedy if it is missing; undefined if all is well. */
  readonly remedy: () => Promise<string | undefined>
}

/** All checks, in the order they are printed. */
export function checksFor(config: Config): Check[] {
  const kernel = release()
  return [
    {
      id: 'root',
      needed: 'agent',
      what: 'runs as root',
      remedy: async () => (isRoot() ? undefined : 'Run it as root: sudo whokilled-agent … (tracing needs it).'),
    },
    {
      id: 'host-pids',
      needed: 'agent',
      what: "sees the host's processes",
      remedy: async () =>
        seesAllPids() ? undefined : 'In a container, start it with the host’s pid namespace (docker run --pid host).',
    },
    {
      id: 'kernel-modules',
      needed: 'systemtap',
      what: 'the kernel loads modules',
      remedy: readable(
        '/proc/modules',
        `Kernel ${kernel} was built without modules: SystemTap cannot run, bpftrace may.`,
      ),
    },
    {
      id: 'lockdown',
      needed: 'systemtap',
      what: 'the kernel takes unsigned modules (lockdown is off)',
      remedy: notLockedDown,
    },
    {
      id: 'staprun',
      needed: 'systemtap',
      what: 'staprun is installed',
      remedy: program('staprun', 'systemtap-runtime'),
    },
    { id: 'stap', needed: 'systemtap-compile', what: 'stap is installed', remedy: program('stap', 'systemtap') },
    { id: 'compiler', needed: 'systemtap-compile', what: 'gcc is installed', remedy: program('gcc', 'gcc') },
    { id: 'make', needed: 'systemtap-compile', what: 'make is installed', remedy: program('make', 'make') },
    {
      id: 'headers',
      needed: 'systemtap-compile',
      what: `headers of kernel ${kernel}, with the options the probe needs`,
      remedy: () => hintOf(findKernelHeaders(kernel)),
    },
    { id: 'bpftrace', needed: 'bpftrace', what: 'bpftrace is installed', remedy: program('bpftrace', 'bpftrace') },
    {
      id: 'btf',
      needed: 'bpftrace',
      what: 'the kernel describes its types (BTF)',
      remedy: readable(
        '/sys/kernel/btf/vmlinux',
        'This kernel was built without CONFIG_DEBUG_INFO_BTF: use SystemTap.',
      ),
    },
    {
      id: 'tracefs',
      needed: 'bpftrace',
      what: 'tracefs is mounted',
      remedy: readable(
        '/sys/kernel/tracing/events/signal/signal_generate/id',
        isRoot()
          ? 'mount -t tracefs tracefs /sys/kernel/tracing (in a container: mount it from the host).'
          : 'Only root may look: run it as root.',
      ),
    },
    {
      id: 'state-folder',
      needed: 'agent',
      what: `room and rights in ${config.stateFolder}`,
      remedy: () => roomIn(config.stateFolder),
    },
    { id: 'nats', needed: 'agent', what: 'NATS answers, and takes this host', remedy: () => natsTakes(config) },
  ]
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function readable(path: string, remedy: string): Check['remedy'] {
  return () =>
    access(path, constants.R_OK).then(
      () => undefined,
      () => remedy,
    )
}

function program(name: string, debianPackage: string): Check['remedy'] {
  return async () => {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const found = await access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      )
      if (found) return undefined
    }
    return `apt-get install ${debianPackage} (Debian, Ubuntu) or dnf install ${debianPackage} (Fedora, RHEL).`
  }
}

async function notLockedDown(): Promise<string | undefined> {
  const mode = await readFile('/sys/kernel/security/lockdown', 'utf8').catch(() => '[none]')
  if (mode.includes('[none]')) return undefined
  return 'Secure Boot locks this kernel: sign the module with a key of yours (MOK), or use bpftrace.'
}

async function hintOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof AgentError) return `${error.message} ${error.hint}`
    throw error
  }
}

const spoolRoomBytes = 100 * 1_024 * 1_024

async function roomIn(folder: string): Promise<string | undefined> {
  const nearest = await firstThatIs(folder)
  const { bavail, bsize } = await statfs(nearest)
  if (bavail * bsize < spoolRoomBytes)
    return `Less than 100 MB are free on the disk of ${nearest}: events could not wait there.`
  return access(nearest, constants.W_OK).then(
    () => undefined,
    () => `${nearest} is not writable: set "stateFolder" to a folder that is.`,
  )
}

async function firstThatIs(folder: string): Promise<string> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  )
  return exists ? folder : firstThatIs(join(folder, '..'))
}

/**
 * Something answers, and takes this host's key, as this host's, over a connection as the settings want it: another's
 * key connects, too, and does not open this host's inbox.
 */
async function natsTakes(config: Config): Promise<string | undefined> {
  const problem = natsProblem(config)
  if (problem !== undefined) return `${problem.message}. ${problem.hint}`
  const silent = await natsAnswers(config.natsUrl)
  if (silent !== undefined) return silent
  const hostName = config.hostName ?? hostname()
  const connection = new Connection({ ...config, url: config.natsUrl, hostName })
  try {
    const client = await connection.open()
    const refusals: Error[] = []
    client.subscribe(`${hostInbox(hostName)}.>`, {
      callback: (error) => {
        if (error !== null) refusals.push(error)
      },
    })
    await client.flush()
    const [refusal] = refusals
    return refusal === undefined ? undefined : remedyOf(refusal, hostName)
  } catch (error) {
    return remedyOf(error, hostName)
  } finally {
    await connection.close()
  }
}

function remedyOf(error: unknown, hostName: string): string {
  const { message, hint } = wireError(error, hostName)
  return `${message}. ${hint}`
}

/** One server of several is enough; the remedy is that of the first. */
async function natsAnswers(natsUrl: string): Promise<string | undefined> {
  const remedies = await Promise.all(natsServers({ natsUrl }).servers.map(answers))
  return remedies.includes(undefined) ? undefined : remedies[0]
}

/** A NATS server greets with INFO as soon as one connects. */
function answers(server: string): Promise<string | undefined> {
  const { hostname, port } = new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const where = `${hostname}:${port || 4222}`
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: Number(port || 4222), timeout: 3_000 })
    const end = (remedy: string | undefined) => {
      socket.destroy()
      resolve(remedy)
    }
    socket.once('data', (bytes) =>
      end(
        bytes.toString('latin1').startsWith('INFO ')
          ? undefined
          : `What listens on ${where} is no NATS server: correct "natsUrl".`,
      ),
    )
    socket.once('timeout', () => end(`Nothing answers on ${where}: correct "natsUrl", or open the firewall.`))
    socket.once('error', (error) => end(`${error.message}: start NATS there, or correct "natsUrl".`))
  })
}
