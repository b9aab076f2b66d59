import { join } from 'node:path'
import { execa } from 'execa'

/** Compiles sender-32bit.c into this folder; returns the program's path. The compiler needs nothing for 32 bits. */
export async function compile32BitSender(folder: string): Promise<string> {
  const program = join(folder, 'sender-32bit')
  const flags = [
    '-std=gnu17',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-O1',
    '-m32',
    '-static',
    '-nostdlib',
    '-fno-pie',
    '-no-pie',
  ]
  await execa('gcc', [...flags, '-fno-stack-protector', '-o', program, join(import.meta.dirname, 'sender-32bit.c')])
  return program
}
