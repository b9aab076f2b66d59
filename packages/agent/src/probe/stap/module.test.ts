import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemMapFor, traceHeadersOf } from './build-tree.ts'
import { missingOptions, parseConfig } from './kernel-headers.ts'
import { needsPatch, patchTaskWork } from './runtime-patch.ts'
import { describeSystemTap } from './systemtap.ts'
import { releaseOf, vermagicOf } from './vermagic.ts'

const probe = readFileSync(join(import.meta.dirname, '../../../probes/whokilled.stp'), 'utf8')

test('the build tree holds the headers of the tracepoints that the probe uses, and no others', () => {
  expect(traceHeadersOf(probe)).toEqual(['oom.h', 'sched.h', 'signal.h'])
})

test('the map of symbols lists the functions of 32-bit programs only where the kernel runs them', () => {
  const bare = systemMapFor(probe, new Map())
  expect(bare).toContain(' T __x64_sys_kill\n')
  expect(bare).toContain(' T __x64_sys_pidfd_send_signal\n')
  expect(bare).not.toContain('__ia32_')
  expect(bare).not.toContain('_compat_')
  expect(systemMapFor(probe, new Map([['CONFIG_IA32_EMULATION', 'y']]))).toContain(' T __ia32_sys_kill\n')
})

test('options that the probe needs are looked for in the kernel configuration', () => {
  const config = parseConfig('CONFIG_MODULES=y\n# CONFIG_KPROBES is not set\nCONFIG_TRACEPOINTS=y\nCONFIG_RELAY=y\n')
  expect(missingOptions(config)).toEqual(['CONFIG_KPROBES', 'CONFIG_CGROUPS'])
})

const oldRuntime = `#if !defined(STAPCONF_TASK_WORK_CANCEL_EXPORTED)
typedef typeof(&task_work_cancel) task_work_cancel_fn;
#endif
        kallsyms_task_work_cancel = (void *)kallsyms_lookup_name("task_work_cancel");
`
const newHeader = `struct callback_head *task_work_cancel_func(struct task_struct *, task_work_func_t);
bool task_work_cancel(struct task_struct *task, struct callback_head *cb);
`
const oldHeader = 'struct callback_head *task_work_cancel(struct task_struct *, task_work_func_t);\n'

test('the runtime is corrected only where the kernel has changed and the runtime has not', () => {
  expect(needsPatch(oldRuntime, newHeader)).toBe(true)
  expect(needsPatch(oldRuntime, oldHeader)).toBe(false)
  expect(needsPatch(`${oldRuntime}// task_work_cancel_func`, newHeader)).toBe(false)
})

test('the correction is the type and the name of one function', () => {
  const patched = patchTaskWork(oldRuntime)
  expect(patched).toContain('typeof(&task_work_cancel_func) task_work_cancel_fn;')
  expect(patched).toContain('kallsyms_lookup_name("task_work_cancel_func")')
  expect(patched).toContain('STAPCONF_TASK_WORK_CANCEL_EXPORTED')
})

test('a runtime that looks otherwise is not edited blindly', () => {
  expect(() => patchTaskWork('int nothing;')).toThrowError(/in two places, found others/)
})

test('version and runtime folder are read from the help of stap', () => {
  const help = `Systemtap translator/driver (version 4.8/0.188, Debian version 4.8-2)
   -R DIR     look in DIR for runtime, instead of
              /usr/share/systemtap/runtime
`
  expect(describeSystemTap(help)).toEqual({ version: '4.8', runtime: '/usr/share/systemtap/runtime' })
  expect(describeSystemTap('stap: command of another kind')).toBeUndefined()
})

test('the version magic is found inside a module', () => {
  const module = Buffer.from(
    '\x7fELF..\0license=GPL\0vermagic=6.1.0-13-amd64 SMP preempt mod_unload modversions \0name=x\0',
  )
  expect(vermagicOf(module)).toBe('6.1.0-13-amd64 SMP preempt mod_unload modversions')
  expect(releaseOf(vermagicOf(module) ?? '')).toBe('6.1.0-13-amd64')
  expect(vermagicOf(Buffer.from('no module'))).toBeUndefined()
})
