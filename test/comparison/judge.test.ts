import { describe, expect, test } from 'vitest'
import { type Answer, judge, type Mark, together } from './judge.ts'

const killed = { victim: 10, killer: 20, cause: 'signal' }
const kill = (sender: number, target = 10, signal = 9) => ({ sender, target, signal })
const claims = (...all: Answer['claims'][number][]): Answer => ({ claims: all, deaths: [] })

test('a process whose number another had had is judged by its own end', () => {
  const deaths = [
    { pid: 10, killer: null, cause: 'exit' },
    { pid: 10, killer: 20, cause: 'signal' },
  ]
  expect(judge({ ...killed, after: 1 }, { claims: [], deaths })).toBe('right')
  expect(judge(killed, { claims: [], deaths })).toBe('partly')
})

describe('a process that another one ended', () => {
  test.each<[string, Answer, Mark]>([
    ['its killer, and no other', claims(kill(20)), 'right'],
    ['its killer among others', claims(kill(20), kill(30)), 'partly'],
    ['others only', claims(kill(30)), 'wrong'],
    ['a call of its killer that names no process', claims(kill(20, -10)), 'partly'],
    ['a call of somebody else', claims(kill(30, 11)), 'nothing'],
    ['its killer with SIGKILL, after another with SIGTERM', claims(kill(30, 10, 15), kill(20)), 'right'],
    ['a test whether it lives, by another', claims(kill(30, 10, 0), kill(20, 10, 15)), 'right'],
    ['its end with its killer', { claims: [], deaths: [{ pid: 10, killer: 20, cause: 'signal' }] }, 'right'],
    ['its end with another killer', { claims: [], deaths: [{ pid: 10, killer: 30, cause: 'signal' }] }, 'wrong'],
    ['its end with nobody behind it', { claims: [], deaths: [{ pid: 10, killer: null, cause: 'exit' }] }, 'partly'],
    ['its end alone', { claims: [], deaths: [{ pid: 10, cause: 'fault' }] }, 'partly'],
    ['nothing', claims(), 'nothing'],
  ])('a tool that names %s', (_, answer, mark) => {
    expect(judge(killed, answer)).toBe(mark)
  })
})

describe('a process that nobody else ended', () => {
  const faulted = { victim: 10, killer: null, cause: 'fault' }
  test.each<[string, Answer, Mark]>([
    ['what it was', { claims: [], deaths: [{ pid: 10, cause: 'fault' }] }, 'right'],
    ['something else', { claims: [], deaths: [{ pid: 10, killer: null, cause: 'exit' }] }, 'partly'],
    ['a signal from itself', claims(kill(10, 10, 11)), 'partly'],
    ['somebody', claims(kill(20)), 'wrong'],
    ['nothing', claims(), 'nothing'],
  ])('a tool that names %s', (_, answer, mark) => {
    expect(judge(faulted, answer)).toBe(mark)
  })

  test('who raised a signal for itself is right to be named', () => {
    expect(judge({ victim: 10, killer: 10, cause: 'self' }, claims(kill(10, 10, 6)))).toBe('right')
  })

  test('to name the parent whose end made the kernel act is half the answer', () => {
    expect(judge({ victim: 10, killer: null, cause: 'parent-death' }, claims(kill(20)))).toBe('partly')
  })
})

test('several victims: right if all are, wrong if one is', () => {
  expect(together(['right', 'right'])).toBe('right')
  expect(together(['right', 'nothing'])).toBe('partly')
  expect(together(['right', 'wrong'])).toBe('wrong')
})
