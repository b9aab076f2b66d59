import { expect, test } from 'vitest'
import { complaintIn, spawnError, stapError, warningsIn } from './errors.ts'

/** What the programs really printed (SystemTap 4.8 on Debian 12). */
const seen: [string, string][] = [
  ['headers-missing', 'Checking "/lib/modules/9.9.9-none/build/.config" failed with error: No such file or directory'],
  [
    'not-permitted',
    'ERROR: You are trying to run systemtap as a normal user.\nYou should either be root, or be part of the group "stapusr" and possibly one of the groups "stapsys" or "stapdev".',
  ],
  ['module-not-allowed', 'ERROR: Unable to verify the signature for the module /tmp/whokilled.ko.'],
  [
    'module-not-found',
    `ERROR: Unable to canonicalize path "/tmp/nonexist.ko": No such file or directory\nERROR: Couldn't insert module '/tmp/nonexist.ko': Unknown symbol in module`,
  ],
  ['module-other-kernel', "ERROR: Couldn't insert module '/root/whokilled.ko': Invalid module format"],
  ['module-unsigned', "ERROR: Couldn't insert module 'whokilled.ko': Key was rejected by service"],
  ['kernel-lockdown', "ERROR: Couldn't insert module 'whokilled.ko': Operation not permitted"],
  ['kernel-without-modules', "ERROR: Couldn't insert module '/tmp/lab/whokilled.ko': Function not implemented"],
  [
    'module-loaded',
    "ERROR: Couldn't insert module 'whokilled.ko': File exists\nERROR: Rerun with staprun option '-R' to rename this module.",
  ],
  ['module-symbols', "ERROR: Couldn't insert module 'whokilled.ko': Unknown symbol in module"],
  [
    'probe-overload',
    'ERROR: probe overhead (653002154 cycles) exceeded threshold (500000000 cycles) in last 1000000000 cycles',
  ],
  [
    'probe-skipped',
    'ERROR: Skipped too many probes, check MAXSKIPPED or try again with stap -t for more details.\nWARNING: Number of errors: 0, skipped probes: 402',
  ],
  ['probe-fault', "ERROR: read fault [man error::fault] at 0x8 near identifier '$info' at f.stp:1:72"],
  ['probe-fault', 'ERROR: MAXACTION exceeded near keyword at f.stp:3:1'],
  ['output-closed', "ERROR: Couldn't write to output 1 for cpu 0, exiting.: Broken pipe"],
  [
    'runtime-mismatch',
    '/usr/share/systemtap/runtime/stp_task_work.c:107:40: error: passing argument 2 of ‘x’ from incompatible pointer type\nPass 4: compilation failed.  [man error::pass4]',
  ],
  ['compiler-missing', '/bin/sh: 1: gcc-12: not found\nPass 4: compilation failed.  [man error::pass4]'],
  ['debuginfo-asked', "semantic error: missing x86_64 kernel/module debuginfo [man warning::debuginfo] under '/lib'"],
  ['probe-not-resolved', 'semantic error: no match'],
  ['probe-not-parsed', 'parse error: embedded code in unprivileged script; need stap -g'],
  ['compile-failed', 'Pass 4: compilation failed.  [man error::pass4]'],
]

test.each(seen)('%s is recognised', (code, stderr) => {
  const complaint = complaintIn(stderr)
  expect(complaint?.code).toBe(code)
  expect(complaint?.message).toMatch(/^Expected .*\S$/)
  expect(complaint?.hint).not.toBe('')
})

test('the kernel whose headers are missing is named', () => {
  expect(complaintIn(seen[0]?.[1] ?? '')?.message).toBe('Expected the headers of kernel 9.9.9-none, found none.')
})

test('warnings alone are no reason to end', () => {
  const stderr =
    'WARNING: There were 40 transport failures. Try stap -s to increase the buffer size from 1.\nother\nWARNING: probe kprobe.function("__x64_sys_kill").return (address 0x0) registration error (rc -2)'
  expect(complaintIn(stderr)).toBeUndefined()
  expect(warningsIn(stderr)).toHaveLength(2)
})

test('what is not recognised is quoted', () => {
  const error = stapError('run the probe', 1, 'one\ntwo\nthree\nfour\nERROR: something new\n')
  expect(error.code).toBe('stap-failed')
  expect(error.message).toBe(
    'Expected SystemTap to run the probe, it ended with 1: two | three | four | ERROR: something new',
  )
})

test('a program that is not installed or not allowed is told apart', () => {
  const errno = (code: string) => Object.assign(new Error(code), { code })
  expect(spawnError('staprun', errno('ENOENT')).code).toBe('tracer-missing')
  expect(spawnError('staprun', errno('ENOENT')).hint).toContain('apt-get install systemtap-runtime')
  expect(spawnError('stap', errno('EACCES')).code).toBe('not-permitted')
})
