import { z } from 'zod'
import { openEnum, timestamp } from './vocabulary.ts'

/** Who runs a process that is not on the host itself. `name` and `pod` are null until a runtime tells them. */
export const Container = z.looseObject({
  id: z.string(),
  name: z.string().nullable(),
  runtime: openEnum(['docker', 'containerd', 'cri-o', 'podman', 'lxc', 'systemd-nspawn', 'garden', 'unknown']),
  pod: z.string().nullable(),
})
export type Container = z.infer<typeof Container>

const processFields = {
  /** `<bootId>:<start ticks>:<pid>`; ticks are hundredths of a second since boot, as in /proc/PID/stat. */
  id: z.string(),
  pid: z.int().nonnegative(),
  /** The pid inside the process's own pid namespace. */
  nsPid: z.int().nonnegative().nullable(),
  ppid: z.int().nonnegative().nullable(),
  startedAt: timestamp.nullable(),
  comm: z.string().nullable(),
  exe: z.string().nullable(),
  /** What exec was asked to run, as it was written: a path that may be relative, a link or a script's. */
  file: z.string().nullable().optional(),
  /** Redacted on the host unless that was switched off. Bytes that are not UTF-8 are shown as \xHH. */
  args: z.array(z.string()).nullable(),
  argsTruncated: z.boolean(),
  /** True if an argument was replaced because it looked like a secret. */
  redacted: z.boolean(),
  uid: z.int().nonnegative().nullable(),
  euid: z.int().nonnegative().nullable(),
  user: z.string().nullable(),
  /** Who logged in, kept through sudo and su; null if nobody did (a daemon). */
  loginUid: z.int().nonnegative().nullable(),
  /** The audit session. */
  sessionId: z.int().nonnegative().nullable(),
  tty: z.string().nullable(),
  cgroup: z.string().nullable(),
  container: Container.nullable(),
}

/** One life of a pid, as an entry of somebody's ancestry. */
export const Ancestor = z.looseObject(processFields)
export type Ancestor = z.infer<typeof Ancestor>

/** One life of a pid. What is not known is null. `ancestors`: nearest first, to pid 1. */
export const Process = z.looseObject({ ...processFields, ancestors: z.array(Ancestor) })
export type Process = z.infer<typeof Process>
