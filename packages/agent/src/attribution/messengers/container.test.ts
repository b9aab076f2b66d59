import { describe, expect, it } from 'vitest'
import { loginShell, ToldHost, type ToldProcess, unitProcess } from '../../../test/told-host.ts'

const id = 'c0ffee'.padEnd(64, '0')
const cgroup = `/system.slice/docker-${id}.scope`
const podCgroup = `/kubepods.slice/kubepods-pod11111111_2222_3333_4444_555555555555.slice/cri-containerd-${id}.scope`

/** A container's first process below its shim. */
function host(group = cgroup) {
  const told = new ToldHost()
  const containerd = unitProcess(told, 'containerd.service', ['/usr/bin/containerd'])
  const shim = { ...told.run(containerd, ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', id]) }
  const victim = told.run(shim, ['/usr/sbin/web'], { cgroup: group, nspid: 1, nsid: 42 })
  return { told, shim, victim }
}

function runc(told: ToldHost, shim: ToldProcess, victim: ToldProcess, sig: number, dies = true) {
  const killer = told.run(shim, ['runc', '--root', '/run/docker/runtime-runc/moby', 'kill', id, String(sig)])
  if (dies) told.kill(killer, victim, sig)
  else told.signal(killer, victim, sig, { disp: 'handler' })
  told.exit(killer)
}

describe('a container that a runtime kills', () => {
  it.each([
    ['docker stop c0ffee00', 'likely'],
    ['docker container rm -f web', 'likely'],
    ['docker compose down', 'likely'],
    ['docker-compose -f prod.yml restart', 'likely'],
    ['nerdctl kill -s TERM web', 'likely'],
    ['crictl stop c0ffee0000000', 'likely'],
    ['ctr -n moby tasks kill web', 'likely'],
  ])('was asked for by %s', async (line, confidence) => {
    const { told, shim, victim } = host()
    told.run(loginShell(told, 1001), line.split(' '))
    runc(told, shim, victim, 15)
    expect(await told.behalf()).toMatchObject({
      kind: 'session',
      name: `\`${line}\` of uid 1001 at pts/3`,
      confidence,
    })
  })

  it('after the stop timeout, by another runc of the same shim', async () => {
    const { told, shim, victim } = host()
    told.run(loginShell(told, 1001), ['docker', 'stop', 'web'])
    runc(told, shim, victim, 15, false)
    told.wait(10_000)
    runc(told, shim, victim, 9)
    const death = (await told.deaths()).at(-1)
    expect(death?.verdict.summary).toMatch(
      /by runc .* after the stop timeout of 10 s, likely for `docker stop web` of uid 1001 at pts\/3\.$/,
    )
  })

  it.each([
    ['docker ps'],
    ['docker -H tcp://db:2375 stop web'],
    ['docker exec web kill 1'],
    ['docker stop 123456789012'],
    ['docker logs stop'],
  ])('was not asked for by %s', async (line) => {
    const { told, shim, victim } = host()
    told.run(loginShell(told, 1001), line.split(' '))
    runc(told, shim, victim, 15)
    expect(await told.behalf()).toMatchObject({ rule: 'container-unseen', confidence: 'possible', process: null })
  })

  it('was possibly asked for by one of several', async () => {
    const { told, shim, victim } = host()
    const shell = loginShell(told, 1001)
    told.run(shell, ['docker', 'stop', 'a'])
    told.run(shell, ['docker', 'stop', 'b'])
    runc(told, shim, victim, 15)
    expect(await told.behalf()).toMatchObject({ confidence: 'possible' })
  })

  it('in a pod, by the kubelet: why cannot be told', async () => {
    const { told, shim, victim } = host(podCgroup)
    runc(told, shim, victim, 15)
    const [death] = await told.deaths()
    expect(death?.behalf).toMatchObject({ kind: 'policy', name: 'the kubelet', rule: 'kubelet' })
    expect(death?.verdict.alternatives[0]).toContain('cannot be told apart')
  })

  it('through podman, which runs the runtime itself', async () => {
    const told = new ToldHost()
    const victim = told.run(told.systemd, ['/usr/sbin/web'], { cgroup: `/machine.slice/libpod-${id}.scope`, nspid: 1 })
    const podman = told.run(loginShell(told, 0), ['podman', 'stop', 'web'])
    told.kill(told.run(podman, ['crun', 'kill', id, '15']), victim, 15)
    expect(await told.behalf()).toMatchObject({ name: 'podman stop web of uid 0 at pts/3', kind: 'session' })
  })
})

describe('a program in a container that kills', () => {
  it('came by docker exec', async () => {
    const { told, shim, victim } = host()
    const shell = loginShell(told, 1001)
    told.run(shell, ['docker', 'exec', '-it', 'web', 'kill', '-9', '7'])
    const kill = told.run(shim, ['kill', '-9', '7'], { cgroup, nspid: 99, nsid: 42 })
    told.kill(kill, victim)
    expect(await told.behalf()).toMatchObject({ name: '`docker exec -it web kill -9 7` of uid 1001 at pts/3' })
  })

  it('came by docker exec with a shell', async () => {
    const { told, shim, victim } = host()
    told.run(loginShell(told, 1001), ['docker', 'exec', '-it', 'web', 'bash'])
    const bash = told.run(shim, ['bash'], { cgroup, nspid: 98, nsid: 42, tty: 'pts/0' })
    told.kill(told.run(bash, ['kill', '-9', '7'], { nspid: 99 }), victim)
    expect(await told.behalf()).toMatchObject({ name: '`docker exec -it web bash` of uid 1001 at pts/3' })
  })

  it('is a part of it otherwise', async () => {
    const { told, victim } = host()
    told.kill(victim, told.run(victim, ['/usr/sbin/worker'], { nspid: 7 }))
    expect(await told.behalf()).toBeNull()
  })
})
