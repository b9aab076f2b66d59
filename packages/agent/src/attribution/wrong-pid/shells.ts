import type { Program } from '../../process/entry.ts'

/** Whether a program is a shell: it waits for its commands unless it is told not to, and writes pids of others. */
export function isShell({ exe, args, comm = '' }: Program): boolean {
  const called = args?.[0] ?? exe ?? comm
  return /(?:^|[/-])(?:ba|da|a|k|mk|z|fi)?sh$/.test(called)
}
