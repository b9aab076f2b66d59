import { expect, test } from 'vitest'
import type { ProcessEntry, Program } from '../../process/entry.ts'
import type { SignalRecord } from '../../record/record.ts'
import type { Deed, OutOfMemory } from '../judged.ts'
import { limitSetterOf } from './limit-setter.ts'

const by = { pid: 77 } as ProcessEntry
const program = { comm: 'tune' } as Program
const told = { scope: 'cgroup', cgroup: '/shop' } as OutOfMemory
const killedIn = (
  record: Partial<SignalRecord>,
  sender: Partial<{ by: ProcessEntry; program: Program }> = { by, program },
) => ({ finding: { fatal: { record, ...sender } } }) as Deed

test('who writes a limit from outside of the group has set it', () => {
  expect(limitSetterOf(killedIn({ call: 'write', cgroup: '/' }), told)).toEqual({ process: by, program })
  expect(limitSetterOf(killedIn({ call: 'write', cgroup: '/shopping' }), told)).toEqual({ process: by, program })
})

test('who runs out of memory itself has not, whatever it does then', () => {
  for (const cgroup of ['/shop', '/shop/cart']) {
    expect(limitSetterOf(killedIn({ call: 'write', cgroup }), told)).toBeUndefined()
  }
  expect(limitSetterOf(killedIn({ call: 'none', cgroup: '/' }), told)).toBeUndefined()
  expect(limitSetterOf(killedIn({ call: 'write', cgroup: '/a' }), { ...told, cgroup: '/' })).toBeUndefined()
})

test('nobody is named where something is not known', () => {
  expect(limitSetterOf(killedIn({ call: 'write' }), told)).toBeUndefined()
  expect(limitSetterOf(killedIn({ call: 'write', cgroup: '/' }, {}), told)).toBeUndefined()
  expect(limitSetterOf(killedIn({ call: 'write', cgroup: '/' }), undefined)).toBeUndefined()
  expect(limitSetterOf(killedIn({ call: 'write', cgroup: '/' }), { ...told, cgroup: undefined })).toBeUndefined()
})
