import type { Program } from '../../process/entry.ts'
import { isCalled, wordsOf } from './program.ts'
import { runsGivenCode } from './shell.ts'

/** Programs that end others because somebody called them to. */
const enders = ['kill', 'pkill', 'killall', 'killall5', 'skill', 'slay', 'fuser', 'start-stop-daemon']
const runtimes = ['runc', 'crun', 'youki', 'runsc', 'kata-runtime']

/** Programs that run the command they are given. */
const wrappers = [
  ...['env', 'nice', 'ionice', 'chrt', 'taskset', 'numactl', 'nohup', 'setsid', 'stdbuf', 'unbuffer', 'time', 'watch'],
  ...['xargs', 'parallel', 'find', 'flock', 'chroot', 'unshare', 'nsenter', 'cgexec', 'strace', 'ltrace', 'timeout'],
  ...['systemd-cat', 'gosu', 'su-exec', 'chpst', 'setuidgid', 's6-setuidgid', 's6-applyuidgid', 'capsh', 'run-parts'],
  ...['deb-systemd-invoke', 'invoke-rc.d', 'rc-service'],
]

const tools: ReadonlySet<string> = new Set([...enders, ...runtimes, ...wrappers])

/** Whether a program does what it was called for, and nothing of its own. */
export function isTool(program: Program): boolean {
  return isCalled(program, tools) || runsGivenCode(program)
}

const changers: ReadonlySet<string> = new Set([
  ...['sudo', 'su', 'doas', 'runuser', 'pkexec', 'setpriv', 'run0', 'sg', 'newgrp', 'machinectl'],
])

/** By which command a process became another user, if its program is one of those. */
export function userChangeOf(program: Program): string | undefined {
  const [called = ''] = wordsOf(program)
  return changers.has(called) ? called : undefined
}
