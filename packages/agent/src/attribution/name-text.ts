import type { Ancestor } from '@whokilled/shared/process'
import { processName, userText } from '@whokilled/shared/text/process-name'
import { shortened } from '@whokilled/shared/text/terminal-text'
import { type DescribeOptions, describeProcess } from '../process/describe.ts'
import { textOf } from '../record/bytes.ts'
import { shellUse } from './commands/shell.ts'
import type { NamePart } from './judged.ts'

/** Longest command in a name, in characters: a name has room for who ran it, too. */
const commandLengthMax = 60

/** A name in words: users as this host calls them, commands without their secrets. Not yet safe to print. */
export function nameText(parts: readonly NamePart[], options: DescribeOptions): string {
  return parts.map((part) => partText(part, options)).join('')
}

function partText(part: NamePart, options: DescribeOptions): string {
  if (typeof part === 'string') return textOf(part)
  if ('user' in part) return part.user === undefined ? 'an unknown user' : nameOfUser(part.user, options)
  const { process, program } = 'job' in part ? part.job : part.command
  const described = describeProcess(process, options, program)
  if ('command' in part) return processName(described, commandLengthMax)
  return shortened(jobText(described, shellUse(program)), commandLengthMax)
}

function nameOfUser(uid: number, { userName }: DescribeOptions): string {
  return userName(uid) ?? userText(null, uid) ?? ''
}

/** `/usr/local/bin/cleanup.sh` for `sh -c /usr/local/bin/cleanup.sh` and for `/bin/sh /usr/local/bin/cleanup.sh`. */
function jobText(process: Ancestor, use: ReturnType<typeof shellUse>): string {
  const [, ...rest] = process.args ?? []
  if (use === 'command') return rest[rest.findIndex((word) => /^-[a-z]*c/.test(word)) + 1] ?? processName(process)
  return use === 'script' ? rest.join(' ') : (process.args?.join(' ') ?? processName(process))
}
