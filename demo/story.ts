import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A death that has happened, and that the CLI is to be asked about. */
export interface Story {
  /** The service's name. */
  readonly service: string
  /** Plays it; resolves when the service is dead. */
  play(): Promise<void>
}

/**
 * A service loops; a clean-up script finds "its" process with ps, grep and awk, and kills it. The service's name holds
 * a random word, so that the script can find nothing else on this machine.
 */
export async function killByName(folder: string): Promise<Story> {
  const word = randomBytes(4).toString('hex')
  const service = `shop-${word}.sh`
  const other = join(folder, 'other-team')
  await mkdir(other, { recursive: true })
  await writeFile(join(folder, service), 'while :; do sleep 1; done\n')
  await writeFile(join(other, 'cleanup.sh'), `kill -9 $(ps -ef | grep ${service} | grep -v grep | awk '{print $2}')\n`)
  return {
    service,
    async play() {
      const victim = spawn('sh', [service], { cwd: folder, stdio: 'ignore' })
      const died = once(victim, 'exit')
      await pause(1_500)
      const killer = spawn('sh', ['cleanup.sh'], { cwd: other, stdio: 'ignore' })
      await once(killer, 'exit')
      const timer = setTimeout(() => victim.kill('SIGTERM'), 5_000)
      await died
      clearTimeout(timer)
    },
  }
}

/** The same story as it was recorded under SystemTap in a virtual machine. */
export const recordedStory: Story = { service: 'test.sh', play: async () => undefined }
