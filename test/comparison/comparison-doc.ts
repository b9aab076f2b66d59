import { join } from 'node:path'
import type { Way } from '../ways/way.ts'
import type { ComparedRun } from './answers.ts'
import { tableOf, totalsOf } from './comparison-table.ts'
import type { Row } from './rows.ts'

export const comparisonPath = join(import.meta.dirname, '../../docs/comparison.md')

/** docs/comparison.md: what each tool told of each way. */
export function comparisonDoc(
  ways: ReadonlyMap<string, readonly Way[]>,
  rows: ReadonlyMap<string, Row>,
  { versions, auditStatus }: Pick<ComparedRun, 'versions' | 'auditStatus'>,
): string {
  const groups = new Map([...ways].map(([title, list]) => [title, list.flatMap(({ name }) => rows.get(name) ?? [])]))
  const count = [...rows.values()].filter((row) => 'cells' in row).length
  const lost = /^lost (\d+)$/m.exec(auditStatus)?.[1] ?? 'unknown'
  const [bpftrace = '', auditctl = '', kernel = '', systemTap = ''] = versions.split('\n')
  return [
    introduction(count),
    totalsOf(groups),
    `Seen with kernel ${kernel}, ${bpftrace}, ${auditctl.replace('auditctl version', 'auditd')} and ${systemTap}. Records that auditd lost: ${lost}.\n`,
    settings,
    ...[...groups].flatMap(([title, list]) => (list.length === 0 ? [] : [`## ${title}\n`, tableOf(list)])),
  ].join('\n')
}

function introduction(count: number): string {
  return `# Compared with other tools

${count} ways to die ([causes](causes.md)), each really made to happen while all tools watched the same virtual machine at the same time. For each tool one question, answered by a program from what the tool printed and from who really was who (\`test/comparison/judge.ts\`):

**Who ended this process, or what did, if nobody?**

- yes: it names the process that did, and no other. Where no other process did, it says what it was (a fault, its own exit, the OOM killer …).
- partly: it tells of a call, a signal or the end, but not who ended this process; or it names the right one among others.
- **wrong**: it names only processes that did not end it.
- –: nothing.
- †: it also says that the process has ended. Without that a reader cannot know whether a signal was the end, was caught, or was ignored.

This page is written by \`node --conditions=source --import tsx test/comparison/compare.ts\`.
`
}

const settings = `## What the others are made for

None of them is made for this question alone, and each is good at its own.

- **killsnoop.bt**, as Debian's package bpftrace brings it, shows calls of kill(2) as they happen. This version looks at no other call; newer ones add tkill(2) and tgkill(2). What it prints as target is what the caller wrote: a group, −1, or a number of another pid namespace.
- **auditd** keeps a record of who did what, for those who have to prove it later. Here with rules for all six calls that send signals and for every program's start, for 64-bit and 32-bit programs (\`test/comparison/watch.sh\`); the rules that are often published have kill, tkill and tgkill for 64-bit programs. It names each process that got a signal, and the login user behind the sender, which no other tool but whokilled does. The kernel adds a record when a signal that dumps core, or seccomp, ends a process; of other ends it says nothing.
- **\`nd_syscall.kill\`** is SystemTap's one-line answer, as articles give it: a line for each call of kill(2) (\`test/comparison/article.stp\`). For 64-bit programs.
- **\`signal.send\`** is the other probe of SystemTap's library, used by its example sigmon.stp: a line for each signal, with the process that was current (\`test/comparison/signal_send.stp\`). For signals that the kernel makes of its own, in a timer's interrupt for example, that is whoever happened to be running: a line that names the idle task or one of the kernel's own threads counts as partly.

The SystemTap scripts ran with SystemTap's own limits. Not compared: what each costs, and what it can do across hosts.
`
