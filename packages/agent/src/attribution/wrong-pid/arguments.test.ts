import { expect, test } from 'vitest'
import { namesNumber, namesProgram } from './arguments.ts'

test('a number is named by a word of its own', () => {
  for (const args of [
    ['kill', '-9', '4242'],
    ['sh', '-c', 'sleep 9; kill 4242'],
    ['watch', '--pid=4242'],
    ['kill', '--', '-4242'],
    ['stop', '1,4242,7'],
  ]) {
    expect(namesNumber(args, 4242), args.join(' ')).toBe(true)
  }
})

test('a part of something else, a small number and the name of the program are none', () => {
  for (const word of ['14242', '42420', '4242.log', '/proc/4242', '10.0.0.1:4242', 'a4242', '4242-1', 'x@4242']) {
    expect(namesNumber(['kill', word], 4242), word).toBe(false)
  }
  expect(namesNumber(['kill', '-9', '15'], 15)).toBe(false)
  expect(namesNumber(['4242'], 4242)).toBe(false)
  expect(namesNumber(undefined, 4242)).toBe(false)
})

test('a program is named by its name or its path, not by a file that is called after it', () => {
  expect(namesProgram(['killall', '-9', 'nginx'], 'nginx')).toBe(true)
  expect(namesProgram(['start-stop-daemon', '--exec', '/usr/sbin/nginx'], 'nginx')).toBe(true)
  expect(namesProgram(['pkill', '-F', '/run/nginx.pid'], 'nginx')).toBe(false)
  expect(namesProgram(['nginx', '-s', 'stop'], 'nginx')).toBe(false)
  expect(namesProgram(['kill', ''], '')).toBe(false)
})
