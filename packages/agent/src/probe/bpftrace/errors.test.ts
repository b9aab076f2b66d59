import { expect, test } from 'vitest'
import { bpftraceError, bpftraceSpawnError, bpftraceWarnings } from './errors.ts'

const harmless =
  'ERROR: Unknown error -1: couldn\'t set RLIMIT_MEMLOCK for bpftrace. If your program is not loading, you can try "ulimit -l 8192" to fix the problem\n'

/** What bpftrace 0.17 wrote. */
test.each([
  ['ERROR: bpftrace currently only supports running as the root user.', 'not-permitted'],
  ["definitions.h:10:3: error: unknown type name 'pid_t'", 'not-permitted'],
  ['stdin:1:1-20: ERROR: tracepoint not found: oom:nope', 'tracepoint-missing'],
  ["stdin:1:9-27: ERROR: Unknown struct/union: 'struct nope'", 'btf-missing'],
  ["ERROR: Struct/union of type 'struct task_struct' does not contain a field named 'nope'", 'kernel-field-missing'],
  ['ERROR: Error loading program: tracepoint:sched:sched_process_fork (try -v)', 'probe-refused'],
  ['ERROR: Could not resolve symbol: /proc/self/exe:BEGIN_trigger', 'bpftrace-stripped'],
  ['Segmentation fault', 'bpftrace-failed'],
])('%s is %s', (stderr, code) => {
  const error = bpftraceError('run the probe', 1, harmless + stderr)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(/^Expected /)
  expect(error.hint).not.toBe('')
})

test('the complaint of a host without CAP_SYS_RESOURCE is neither an error nor a warning', () => {
  expect(bpftraceError('run the probe', 1, harmless).message).toContain('nothing on stderr')
  expect(bpftraceWarnings(harmless)).toEqual([])
})

test('a program that is not installed is told with its package', () => {
  const error = bpftraceSpawnError(Object.assign(new Error('spawn bpftrace ENOENT'), { code: 'ENOENT' }))
  expect(error).toMatchObject({ code: 'tracer-missing', hint: expect.stringContaining('apt-get install bpftrace') })
})
