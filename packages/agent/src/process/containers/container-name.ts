import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Container } from '@whokilled/shared/process'
import {
  type ContainerNames,
  namesInDockerConfig,
  namesInRuntimeSpec,
  namesInStorageList,
} from './container-name-formats.ts'

/** Who runs a container that has an id of 64 hexadecimal digits, and what it is called there. */
export interface NamedContainer extends ContainerNames {
  readonly runtime: Container['runtime']
}

/** A container's own file; most have 5 to 60 kB. */
const fileBytesMax = 1_048_576
/** The list of all of podman's containers has 1 kB for each. */
const listBytesMax = 8 * 1_048_576
/** Namespaces of containerd that are looked through. */
const namespacesMax = 64

const dockerFolders = ['var/lib/docker', 'var/snap/docker/common/var-lib-docker']
/** containerd's own, that of k3s and RKE2, of k0s, and of MicroK8s. */
const containerdFolders = [
  'run/containerd',
  'run/k3s/containerd',
  'run/k0s/containerd',
  'var/snap/microk8s/common/run/containerd',
]
const storageFolders = ['run/containers/storage', 'var/lib/containers/storage']

/**
 * Reads what the runtimes of this host call a container, from their state files. They vanish with the container, so it
 * is to be asked when the container is first seen. Never throws; what cannot be read, is too large or has another form
 * is passed over. Files of users (rootless runtimes) are not read: a home may be on a disk that does not answer.
 * @param root where the host's files are
 */
export function containerNamer(
  root = '/',
): (container: Pick<Container, 'id' | 'runtime'>) => NamedContainer | undefined {
  const file = (path: string, max = fileBytesMax) => readBounded(join(root, path), max)
  const inDocker = (id: string) =>
    first(dockerFolders, (folder) => namesInDockerConfig(file(`${folder}/containers/${id}/config.v2.json`)))
  const inContainerd = (id: string) =>
    first(containerdFolders, (folder) => {
      const tasks = `${folder}/io.containerd.runtime.v2.task`
      return first(namespacesIn(join(root, tasks)), (namespace) =>
        namesInRuntimeSpec(file(`${tasks}/${namespace}/${id}/config.json`)),
      )
    })
  const inSpec = (id: string) =>
    first(storageFolders, (folder) =>
      namesInRuntimeSpec(file(`${folder}/overlay-containers/${id}/userdata/config.json`)),
    )
  const inLists = (id: string) =>
    first(storageFolders, (folder) =>
      first(['containers', 'volatile-containers'], (name) =>
        namesInStorageList(file(`${folder}/overlay-containers/${name}.json`, listBytesMax), id),
      ),
    )
  return ({ id, runtime }) => {
    if (!/^[0-9a-f]{64}$/.test(id)) return undefined
    if (runtime === 'cri-o' || runtime === 'podman') return by(runtime, inSpec(id) ?? inLists(id))
    // A path with the id alone does not tell docker from containerd (cri-dockerd, a cgroup parent of one's own).
    return by('docker', inDocker(id)) ?? (runtime === 'docker' ? undefined : by('containerd', inContainerd(id)))
  }
}

function by(runtime: Container['runtime'], names: ContainerNames | undefined): NamedContainer | undefined {
  return names === undefined ? undefined : { ...names, runtime }
}

function first<T>(places: readonly string[], look: (place: string) => T | undefined): T | undefined {
  for (const place of places) {
    const found = look(place)
    if (found !== undefined) return found
  }
  return undefined
}

/** Those of Kubernetes and nerdctl first. The containers of docker are in `moby`, without their names. */
function namespacesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name !== 'moby')
    return names.sort((a, b) => rank(a) - rank(b)).slice(0, namespacesMax)
  } catch {
    return []
  }
}

function rank(namespace: string): number {
  return namespace === 'k8s.io' ? 0 : namespace === 'default' ? 1 : 2
}

/** The text of a regular file of at most so many bytes; empty if there is none. Waits for nothing, follows no link. */
function readBounded(path: string, bytesMax: number): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const { size } = fstatSync(descriptor)
    if (!fstatSync(descriptor).isFile() || size > bytesMax) return ''
    const buffer = Buffer.alloc(size)
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, size, 0))
  } catch {
    return ''
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
