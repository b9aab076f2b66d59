/** How the value of a field is written: a decimal number, nanoseconds, or bytes. */
export type FieldKind = 'int' | 'ns' | 'bytes'

const current: Record<string, FieldKind> = {
  pid: 'int',
  tid: 'int',
  ppid: 'int',
  start: 'ns',
  uid: 'int',
  euid: 'int',
  luid: 'int',
  ses: 'int',
  sid: 'int',
  pgrp: 'int',
  tty: 'bytes',
  nspid: 'int',
  nsid: 'int',
  comm: 'bytes',
  exe: 'bytes',
  cgroup: 'bytes',
}

const clocks: Record<string, FieldKind> = { real: 'ns', mono: 'ns', boot: 'ns' }

const counters: Record<string, FieldKind> = { skipped: 'int', reentrant: 'int', errors: 'int', lost: 'int' }

/** The fields of each type that this version knows, and which of them a record cannot do without. */
export const recordTypes: ReadonlyMap<string, { fields: Record<string, FieldKind>; required: readonly string[] }> =
  new Map([
    [
      'start',
      {
        fields: { ...clocks, v: 'int', probe: 'bytes', version: 'bytes', release: 'bytes', page: 'int' },
        required: ['v', 'probe', 'real', 'mono', 'boot'],
      },
    ],
    [
      'exec',
      {
        fields: { ...current, oldtid: 'int', file: 'bytes', interp: 'bytes', argn: 'int', argv: 'bytes' },
        required: ['pid'],
      },
    ],
    ['args', { fields: { pid: 'int', start: 'ns', at: 'int', argv: 'bytes' }, required: ['pid', 'at', 'argv'] }],
    [
      'fork',
      {
        fields: { pid: 'int', start: 'ns', nspid: 'int', nsid: 'int', ppid: 'int', ptid: 'int', pstart: 'ns' },
        required: ['pid', 'ppid'],
      },
    ],
    ['exit', { fields: { ...current, code: 'int', seccomp: 'int' }, required: ['pid', 'code'] }],
    [
      'signal',
      {
        fields: {
          ...current,
          sig: 'int',
          code: 'int',
          info: 'bytes',
          group: 'int',
          result: 'bytes',
          call: 'bytes',
          arg: 'int',
          ctx: 'int',
          exiting: 'int',
          tpid: 'int',
          ttid: 'int',
          tppid: 'int',
          tstart: 'ns',
          tuid: 'int',
          tnspid: 'int',
          tnsid: 'int',
          tcomm: 'bytes',
          tcgroup: 'bytes',
          disp: 'bytes',
          blocked: 'int',
          sipid: 'int',
          siuid: 'int',
        },
        required: ['sig'],
      },
    ],
    [
      'signal-failed',
      { fields: { ...current, call: 'bytes', sig: 'int', arg: 'int', err: 'int' }, required: ['call', 'err'] },
    ],
    ['oom', { fields: { ...current, tpid: 'int', tstart: 'ns', tcomm: 'bytes' }, required: ['tpid'] }],
    [
      'open',
      {
        fields: { ...current, path: 'bytes', write: 'int', mtime: 'ns', text: 'bytes' },
        required: ['pid', 'path'],
      },
    ],
    ['log', { fields: { pid: 'int', tid: 'int', start: 'ns', text: 'bytes' }, required: ['text'] }],
    ['heartbeat', { fields: { ...clocks, ...counters }, required: ['real', 'mono', 'boot'] }],
    ['stop', { fields: { ...clocks, ...counters }, required: ['real', 'mono', 'boot'] }],
  ] satisfies [string, { fields: Record<string, FieldKind>; required: string[] }][])
