import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { containerNamer } from './container-name.ts'

const id = '8ad700d1f7115aba42de87ce088d3f16808a1ac54e2d7f562c499bdef8d0a0d4'
const other = '6f8cca02849370b4c271511229f36a5a0b76d20ba5b8e8391564c5d3bd0c1f44'

/** As docker 24 writes it, with what is of no matter here left out. */
const dockerConfig = (name: string, labels: Record<string, string> = {}) => ({
  StreamConfig: {},
  State: { Running: true, Paused: false, Pid: 1374767, StartedAt: '2023-12-30T13:27:28.918018959Z', Health: null },
  ID: id,
  Created: '2023-12-30T13:16:55.186239134Z',
  Path: '/docker-entrypoint.sh',
  Args: ['nginx', '-g', 'daemon off;'],
  Config: { Hostname: '8ad700d1f711', Env: ['DB_PASSWORD=hunter2'], Image: 'nginx', Volumes: null, Labels: labels },
  Name: name,
  Driver: 'overlay2',
})

const spec = (annotations: Record<string, string>) => ({
  ociVersion: '1.1.0',
  process: { user: { uid: 0, gid: 0 }, args: ['nginx'], env: ['DB_PASSWORD=hunter2'] },
  linux: { cgroupsPath: `kubepods-besteffort-pod1.slice:cri-containerd:${id}` },
  annotations,
})

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'whokilled-containers-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function write(path: string, content: unknown) {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
}
const named = (runtime: Parameters<ReturnType<typeof containerNamer>>[0]['runtime']) =>
  containerNamer(root)({ id, runtime })
const task = (folder: string, namespace: string) =>
  `${folder}/io.containerd.runtime.v2.task/${namespace}/${id}/config.json`

