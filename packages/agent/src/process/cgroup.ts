import type { Container } from '@whokilled/shared/process'

/**
 * The container that a cgroup path stands for, or null. Paths are those of the runtimes' systemd and cgroupfs
 * drivers: docker (moby), containerd's CRI plugin, CRI-O, podman (libpod); pods as the kubelet names them.
 */
export function containerOf(cgroup: string): Container | null {
  for (const part of cgroup.split('/').reverse()) {
    const found = containerPart(part, cgroup)
    if (found !== undefined) return { ...found, name: null, pod: podOf(cgroup) }
  }
  return null
}

/** The systemd service unit that a cgroup path belongs to, unless a container is nearer to its end. */
export function serviceUnitOf(cgroup: string): string | undefined {
  for (const part of cgroup.split('/').reverse()) {
    if (containerPart(part, cgroup) !== undefined) return undefined
    if (/^[^/]+\.service$/.test(part) && !/^user@\d+\.service$/.test(part)) return part
  }
  return undefined
}

const id = '([0-9a-f]{64})'
const scopes: readonly [RegExp, Container['runtime']][] = [
  [new RegExp(`^docker-${id}\\.scope$`), 'docker'],
  [new RegExp(`^cri-containerd-${id}\\.scope$`), 'containerd'],
  [new RegExp(`^[^:]+:cri-containerd:${id}$`), 'containerd'],
  [new RegExp(`^nerdctl-${id}\\.scope$`), 'containerd'],
  [new RegExp(`^crio-${id}(?:\\.scope)?$`), 'cri-o'],
  [new RegExp(`^libpod-${id}(?:\\.scope)?$`), 'podman'],
]

function containerPart(part: string, cgroup: string): Pick<Container, 'id' | 'runtime'> | undefined {
  for (const [pattern, runtime] of scopes) {
    const found = pattern.exec(part)?.[1]
    if (found !== undefined) return { id: found, runtime }
  }
  if (!new RegExp(`^${id}$`).test(part)) return undefined
  if (cgroup.includes(`/docker/${part}`)) return { id: part, runtime: 'docker' }
  return { id: part, runtime: cgroup.includes('kubepods') ? 'containerd' : 'unknown' }
}

function podOf(cgroup: string): string | null {
  const found =
    /(?:^|[/-])pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=[./]|$)/.exec(
      cgroup,
    )?.[1]
  return found?.replaceAll('_', '-') ?? null
}
