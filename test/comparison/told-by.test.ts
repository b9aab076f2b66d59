import { expect, test } from 'vitest'
import { toldByKillsnoop, toldByScript } from './told-by.ts'
import { toldByAuditd } from './told-by-auditd.ts'

test('killsnoop’s lines are divided at the marks, and refused calls are left out', () => {
  const output = `Attaching 3 probes...
Tracing kill() signals... Hit Ctrl-C to end.
TIME      PID    COMM             SIG  TPID   RESULT
02:15:10  100    sh               0    5000000 -3
02:15:10  212    two words        9    210    0
02:15:11  213    sender           15   -210   0
02:15:11  100    sh               0    5000001 -3
02:15:12  214    sender           9    210    -1
`
  expect(toldByKillsnoop(output, 5_000_000)).toEqual(
    new Map([
      [
        0,
        {
          claims: [
            { sender: 212, signal: 9, target: 210 },
            { sender: 213, signal: 15, target: -210 },
          ],
          deaths: [],
        },
      ],
    ]),
  )
})

test('a script’s lines have a time, a sender, a signal and a target', () => {
  expect(toldByScript('watching\n1795401128713 two words 212 sends 9 to -210\n')).toEqual([
    { at: 1_795_401_128.713, what: { sender: 212, signal: 9, target: -210 } },
  ])
})

test('auditd names each target of a call, and deaths that dump core', () => {
  const log = [
    'type=SYSCALL msg=audit(1795402437.204:7): arch=c000003e syscall=234 success=yes exit=0 a0=d2 a1=d3 a2=9 a3=0 items=0 ppid=1 pid=212 auid=1001 comm="sender" key="kill"\x1dARCH=x86_64',
    'type=OBJ_PID msg=audit(1795402437.204:7): opid=210 oauid=-1 ouid=0 oses=-1 ocomm="victim"\x1dOAUID="unset"',
    'type=OBJ_PID msg=audit(1795402437.204:7): opid=211 oauid=-1 ouid=0 oses=-1 ocomm="victim"',
    'type=PROCTITLE msg=audit(1795402437.204:7): proctitle=73656E646572',
    'type=SYSCALL msg=audit(1795402437.300:8): arch=c000003e syscall=62 success=no exit=-1 a0=d2 a1=9 pid=213',
    'type=OBJ_PID msg=audit(1795402437.300:8): opid=210',
    'type=SYSCALL msg=audit(1795402437.400:9): arch=40000003 syscall=37 success=yes exit=0 a0=d2 a1=f pid=214',
    'type=OBJ_PID msg=audit(1795402437.400:9): opid=210',
    'type=ANOM_ABEND msg=audit(1795402438.000:10): auid=0 uid=0 gid=0 ses=1 pid=215 comm="victim" exe="/lab/victim" sig=11 res=1',
    'half a line',
  ].join('\n')
  expect(toldByAuditd(log)).toEqual([
    { at: 1_795_402_437.204, what: { sender: 212, signal: 9, target: 210 } },
    { at: 1_795_402_437.204, what: { sender: 212, signal: 9, target: 211 } },
    { at: 1_795_402_437.4, what: { sender: 214, signal: 15, target: 210 } },
    { at: 1_795_402_438, what: { pid: 215, cause: 'fault' } },
  ])
})
