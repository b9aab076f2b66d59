import type { Container } from '@whokilled/shared/process'
import { describe, expect, test } from 'vitest'
import { containerOf, serviceUnitOf } from './cgroup.ts'

type Told = Partial<Container> | null

/** Real paths, each from a public document: where it is from, the path, what it stands for. */
const paths: readonly [string, string, Told][] = [
  [
    'docker, cgroupfs: https://github.com/ctrsploit/ctrsploit/issues/280',
    '/docker/2403ccfe427f1dc7b6120dccb9ac58c2f8456950380d587a9f33ea7f00dd303d',
    { id: '2403ccfe427f1dc7b6120dccb9ac58c2f8456950380d587a9f33ea7f00dd303d', runtime: 'docker' },
  ],
  [
    'docker, systemd: https://github.com/kubernetes/kubernetes/issues/12789',
    '/system.slice/docker-769f3fa6252ef3475777076187bc45e0a2875a42adb1c802e8fa114d75767864.scope',
    { id: '769f3fa6252ef3475777076187bc45e0a2875a42adb1c802e8fa114d75767864', runtime: 'docker' },
  ],
  [
    'docker, LXC driver, which gives no hint of the runtime: https://github.com/neuvector/neuvector share/system/cgroup_test.go',
    '/4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970',
    { id: '4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970', runtime: 'unknown' },
  ],
  [
    'docker under the kubelet, systemd: https://github.com/kubernetes/kubernetes/issues/62896',
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2ac279fe_28fa_11e8_8904_74dbd1a06fe0.slice/docker-0eb2fce3f5e17f6373209d72560673456a6426bc584ff03d76c7802270bbe122.scope',
    {
      id: '0eb2fce3f5e17f6373209d72560673456a6426bc584ff03d76c7802270bbe122',
      runtime: 'docker',
      pod: '2ac279fe-28fa-11e8-8904-74dbd1a06fe0',
    },
  ],
  [
    'docker with another driver than the kubelet: https://github.com/kubernetes/kubernetes/issues/36807',
    '/system.slice/docker.service/BestEffort.slice/BestEffort-pod0d33f94b_ab1a_11e6_9e1a_68f7281d8004.slice/0c34bcd7d02f321d0df7aa6ea703285b02abebc9096c5128c14091fc43ea1f3b',
    {
      id: '0c34bcd7d02f321d0df7aa6ea703285b02abebc9096c5128c14091fc43ea1f3b',
      runtime: 'unknown',
      pod: '0d33f94b-ab1a-11e6-9e1a-68f7281d8004',
    },
  ],
  [
    'containerd, cgroupfs: https://github.com/sustainable-computing-io/kepler/pull/684',
    '/kubepods/burstable/podf6adb0af-0855-4bab-b25b-c853f18d0ce2/35b97177dada20362ab90d90ac63cd54e8a41cf87bea34f270631b6da17f4a93',
    {
      id: '35b97177dada20362ab90d90ac63cd54e8a41cf87bea34f270631b6da17f4a93',
      runtime: 'containerd',
      pod: 'f6adb0af-0855-4bab-b25b-c853f18d0ce2',
    },
  ],
  [
    'containerd, systemd: https://github.com/cryptnono/cryptnono/issues/47',
    '/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod7fda01c4_0ece_403d_88b4_c371d66d132a.slice/cri-containerd-e58a24d4a722c99712cff74ef69d93311089584eb32617b3890e0dcb996133f1.scope',
    {
      id: 'e58a24d4a722c99712cff74ef69d93311089584eb32617b3890e0dcb996133f1',
      runtime: 'containerd',
      pod: '7fda01c4-0ece-403d-88b4-c371d66d132a',
    },
  ],
  [
    'containerd of a static pod: https://github.com/netdata/netdata/issues/4868',
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod187bff14cccb94f179e943eacce55bb3.slice/cri-containerd-c203a2647ef1ad78e990157c50331f3b6ef0b03336cf08535d6bf7faa5421415.scope',
    {
      id: 'c203a2647ef1ad78e990157c50331f3b6ef0b03336cf08535d6bf7faa5421415',
      runtime: 'containerd',
      pod: '187bff14cccb94f179e943eacce55bb3',
    },
  ],
  [
    'containerd, cgroupfs with the name of a slice: https://github.com/open-telemetry/opentelemetry-java/issues/4507',
    '/system.slice/containerd.service/kubepods-besteffort-pod0125ec2f_b64a_4868_8f5b_94b56cbab864.slice:cri-containerd:ee4b20e90ac7f42a10bd004d05646b13d8ab5e2c5e7cbc01abf8006bac016459',
    {
      id: 'ee4b20e90ac7f42a10bd004d05646b13d8ab5e2c5e7cbc01abf8006bac016459',
      runtime: 'containerd',
      pod: '0125ec2f-b64a-4868-8f5b-94b56cbab864',
    },
  ],
  [
    'CRI-O, systemd: https://github.com/opencontainers/runc/issues/4620',
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda5c1f8d5_1919_434d_add7_4afaafdaef89.slice/crio-5eed917563583925ffdbd40a64efb2aaffe58638e57add8becaf460fe74f5b1c.scope',
    {
      id: '5eed917563583925ffdbd40a64efb2aaffe58638e57add8becaf460fe74f5b1c',
      runtime: 'cri-o',
      pod: 'a5c1f8d5-1919-434d-add7-4afaafdaef89',
    },
  ],
  [
    "CRI-O's monitor is no container: https://github.com/opencontainers/runc/issues/4620",
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod207aaad1_659f_4db8_88e0_46e0cdcc3004.slice/crio-conmon-32da98c8522068be05a7510a3eddb09cad6ed2f03286180d0e931d0d0b6224a6.scope',
    null,
  ],
  [
    'podman, systemd: https://github.com/podman-container-tools/podman/pull/507',
    '/machine.slice/libpod-0411a2a82311fbc65b137ca550d5f7e6b6863bc734759be2f515b0b67062d49a.scope',
    { id: '0411a2a82311fbc65b137ca550d5f7e6b6863bc734759be2f515b0b67062d49a', runtime: 'podman' },
  ],
  [
    "podman's monitor is no container: https://github.com/podman-container-tools/podman/pull/507",
    '/machine.slice/libpod-conmon-0411a2a82311fbc65b137ca550d5f7e6b6863bc734759be2f515b0b67062d49a.scope',
    null,
  ],
  [
    'podman in a pod, crun: https://github.com/podman-container-tools/podman/issues/13673',
    '/machine.slice/machine-libpod_pod_ddf44d54b520f0b4469fcd01c3155ca49e6911dc2175471eb3a7b789187a7a89.slice/libpod-1dadda571b14eefb3158a15d0fff7e0089f9dd92f922679ed0116cccdfe8bb0f.scope/container',
    {
      id: '1dadda571b14eefb3158a15d0fff7e0089f9dd92f922679ed0116cccdfe8bb0f',
      runtime: 'podman',
      pod: 'ddf44d54b520f0b4469fcd01c3155ca49e6911dc2175471eb3a7b789187a7a89',
    },
  ],
  [
    'podman in a unit of its own (Quadlet): https://github.com/podman-container-tools/podman/issues/16589',
    '/system.slice/quadlet-minimal.service/libpod-payload-91c57c2ae87a8d57123bbb3083b3e158b911c4fd485da131f636f83f979b092c',
    { id: '91c57c2ae87a8d57123bbb3083b3e158b911c4fd485da131f636f83f979b092c', runtime: 'podman' },
  ],
  [
    'the monitor in that unit: https://github.com/podman-container-tools/podman/issues/16589',
    '/system.slice/quadlet-minimal.service/runtime',
    null,
  ],
  [
    'podman itself, rootless: https://github.com/containers/crun/issues/376',
    '/user.slice/user-1000.slice/user@1000.service/user.slice/podman-6696.scope',
    null,
  ],
  [
    'podman, rootless, version 1: https://github.com/podman-container-tools/podman/issues/6734',
    '/user.slice/user-1000.slice/user@1000.service/apps.slice/apps-org.gnome.Terminal.slice/vte-spawn-6773d329-9ee1-450e-ae44-d5e4810e64a2.scope/ef312c6459eb19dc7f99f918f0eb90c7a231c59f50e40e9141018baa13c48b35',
    { id: 'ef312c6459eb19dc7f99f918f0eb90c7a231c59f50e40e9141018baa13c48b35', runtime: 'unknown' },
  ],
  [
    'podman, rootless: https://github.com/sustainable-computing-io/kepler internal/resource/container_test.go',
    '/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-3f05ee050f82c0145f1d88c94269c39dff0f07dbf8bba20aafd54b3a75dcaecc.scope/container',
    { id: '3f05ee050f82c0145f1d88c94269c39dff0f07dbf8bba20aafd54b3a75dcaecc', runtime: 'podman' },
  ],
  [
    'podman, cgroupfs, in debug output: `podman run --log-level=debug` tells this as CgroupParent',
    '/libpod_parent/libpod-cf594798841275880f780c2aa55954b2d218b92a7c82df039aef02e2f4fe83f1',
    { id: 'cf594798841275880f780c2aa55954b2d218b92a7c82df039aef02e2f4fe83f1', runtime: 'podman' },
  ],
  [
    'CRI-O, cgroupfs: https://github.com/castai/kvisor pkg/cgroup/client_test.go',
    '/kubepods/poda48c12e8-255a-11e9-8cd9-0007cb0b2cc8/crio-63425c4a8b4291744a79dd9011fddc7a1f8ffda61f65d72196aa01d00cae2e2e',
    {
      id: '63425c4a8b4291744a79dd9011fddc7a1f8ffda61f65d72196aa01d00cae2e2e',
      runtime: 'cri-o',
      pod: 'a48c12e8-255a-11e9-8cd9-0007cb0b2cc8',
    },
  ],
  [
    'a cgroup made inside a container: https://github.com/castai/kvisor pkg/cgroup/client_test.go',
    '/kubepods/besteffort/pod0d08203e-255a-11e9-8cd9-0007cb0b2cc8/671a50f5d60566556912f61511d0ec9e4d5c78d53fbc4676727180438bbbbc55/kube-proxy',
    {
      id: '671a50f5d60566556912f61511d0ec9e4d5c78d53fbc4676727180438bbbbc55',
      runtime: 'containerd',
      pod: '0d08203e-255a-11e9-8cd9-0007cb0b2cc8',
    },
  ],
  [
    'kind, cgroupfs: https://github.com/quarkslab/kdigger README.md',
    '/docker/744ba5524431986481406cfd13382cbeb7e59a4739dec5ff8b458bc821969662/kubelet/kubepods/besteffort/pod3716cd27-4591-40fc-9dae-3851142b1d51/e06769b086acea415152f733574033db4dc5e81c9a8f6563648fd5f3b60227af',
    {
      id: 'e06769b086acea415152f733574033db4dc5e81c9a8f6563648fd5f3b60227af',
      runtime: 'containerd',
      pod: '3716cd27-4591-40fc-9dae-3851142b1d51',
    },
  ],
  [
    'the node of kind itself: https://github.com/quarkslab/kdigger README.md',
    '/docker/744ba5524431986481406cfd13382cbeb7e59a4739dec5ff8b458bc821969662/system.slice/containerd.service',
    { id: '744ba5524431986481406cfd13382cbeb7e59a4739dec5ff8b458bc821969662', runtime: 'docker' },
  ],
  [
    'kind, systemd: https://github.com/castai/kvisor pkg/cgroup/client_test.go',
    '/system.slice/docker-4cc818a75eb691c5efb9c943b0c3a26ec8e0a05acb60bef4717315e65d671774.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod12fdc709_933e_41d0_917f_cd84de9afa94.slice/cri-containerd-c46bafd57b2ef55a23c1319893c8aa5bfca24872bd95258700a51059941fb69e.scope',
    {
      id: 'c46bafd57b2ef55a23c1319893c8aa5bfca24872bd95258700a51059941fb69e',
      runtime: 'containerd',
      pod: '12fdc709-933e-41d0-917f-cd84de9afa94',
    },
  ],
  [
    'minikube, CRI-O in docker: https://github.com/kubernetes/minikube/issues/11280',
    '/docker/d6701ec289c56e4391acb11d07474b3139466857a305490575508a8b7a9fcf22/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod2ca4a155_3599_498d_bb9d_4446693fa3ea.slice/crio-0ba8ac17e4e7a31fb82279503552fe94e64bab4745bf6fd2ff231e7c8ca8bed0.scope',
    {
      id: '0ba8ac17e4e7a31fb82279503552fe94e64bab4745bf6fd2ff231e7c8ca8bed0',
      runtime: 'cri-o',
      pod: '2ca4a155-3599-498d-bb9d-4446693fa3ea',
    },
  ],
  [
    'a build of docker is no container: https://github.com/cryptnono/cryptnono/issues/47',
    '/docker/buildkit/t4967jvf8rbufklrhkicskyes',
    null,
  ],
  [
    'LXC 4: https://github.com/htop-dev/htop/pull/217',
    '/lxc.payload/example/init.scope',
    { id: 'example', name: 'example', runtime: 'lxc' },
  ],
  ["LXC's monitor is no container: https://github.com/htop-dev/htop/pull/217", '/lxc.monitor/example', null],
  [
    'LXC on version 2, as scripts for waydroid name it',
    '/lxc.payload.waydroid2',
    { id: 'waydroid2', name: 'waydroid2', runtime: 'lxc' },
  ],
  ["LXD's monitor: https://github.com/lxc/incus/pull/3684", '/lxc.monitor.web-1', null],
  [
    'LXC before 3.1: https://github.com/netdata/netdata/issues/3199',
    '/lxc/deloittedigi/system.slice/php7.1-fpm.service',
    { id: 'deloittedigi', name: 'deloittedigi', runtime: 'lxc' },
  ],
  [
    'systemd-nspawn: https://github.com/systemd/systemd/issues/18104',
    '/machine.slice/machine-my\\x2dmachine.scope/payload/system.slice/docker.service',
    { id: 'my-machine', name: 'my-machine', runtime: 'systemd-nspawn' },
  ],
  [
    'the supervisor of systemd-nspawn runs outside: systemd-nspawn(1)',
    '/machine.slice/machine-my\\x2dmachine.scope/supervisor',
    null,
  ],
  [
    'systemd-nspawn as a unit: systemd-nspawn@.service in https://github.com/systemd/systemd',
    '/machine.slice/systemd-nspawn@jammy.service/payload/init.scope',
    { id: 'jammy', name: 'jammy', runtime: 'systemd-nspawn' },
  ],
  ['and its supervisor', '/machine.slice/systemd-nspawn@jammy.service/supervisor', null],
  [
    'a virtual machine is no container: https://github.com/ceems-dev/ceems/pull/377',
    '/machine.slice/machine-qemu\\x2d2\\x2dinstance\\x2d00000001.scope/libvirt',
    null,
  ],
  [
    'garden: https://github.com/elastic/apm-agent-nodejs/issues/1191',
    '/system.slice/garden.service/garden/70eb4ce5-a065-4401-6990-88ed',
    { id: '70eb4ce5-a065-4401-6990-88ed', runtime: 'garden' },
  ],
  [
    'garden with a share of the processor: CgroupV1SubsystemControllerTest.java of https://github.com/openjdk/jdk',
    '/system.slice/garden.service/garden/good/2f57368b-0eda-4e52-64d8-af5c',
    { id: '2f57368b-0eda-4e52-64d8-af5c', runtime: 'garden' },
  ],
  [
    'ECS, /ecs/CLUSTER_NAME/TASK_ID/DOCKER_ID: https://github.com/mackerelio/mackerel-container-agent/pull/13',
    '/ecs/default/48cb34f5-cd39-4d59-9bb9-89f3c1611afd/53f8b5a76026c0484948dbb720991f771106d32adca9eb75a88ce5d3afa78f0e',
    { id: '53f8b5a76026c0484948dbb720991f771106d32adca9eb75a88ce5d3afa78f0e', runtime: 'docker' },
  ],
  [
    'Fargate: https://github.com/open-telemetry/opentelemetry-js-contrib/pull/2855',
    '/ecs/c23e5f76c09d438aa1824ca4058bdcab/c23e5f76c09d438aa1824ca4058bdcab-1234678',
    { id: 'c23e5f76c09d438aa1824ca4058bdcab-1234678', runtime: 'unknown' },
  ],
  [
    'nerdctl, rootless, SLICE:nerdctl:ID in pkg/cmd/container/run_cgroup_linux.go: https://github.com/containerd/nerdctl',
    '/user.slice/user-1000.slice/user@1000.service/user.slice/nerdctl-06dc5f321aad8726aa26559f16ec203bc099245bc44894b14a89fc02b022d1d5.scope',
    { id: '06dc5f321aad8726aa26559f16ec203bc099245bc44894b14a89fc02b022d1d5', runtime: 'containerd' },
  ],
  [
    'nerdctl, cgroupfs, /NAMESPACE/ID in the same file',
    '/default/06dc5f321aad8726aa26559f16ec203bc099245bc44894b14a89fc02b022d1d5',
    { id: '06dc5f321aad8726aa26559f16ec203bc099245bc44894b14a89fc02b022d1d5', runtime: 'containerd' },
  ],
]

