import { z } from 'zod'

/** What a runtime calls a container: its name, and of Kubernetes its pod as `namespace/name`. */
export interface ContainerNames {
  readonly name: string
  readonly pod: string | null
}

/**
 * Names in the file that docker keeps of a container (`config.v2.json`). What the kubelet named stands in labels;
 * docker's own name of it is a composition (`k8s_web_shop-7d4f_default_1b2c…_0`).
 */
export function namesInDockerConfig(text: string): ContainerNames | undefined {
  const config = parsed(DockerConfig, text)
  const name = nameOf(config?.Name?.replace(/^\//, ''))
  return namesInLabels(config?.Config?.Labels ?? {}) ?? (name === undefined ? undefined : { name, pod: null })
}

/** Names in the annotations of a container's OCI runtime specification (`config.json`), by containerd, CRI-O or nerdctl. */
export function namesInRuntimeSpec(text: string): ContainerNames | undefined {
  const annotations = parsed(RuntimeSpec, text)?.annotations ?? {}
  const name = nameOf(annotations['nerdctl/name'])
  return (
    namesInCriAnnotations(annotations) ??
    namesInLabels(annotations) ??
    (name === undefined ? undefined : { name, pod: null })
  )
}

/** A container's name in the list that podman and CRI-O keep (`containers.json`, of containers/storage). */
export function namesInStorageList(text: string, id: string): ContainerNames | undefined {
  const name = nameOf(parsed(StorageList, text)?.find((one) => one.id === id)?.names?.[0])
  return name === undefined ? undefined : { name, pod: null }
}

const Labels = z.record(z.string(), z.string())
const DockerConfig = z.object({
  Name: z.string().optional(),
  Config: z.object({ Labels: Labels.nullish() }).nullish(),
})
const RuntimeSpec = z.object({ annotations: Labels.nullish() })
const StorageList = z.array(z.object({ id: z.string(), names: z.array(z.string()).nullish() }))

/** What a pod's own container, which only holds its namespaces, is called. */
const pause = 'pause'

/** containerd's CRI plugin (pkg/cri/annotations). */
function namesInCriAnnotations(annotations: Readonly<Record<string, string>>): ContainerNames | undefined {
  const isPause = annotations['io.kubernetes.cri.container-type'] === 'sandbox'
  const name = isPause ? pause : nameOf(annotations['io.kubernetes.cri.container-name'])
  const pod = podOf(annotations['io.kubernetes.cri.sandbox-namespace'], annotations['io.kubernetes.cri.sandbox-name'])
  return name === undefined ? undefined : { name, pod }
}

/** The kubelet's labels (pkg/kubelet/types/labels.go), which docker keeps as labels, and CRI-O as annotations. */
function namesInLabels(labels: Readonly<Record<string, string>>): ContainerNames | undefined {
  const label = nameOf(labels['io.kubernetes.container.name'])
  if (label === undefined) return undefined
  const pod = podOf(labels['io.kubernetes.pod.namespace'], labels['io.kubernetes.pod.name'])
  return { name: label === 'POD' ? pause : label, pod }
}

function podOf(namespace: string | undefined, name: string | undefined): string | null {
  const parts = [nameOf(namespace), nameOf(name)]
  return parts.includes(undefined) ? null : parts.join('/')
}

/** Names as docker, podman and Kubernetes allow them; anything else is not told. */
function nameOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\w[\w.-]{0,252}$/.test(text) ? text : undefined
}

function parsed<T>(shape: z.ZodType<T>, text: string): T | undefined {
  try {
    return shape.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
