import { describe, expect, test } from 'vitest'
import { scanned } from '../../../test/recorded-host.ts'
import { ProcessTable } from '../table.ts'
import { KnownContainers } from './known-containers.ts'

const id = 'c46bafd57b2ef55a23c1319893c8aa5bfca24872bd95258700a51059941fb69e'
const path = `/system.slice/docker-${id}.scope`
const web = { name: 'web', pod: null, runtime: 'docker' } as const

describe('the containers of a host', () => {
  test('are asked about once, and all processes of one share the answer', () => {
    const asked: string[] = []
    const containers = new KnownContainers((container) => {
      asked.push(container.id)
      return web
    })
    const first = containers.in(path)
    expect(first).toEqual({ id, name: 'web', pod: null, runtime: 'docker' })
    expect(containers.in(`${path}/inner`)).toBe(first)
    expect(asked).toEqual([id])
    expect(containers.in('/system.slice/ssh.service')).toBeNull()
  })

  test('are asked about a few times while nothing tells their names, and then no more', () => {
    let asks = 0
    const containers = new KnownContainers(() => {
      asks += 1
      return undefined
    })
    for (let time = 0; time < 20; time += 1) containers.in(path)
    expect(asks).toBe(4)
    expect(containers.counters).toEqual({ named: 0, unnamed: 1 })
    expect(containers.in(path)).toMatchObject({ id, name: null })
  })

  test('keep the pod’s uid where its name is not known, and take the runtime that the files tell', () => {
    const pod = '/kubepods/burstable/podf6adb0af-0855-4bab-b25b-c853f18d0ce2'
    const containers = new KnownContainers(() => web)
    expect(containers.in(`${pod}/${id}`)).toEqual({
      ...web,
      id,
      pod: 'f6adb0af-0855-4bab-b25b-c853f18d0ce2',
    })
  })

  test('that name themselves in their path are not asked about', () => {
    const containers = new KnownContainers(() => expect.fail())
    expect(containers.in('/lxc.payload.web')).toMatchObject({ name: 'web', runtime: 'lxc' })
  })

  test('are forgotten beyond a bound, and asked about anew', () => {
    let asks = 0
    const containers = new KnownContainers(() => {
      asks += 1
      return web
    })
    const nth = (n: number) => `/docker/${n.toString(16).padStart(64, '0')}`
    for (let n = 0; n < 5_000; n += 1) containers.in(nth(n))
    containers.in(nth(4_999))
    expect(asks).toBe(5_000)
    containers.in(nth(0))
    expect(asks).toBe(5_001)
  })

  test('have a name that is found at exec, which those have that were there before, too', () => {
    let isWritten = false
    const table = new ProcessTable({ bootId: 'boot', containerNameOf: () => (isWritten ? web : undefined) })
    table.reconcile([
      scanned({ pid: 10, comm: 'runc:[2:INIT]', startTicks: 500, cgroup: path }),
      scanned({ pid: 11, comm: 'x', startTicks: 500, cgroup: path }),
    ])
    expect(table.find(10)?.container?.name).toBeNull()
    isWritten = true
    table.apply({ type: 'exec', seq: 1, time: 6_000_000_000n, pid: 10, start: 5_000_000_000n, comm: 'nginx' })
    expect(table.find(10)?.container?.name).toBe('web')
    expect(table.find(11)?.container?.name).toBe('web')
  })
})
