import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { UserNames } from './user-names.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whokilled-passwd-'))
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

test('a user has the first name that the file gives to the number', () => {
  const path = join(folder, 'passwd')
  writeFileSync(
    path,
    'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n# comment\n\nbad:x:one:1\ndeploy:x:1001:1001::/:/bin/sh',
  )
  const { nameOf } = new UserNames(path)
  expect([0, 1001, 1, 65_534].map(nameOf)).toEqual(['root', 'deploy', undefined, undefined])
})

test('a new user is known after ten seconds; without a file there are no names', () => {
  const path = join(folder, 'passwd')
  const { nameOf } = new UserNames(path)
  expect(nameOf(7)).toBeUndefined()
  writeFileSync(path, 'seven:x:7:7::/:\n')
  expect(nameOf(7)).toBeUndefined()
  vi.advanceTimersByTime(10_001)
  expect(nameOf(7)).toBe('seven')
  writeFileSync(path, 'eight:x:7:7::/:\n')
  utimesSync(path, 1, 1)
  vi.advanceTimersByTime(10_001)
  expect(nameOf(7)).toBe('eight')
  rmSync(path)
  vi.advanceTimersByTime(10_001)
  expect(nameOf(7)).toBeUndefined()
})
