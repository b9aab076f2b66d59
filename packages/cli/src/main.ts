#!/usr/bin/env node
import { CommanderError } from 'commander'
import { commandLine } from './command-line.ts'
import { CliError, exitStatus } from './errors.ts'

/** Ctrl-C ends it as it ends any program: by the signal itself, after the line of the spinner has been cleared. */
process.once('SIGINT', () => {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.kill(process.pid, 'SIGINT')
})

/** Nobody reads any more (`| head`): nothing is left to say, and nothing went wrong. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

try {
  const argv = process.argv.slice(2)
  const program = commandLine(argv, process, (status) => {
    process.exitCode = status
  })
  await program.parseAsync(argv, { from: 'user' })
} catch (error) {
  process.exitCode = statusOf(error)
}

function statusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.answered : exitStatus.wrongUsage
  if (!(error instanceof CliError)) throw error
  process.stderr.write(`whokilled: ${[error.message, error.hint].filter(Boolean).join(' ')} [${error.code}]\n`)
  return error.status
}
