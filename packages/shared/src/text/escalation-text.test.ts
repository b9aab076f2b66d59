import { expect, test } from 'vitest'
import type { SentSignal } from '../event.ts'
import type { Process } from '../process.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { escalationText } from './escalation-text.ts'

const process = (pid: number, args: string[]) => ({ id: `b:1:${pid}`, pid, comm: args[0], args, exe: null }) as Process
const systemd = process(1, ['systemd'])
const admin = process(900, ['kill', '4242'])
const victim = process(4242, ['nginx'])

const at = (second: number) => `2026-11-22T19:40:${String(second).padStart(2, '0')}.000000Z`
const term = (changes: Partial<SentSignal>): SentSignal => ({
  ...{ at: at(10), number: 15, name: 'SIGTERM', sender: systemd, senderStatus: 'seen', via: 'kill', code: 0 },
  ...{ result: 'delivered', reception: 'ignored', ...changes },
})
const kill = term({ at: at(12), number: 9, name: 'SIGKILL', reception: 'default' })
const told = (signals: SentSignal[], changes: Partial<UnjudgedDeath> = {}) =>
  escalationText({ victim, signal: kill, signals, behalf: null, ...changes } as UnjudgedDeath)

test.each<[string, SentSignal[]]>([
  ['', []],
  [', 2.0 s after it had ignored its SIGTERM', [term({})]],
  [', 2.0 s after it had caught its SIGTERM and gone on', [term({ reception: 'caught' })]],
  [', 2.0 s after its SIGTERM, which it had blocked', [term({ reception: 'blocked' })]],
  [', 2.0 s after its SIGTERM, which had not ended it', [term({ reception: 'default' })]],
  [', 2.0 s after it had ignored the first of its 2 SIGTERMs', [term({}), term({ at: at(11) })]],
  [', 2.0 s after it had ignored SIGTERM from kill 4242 (pid 900)', [term({ sender: admin })]],
  [
    ', 2.0 s after it had ignored the first of 2 SIGTERMs, from kill 4242 (pid 900)',
    [term({ sender: admin }), term({ sender: process(901, ['kill', '4242']), at: at(11) })],
  ],
  [', 1.0 s after it had ignored its SIGTERM', [term({ sender: admin }), term({ at: at(11) })]],
  [
    ', 2.0 s after it had ignored SIGINT from its terminal',
    [term({ number: 2, name: 'SIGINT', sender: null, senderStatus: 'none', via: 'tty' })],
  ],
])('a kill is told with what had been tried in vain: %s', (expected, signals) => {
  expect(told(signals)).toBe(expected)
})

test.each<[string, Partial<SentSignal>]>([
  ['a signal that came after the kill', { at: at(13) }],
  ['one that came too late', { reception: 'too-late' }],
  ['one of which it is not known what became', { reception: null }],
  ['one of its own', { sender: victim }],
  ['a hang-up, which means something else to many programs', { number: 1, name: 'SIGHUP' }],
  ['one from long ago', { at: '2026-11-22T18:40:10.000000Z' }],
])('left out is %s', (_, changes) => {
  expect(told([term(changes)])).toBe('')
})

test('a stop timeout tells the same', () => {
  const behalf = {
    kind: 'process',
    name: 'x',
    process: null,
    rule: 'x',
    confidence: 'certain',
    graceMs: 2_000,
  } as const
  expect(told([term({})], { behalf })).toBe('')
})
