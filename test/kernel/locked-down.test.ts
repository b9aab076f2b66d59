import { complaintIn } from '@whokilled/agent/probe/stap/errors'
import { expect, test } from 'vitest'
import { runInGuest } from './lab/guest.ts'

const script = 'staprun /lab/whokilled.ko < /dev/null > /out/records 2> /out/stderr; echo $? > /out/status'

test.each([
  ['lockdown=integrity', 'kernel-lockdown'],
  ['module.sig_enforce=1', 'module-unsigned'],
])('a kernel started with %s refuses the module, and %s is recognised', async (kernelArguments, code) => {
  await using run = await runInGuest({ script, kernelArguments })
  expect(String(await run.read('status'))).toBe('1\n')
  expect(complaintIn(String(await run.read('stderr')))?.code).toBe(code)
})
