import { access } from 'node:fs/promises'
import { execa } from 'execa'
import { ProbeError } from '../../errors.ts'

const mountPoint = '/sys/kernel/tracing'

/**
 * Mounts tracefs where systemd and the kernel's own documentation have it, unless it is there.
 * Returns what it did, for the warnings; rejects with a ProbeError if it may not.
 */
export async function ensureTracefs(): Promise<string | undefined> {
  if (await isThere(`${mountPoint}/events`)) return undefined
  const mounted = await execa('mount', ['-t', 'tracefs', 'tracefs', mountPoint], {
    reject: false,
    env: { LC_ALL: 'C' },
  })
  if (await isThere(`${mountPoint}/events`)) return `mounted tracefs at ${mountPoint}, which bpftrace needs`
  throw new ProbeError(
    'tracefs-missing',
    `Expected tracefs at ${mountPoint}, it is not mounted, and mounting it failed: ${mounted.stderr || mounted.shortMessage}`,
    `As root: mount -t tracefs tracefs ${mountPoint}. In a container: mount the host's ${mountPoint} into it.`,
  )
}

/** bpftrace 0.17 crashes without a word where the kernel does not describe its types. */
export async function checkBtf(): Promise<void> {
  if (await isThere('/sys/kernel/btf/vmlinux')) return
  throw new ProbeError(
    'btf-missing',
    'Expected the kernel to describe its types in /sys/kernel/btf/vmlinux (BTF), there is no such file.',
    'The kernel needs CONFIG_DEBUG_INFO_BTF; else use --probe stap.',
  )
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
