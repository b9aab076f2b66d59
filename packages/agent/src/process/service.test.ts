import { describe, expect, it } from 'vitest'
import { scanned } from '../../test/recorded-host.ts'
import type { Program } from './entry.ts'
import { programName, type ServiceRule, serviceOf } from './service.ts'
import { ProcessTable } from './table.ts'

const id = 'a'.repeat(60).concat('0123')

function service(facts: { exe?: string; args?: string[]; cgroup?: string; comm?: string }, rules: ServiceRule[] = []) {
  const table = new ProcessTable({ bootId: 'boot' })
  table.reconcile([scanned({ pid: 5, comm: 'x', ...facts })])
  const entry = table.find(5)
  if (entry === undefined) throw new Error('the scan was not taken over')
  return serviceOf(entry, rules)
}

describe('the service of a process', () => {
  it('is the script that an interpreter runs', () => {
    const names: [string, string[], string][] = [
      ['/usr/bin/dash', ['sh', 'test.sh'], 'test.sh'],
      ['/usr/bin/bash', ['/bin/bash', '-e', '-o', 'pipefail', '/srv/run.sh', '-c', 'x'], 'run.sh'],
      ['/usr/bin/bash', ['bash', '-c', 'kill -9 1'], 'bash'],
      ['/usr/bin/bash', ['-bash'], 'bash'],
      ['/usr/bin/busybox', ['sh', './x.sh', 'a'], 'x.sh'],
      ['/usr/bin/python3.11', ['python3', '-u', '/opt/app/server.py'], 'server.py'],
      ['/usr/bin/python3.11', ['python3', '-m', 'http.server'], 'http.server'],
      ['/usr/bin/python3.11', ['python3', '-W', 'ignore', 'a.py'], 'a.py'],
      ['/usr/bin/node', ['node', '--max-old-space-size=99', '-r', 'ts-node/register', 'dist/main.js'], 'main.js'],
      ['/usr/bin/node', ['node', '-e', 'setInterval(x)'], 'node'],
      ['/usr/lib/jvm/bin/java', ['java', '-Xmx1g', '-cp', 'a:b', 'com.acme.Main', 'x'], 'com.acme.Main'],
      ['/usr/lib/jvm/bin/java', ['java', '-jar', '/srv/shop.jar'], 'shop.jar'],
    ]
    for (const [exe, args, name] of names)
      expect(service({ exe, args }), args.join(' ')).toEqual({ name, kind: 'process' })
  })

  it('is a script that was run by its own name, whatever interprets it', () => {
    const name = (file: string, args: string[]) =>
      programName({ comm: 'x', exe: '/usr/bin/x', file, args, argsTruncated: false })
    expect(name('./deploy.sh', ['/bin/sh', './deploy.sh', '-v'])).toBe('deploy.sh')
    expect(name('/opt/rules', ['/usr/bin/make', '-f', '/opt/rules'])).toBe('rules')
    expect(name('/opt/x.js', ['/usr/bin/env', 'node', '/opt/x.js'])).toBe('x.js')
  })

  it('is what exec was asked to run where the executable is not known, never the number of a descriptor', () => {
    const name = (facts: Partial<Program>) =>
      programName({ comm: undefined, exe: undefined, args: undefined, argsTruncated: false, ...facts })
    expect(name({ file: '/usr/bin/redis-server', comm: 'bio_close_file', args: ['redis'] })).toBe('redis-server')
    expect(name({ file: '/dev/fd/3', comm: '3', args: ['payload'] })).toBe('payload')
    expect(name({ file: '/proc/self/exe', comm: 'exe', args: ['runc', 'init'] })).toBe('runc')
    expect(name({ file: '/dev/fd/3', comm: 'memfd:payload', args: ['x'] })).toBe('memfd:payload')
    expect(name({ exe: '/memfd:payload (deleted)', comm: '3', args: ['x'] })).toBe('memfd:payload')
    expect(name({ exe: '/memfd:runc_cloned:/proc/self/exe (deleted)', args: ['x'] })).toBe(
      'memfd:runc_cloned:/proc/self/exe',
    )
    expect(name({ exe: '/usr/bin/bash', comm: 'bash', args: ['bash', '/dev/fd/63'] })).toBe('bash')
    expect(name({ comm: '12' })).toBe('12')
  })

  it('is the executable of anything else, whatever it calls itself', () => {
    expect(service({ exe: '/usr/sbin/nginx', args: ['nginx: master process /usr/sbin/nginx'] }).name).toBe('nginx')
    expect(service({ exe: '/usr/bin/busybox', args: ['httpd', '-f'] }).name).toBe('httpd')
    expect(service({ exe: '/srv/app (deleted)', args: ['app'] }).name).toBe('app')
  })

  it('is the unit of systemd it runs in; slices and scopes are none', () => {
    const unit = (cgroup: string) => service({ exe: '/usr/bin/x', args: ['x'], cgroup })
    expect(unit('/system.slice/nginx.service')).toEqual({ name: 'nginx.service', kind: 'systemd' })
    expect(unit('/system.slice/system-getty.slice/getty@tty1.service').name).toBe('getty@tty1.service')
    expect(unit('/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service').name).toBe('shop.service')
    expect(unit('/user.slice/user-1000.slice/session-3.scope').kind).toBe('process')
    expect(unit('/user.slice/user-1000.slice/user@1000.service/init.scope').kind).toBe('process')
  })

  it('is what the configuration says before all else', () => {
    const rules = [{ name: 'shop', exe: '/usr/bin/x', args: 'x --port=80*' }]
    const facts = { exe: '/usr/bin/x', cgroup: '/system.slice/x.service' }
    expect(service({ ...facts, args: ['x', '--port=8080'] }, rules)).toEqual({ name: 'shop', kind: 'config' })
    expect(service({ ...facts, args: ['x', '--port=9090'] }, rules).kind).toBe('systemd')
  })

  it('is the container where there is no unit inside it', () => {
    expect(service({ cgroup: `/system.slice/docker-${id}.scope` })).toEqual({
      name: id.slice(0, 12),
      kind: 'container',
    })
    expect(service({ cgroup: `/system.slice/docker-${id}.scope/system.slice/a.service` }).name).toBe('a.service')
  })
})
