import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Starts `whokilled-collector`, unbuilt; nothing of the environment but PATH and HOME reaches it unless given. */
export function startProgram(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const { PATH, HOME } = process.env
  return spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main, ...args], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** What a program prints, as it comes. */
export function outputOf(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  return output
}

/** Runs it to its end. */
export async function runProgram(args: readonly string[], environment: NodeJS.ProcessEnv) {
  const child = startProgram(args, environment)
  const output = outputOf(child)
  const [code] = await once(child, 'close')
  return { code: code as number | null, ...output }
}