describe('a cgroup path', () => {
  test.each(paths)('%s', (_source, path, told) => {
    expect(containerOf(path)).toEqual(told === null ? null : { name: null, pod: null, ...told })
  })

  test('is no container without the id of one', () => {
    const others = ['', '/', '/system.slice/docker.service', '/docker/buildx', `/x-${'a'.repeat(64)}`, '/lxc.payload/']
    for (const path of others) expect(containerOf(path), path).toBeNull()
  })

  test('keeps bytes that are no text out of a name', () => {
    expect(containerOf('/lxc.payload.a\xff\x1b')?.name).toBe('a\\xff\x1b')
  })

  test('belongs to a unit, unless a container is nearer', () => {
    const id = 'c46bafd57b2ef55a23c1319893c8aa5bfca24872bd95258700a51059941fb69e'
    const units: [string, string | undefined][] = [
      ['/system.slice/nginx.service', 'nginx.service'],
      [`/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:${id}`, undefined],
      [`/system.slice/docker-${id}.scope/system.slice/nginx.service`, 'nginx.service'],
      ['/lxc.payload.web/system.slice/php8.2-fpm.service', 'php8.2-fpm.service'],
      ['/lxc.payload.web', undefined],
      ['/machine.slice/systemd-nspawn@jammy.service/payload', undefined],
      ['/machine.slice/systemd-nspawn@jammy.service/supervisor', 'systemd-nspawn@jammy.service'],
      [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope/container`, undefined],
      [`/system.slice/quadlet-minimal.service/libpod-payload-${id}`, 'quadlet-minimal.service'],
    ]
    for (const [path, unit] of units) expect(serviceUnitOf(path), path).toBe(unit)
  })
})