describe('the name of a container', () => {
  test('is docker’s', () => {
    write(`var/lib/docker/containers/${id}/config.v2.json`, dockerConfig('/shop-web-1'))
    expect(named('docker')).toEqual({ name: 'shop-web-1', pod: null, runtime: 'docker' })
    expect(named('unknown')).toEqual({ name: 'shop-web-1', pod: null, runtime: 'docker' })
  })

  test('is docker’s, installed as a snap', () => {
    write(`var/snap/docker/common/var-lib-docker/containers/${id}/config.v2.json`, dockerConfig('/shop-web-1'))
    expect(named('docker')?.name).toBe('shop-web-1')
  })

  test('is the kubelet’s where docker runs its pods, and docker is told apart from containerd', () => {
    const labels = {
      'io.kubernetes.container.name': 'web',
      'io.kubernetes.pod.name': 'shop-7d4f8',
      'io.kubernetes.pod.namespace': 'default',
    }
    write(
      `var/lib/docker/containers/${id}/config.v2.json`,
      dockerConfig('/k8s_web_shop-7d4f8_default_44e4b37f-504f-4f1c-80f3-4137bfbec5e4_0', labels),
    )
    expect(named('containerd')).toEqual({ name: 'web', pod: 'default/shop-7d4f8', runtime: 'docker' })
  })

  // https://github.com/cri-o/cri-o and containerd: `jq .annotations` of a coredns.
  test.each(['run/containerd', 'run/k3s/containerd', 'run/k0s/containerd', 'var/snap/microk8s/common/run/containerd'])(
    'is the kubelet’s with containerd in %s',
    (folder) => {
      const annotations = {
        'io.kubernetes.cri.container-name': 'coredns',
        'io.kubernetes.cri.container-type': 'container',
        'io.kubernetes.cri.image-name': 'k8s.gcr.io/coredns/coredns:v1.8.6',
        'io.kubernetes.cri.sandbox-id': '2f8ce2bd696584bcc7d7c107135a38354d6766bc7ea7dd137bb4acfc92592268',
        'io.kubernetes.cri.sandbox-name': 'coredns-6d4b75cb6d-w4b72',
        'io.kubernetes.cri.sandbox-namespace': 'kube-system',
      }
      write(task(folder, 'k8s.io'), spec(annotations))
      expect(named('containerd')).toEqual({
        name: 'coredns',
        pod: 'kube-system/coredns-6d4b75cb6d-w4b72',
        runtime: 'containerd',
      })
    },
  )

  test('is pause for the container that holds a pod’s namespaces', () => {
    const containerd = {
      'io.kubernetes.cri.container-type': 'sandbox',
      'io.kubernetes.cri.sandbox-name': 'coredns-5d78c9869d-79bfv',
      'io.kubernetes.cri.sandbox-namespace': 'kube-system',
      'io.kubernetes.cri.sandbox-uid': '44e4b37f-504f-4f1c-80f3-4137bfbec5e4',
    }
    write(task('run/containerd', 'k8s.io'), spec(containerd))
    expect(named('containerd')).toMatchObject({ name: 'pause', pod: 'kube-system/coredns-5d78c9869d-79bfv' })
    const crio = {
      'io.container.manager': 'cri-o',
      'io.kubernetes.container.name': 'POD',
      'io.kubernetes.cri-o.ContainerType': 'sandbox',
      'io.kubernetes.pod.name': 'segfaulter',
      'io.kubernetes.pod.namespace': 'default',
    }
    write(`run/containers/storage/overlay-containers/${id}/userdata/config.json`, spec(crio))
    expect(named('cri-o')).toEqual({ name: 'pause', pod: 'default/segfaulter', runtime: 'cri-o' })
  })

  test('is nerdctl’s, in any namespace', () => {
    write(`run/containerd/io.containerd.runtime.v2.task/moby/${other}/config.json`, spec({}))
    write(task('run/containerd', 'buildkit'), spec({ 'nerdctl/name': 'web', 'nerdctl/namespace': 'buildkit' }))
    expect(named('containerd')).toEqual({ name: 'web', pod: null, runtime: 'containerd' })
  })

  test('is CRI-O’s', () => {
    const annotations = {
      'io.container.manager': 'cri-o',
      'io.kubernetes.container.name': 'coredns',
      'io.kubernetes.cri-o.ContainerType': 'container',
      'io.kubernetes.pod.name': 'coredns-6d4b75cb6d-4mtdm',
      'io.kubernetes.pod.namespace': 'kube-system',
      'io.kubernetes.pod.uid': '5b5e07db-f1b9-4530-81ef-b7d04d66b83e',
    }
    write(`run/containers/storage/overlay-containers/${id}/userdata/config.json`, spec(annotations))
    expect(named('cri-o')).toEqual({
      name: 'coredns',
      pod: 'kube-system/coredns-6d4b75cb6d-4mtdm',
      runtime: 'cri-o',
    })
  })

  test.each(['containers', 'volatile-containers'])('is podman’s, in %s.json', (list) => {
    const entry = { image: 'd7af31210b28', layer: '67b0c66296f7', created: '2024-03-22T20:59:54.545266929Z' }
    const containers = [
      { id: other, names: ['db'], ...entry },
      { id, names: ['web'], ...entry, flags: { MountLabel: 'system_u:object_r:container_file_t:s0:c14,c100' } },
    ]
    write(`var/lib/containers/storage/overlay-containers/${list}.json`, containers)
    write(
      `var/lib/containers/storage/overlay-containers/${id}/userdata/config.json`,
      spec({ 'io.container.manager': 'libpod' }),
    )
    expect(named('podman')).toEqual({ name: 'web', pod: null, runtime: 'podman' })
  })

  test('is not known where nothing tells it', () => {
    for (const runtime of ['docker', 'containerd', 'cri-o', 'podman', 'unknown'] as const)
      expect(named(runtime)).toBeUndefined()
  })

  test('is not known if the id is no id: it would become a part of a path', () => {
    write('etc/config.v2.json', dockerConfig('/web'))
    expect(containerNamer(root)({ id: '../../../../etc', runtime: 'docker' })).toBeUndefined()
    expect(containerNamer(root)({ id: 'web', runtime: 'lxc' })).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['no JSON', '{"Name":"/web"'],
    ['empty', ''],
    ['another type', { Name: 5 }],
    ['a list', []],
    ['a name with a line break', { Name: '/we\nb' }],
    ['a name that is a path', { Name: '/../web' }],
    ['a name too long', { Name: `/${'a'.repeat(300)}` }],
    ['no name', { Config: { Labels: null } }],
    ['labels that are no texts', { Name: '/web', Config: { Labels: { a: 5 } } }],
    ['too large', JSON.stringify(dockerConfig('/web')).padEnd(1_048_577)],
  ])('is not known from a file that is damaged or hostile: %s', (_what, content) => {
    write(`var/lib/docker/containers/${id}/config.v2.json`, content)
    expect(named('docker')).toBeUndefined()
  })

  test('is not read from a link, a pipe or a folder', () => {
    const file = join(root, `var/lib/docker/containers/${id}/config.v2.json`)
    write('elsewhere', dockerConfig('/web'))
    mkdirSync(dirname(file), { recursive: true })
    symlinkSync(join(root, 'elsewhere'), file)
    expect(named('docker')).toBeUndefined()
    rmSync(file)
    execFileSync('mkfifo', [file])
    expect(named('docker')).toBeUndefined()
    rmSync(file)
    mkdirSync(file)
    expect(named('docker')).toBeUndefined()
  })
})
