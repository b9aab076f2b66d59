import type { Container } from '@whokilled/shared/process'
import { textOf } from '../record/bytes.ts'

/**
 * The container that a cgroup path stands for, or null: the innermost one, since containers hold others (docker in
 * docker, kind). `name` is set where the path itself tells it. Paths are those of the runtimes' systemd and cgroupfs
 * drivers, on both versions of cgroups; container-paths.test.ts has a real one of each, and where it is from.
 */
export function containerOf(cgroup: string): Container | null {
  const parts = cgroup.split('/')
  for (let at = parts.length - 1; at > 0; at -= 1) {
    const found = containerAt(parts, at)
    if (found !== undefined) return { name: null, ...found, pod: podOf(parts.slice(0, at + 1)) }
  }
  return null
}

/** The systemd service unit that a cgroup path belongs to, unless a container is nearer to its end. */
export function serviceUnitOf(cgroup: string): string | undefined {
  const parts = cgroup.split('/')
  for (let at = parts.length - 1; at > 0; at -= 1) {
    const part = parts[at] ?? ''
    // Podman puts the container of a unit of its own (Quadlet, --cgroups=split) inside that unit.
    if (part.startsWith('libpod-payload-')) continue
    if (containerAt(parts, at) !== undefined) return undefined
    if (/^[^/]+\.service$/.test(part) && !/^user@\d+\.service$/.test(part)) return part
  }
  return undefined
}

type Found = Pick<Container, 'id' | 'runtime'> & Partial<Pick<Container, 'name'>>

const id = '([0-9a-f]{64})'
const whole = new RegExp(`^${id}$`)
/** `docker-ID.scope` is what systemd makes of `SLICE:docker:ID`, which stays as it is where a driver is not systemd's. */
const prefixed = new RegExp(`^(?:([a-z-]+)-|[^:]*:([a-z-]+):)${id}(?:\\.scope)?$`)

const runtimes: Readonly<Record<string, Container['runtime']>> = {
  docker: 'docker',
  'cri-containerd': 'containerd',
  nerdctl: 'containerd',
  crio: 'cri-o',
  libpod: 'podman',
  'libpod-payload': 'podman',
}

/** Whether one part of a path is a container's. What runs beside one for it (conmon, a supervisor) is outside. */
function containerAt(parts: readonly string[], at: number): Found | undefined {
  const part = parts[at] ?? ''
  const [, dashed, coloned, prefixedId] = prefixed.exec(part) ?? []
  const runtime = runtimes[dashed ?? coloned ?? '']
  if (runtime !== undefined && prefixedId !== undefined) return { id: prefixedId, runtime }
  if (whole.test(part)) return { id: part, runtime: runtimeAround(parts, at) }
  return linuxContainer(parts, at) ?? nspawnMachine(parts, at) ?? gardenOrFargate(parts, at)
}

/** cgroupfs drivers name the folder with the id alone; what stands before it tells the runtime. */
function runtimeAround(parts: readonly string[], at: number): Container['runtime'] {
  const parent = parts[at - 1] ?? ''
  // On ECS the agent makes the folders, and docker the containers.
  if (parent === 'docker' || parts.slice(0, at).includes('ecs')) return 'docker'
  // The namespaces of containerd: nerdctl's and ctr's, and that of the CRI plugin.
  if (parent === 'default' || parent === 'k8s.io') return 'containerd'
  // cri-o has a prefix, and dockershim is no more.
  return parts.slice(0, at).some((part) => part.includes('kubepods')) ? 'containerd' : 'unknown'
}

/** LXC, LXD, Incus and Proxmox: the folder has the container's name. `lxc.monitor` is outside. */
function linuxContainer(parts: readonly string[], at: number): Found | undefined {
  const part = parts[at] ?? ''
  const parent = parts[at - 1]
  const name = parent === 'lxc' || parent === 'lxc.payload' ? part : /^lxc\.payload[.-](.+)$/.exec(part)?.[1]
  return name === undefined || name === '' ? undefined : named(name, 'lxc')
}

/** systemd-nspawn, as a unit or alone; machine scopes are those of virtual machines and libvirt's, too. */
function nspawnMachine(parts: readonly string[], at: number): Found | undefined {
  const part = parts[at] ?? ''
  const child = parts[at + 1]
  const unit = /^systemd-nspawn@(.+)\.service$/.exec(part)?.[1]
  if (unit !== undefined) return child === 'payload' ? named(unescaped(unit), 'systemd-nspawn') : undefined
  const machine = /^machine-(.+)\.scope$/.exec(part)?.[1]
  if (machine === undefined || child === 'supervisor' || /^(?:qemu|lxc|xen|vz)\\x2d/.test(machine)) return undefined
  return named(unescaped(machine), 'systemd-nspawn')
}

/** Cloud Foundry and Concourse; and Fargate, whose ids are the task's with a number behind it. */
function gardenOrFargate(parts: readonly string[], at: number): Found | undefined {
  const part = parts[at] ?? ''
  const [before, parent] = [parts[at - 2], parts[at - 1] ?? '']
  const isGarden = parent === 'garden' || (before === 'garden' && (parent === 'good' || parent === 'bad'))
  if (isGarden && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4,12}$/.test(part)) return { id: part, runtime: 'garden' }
  const isFargate = /^[0-9a-f]{32}-\d+$/.test(part) && parts.slice(0, at).includes('ecs')
  return isFargate ? { id: part, runtime: 'unknown' } : undefined
}

function named(bytes: string, runtime: Container['runtime']): Found {
  const name = textOf(bytes)
  return { id: name, name, runtime }
}

/** systemd writes bytes that a unit's name cannot have as `\xHH` (systemd.unit(5)). */
function unescaped(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const pod =
  /(?:^|[/-])pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=[./:]|$)/

/** The nearest pod around a container: its uid, as the kubelet names it; of a static pod a hash; podman's pod id. */
function podOf(parts: readonly string[]): string | null {
  for (const part of parts.toReversed()) {
    const found = pod.exec(part)?.[1] ?? /libpod_pod_([0-9a-f]{64})\.slice$/.exec(part)?.[1]
    if (found !== undefined) return found.replaceAll('_', '-')
  }
  return null
}
