import { expect, test } from 'vitest'
import { contextOfSignal, type SignalContext } from './signal.ts'

const inUserProgram: SignalContext = {
  ...{ sig: 15, code: 0, sendingCall: undefined, arg: 0, codeSegment: 0x33 },
  ...{ callNumber: -1, callArgument: 0, is32Bit: false, onTaskStack: true, flags: 0x40_0000 },
}

const old = { is32Bit: true, codeSegment: 0x23 }

test.each<[string, Partial<SignalContext>, object]>([
  ['kill', { sendingCall: 'kill', arg: 7, callNumber: 62 }, { call: 'kill', arg: 7, info: 'user', code: 0, ctx: 0 }],
  ['tkill', { sendingCall: 'tkill', code: -6, callNumber: 200 }, { call: 'tkill', info: 'user', code: -6 }],
  ['a write to cgroup.kill', { sig: 9, callNumber: 1 }, { call: 'write', info: 'noinfo', exiting: 0 }],
  ['the same in a 32-bit program', { ...old, sig: 9, callNumber: 4 }, { call: 'write', info: 'noinfo' }],
  ['kill in a 32-bit program', { ...old, callNumber: 37, callArgument: -7 }, { call: 'kill', arg: -7, info: 'user' }],
  ['tgkill in a 32-bit program', { ...old, code: -6, callNumber: 270 }, { call: 'tgkill', info: 'user', code: -6 }],
  ['a 32-bit call of a 64-bit program', { is32Bit: true, callNumber: 37 }, { call: 'kill', info: 'user', code: 0 }],
  ['processor time used up in a 32-bit kill', { ...old, callNumber: 37, code: 0x80 }, { call: 'other', info: 'priv' }],
  ['processor time used up in a kill', { callNumber: 62, code: 0x80 }, { call: 'other', info: 'priv' }],
  ['a fault in a 32-bit program', { ...old, sig: 11, code: 1 }, { call: 'none', info: 'user' }],
  ['a fault', { sig: 11, code: 1 }, { call: 'none', info: 'user', code: 1 }],
  ['a general protection fault', { sig: 11, code: 0x80 }, { call: 'none', info: 'user', code: 0x80 }],
  ['the OOM killer', { sig: 9, code: 0x80 }, { call: 'none', info: 'priv' }],
  ['a dying parent', { flags: 0x4, callNumber: 231 }, { call: 'exit', info: 'noinfo', exiting: 1 }],
  ['a dying parent that was killing', { flags: 0x4, sendingCall: 'kill' }, { info: 'noinfo', exiting: 1 }],
  ['a timer in an interrupt', { sig: 14, code: 0x80, onTaskStack: false }, { call: 'none', info: 'priv', ctx: 2 }],
  ['an alarm in a user program', { sig: 14, code: 0x80 }, { call: 'none', info: 'priv', ctx: 2 }],
  ['a SIGALRM that was sent', { sig: 14, sendingCall: 'kill', callNumber: 62 }, { call: 'kill', info: 'user', ctx: 0 }],
  ['an interrupt in the middle of a kill', { sendingCall: 'kill', code: 0x80, onTaskStack: false }, { info: 'priv' }],
  ['an interrupt in a 32-bit kill', { ...old, callNumber: 37, onTaskStack: false }, { call: 'none', ctx: 2 }],
  ['a kernel thread', { flags: 0x20_0000, code: 0x80, codeSegment: 0 }, { call: 'none', info: 'priv' }],
])('%s is told by its context', (_, seen, expected) => {
  expect(contextOfSignal({ ...inUserProgram, ...seen })).toMatchObject(expected)
})

test('where the kernel passed no siginfo there is no code', () => {
  expect(contextOfSignal({ ...inUserProgram, callNumber: 1 })).not.toHaveProperty('code')
  expect(contextOfSignal({ ...inUserProgram, code: 0x80 })).not.toHaveProperty('code')
})

test('registers that are not those of a user program tell no call', () => {
  expect(contextOfSignal({ ...inUserProgram, codeSegment: 0x10, callNumber: 1 })).not.toHaveProperty('call')
})
