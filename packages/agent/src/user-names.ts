import { readFileSync, statSync } from 'node:fs'

/** Names of users by number, read from /etc/passwd and read again when it changes. */
export class UserNames {
  private readonly path: string
  private names = new Map<number, string>()
  private readAt = 0
  private version = ''

  constructor(path = '/etc/passwd') {
    this.path = path
  }

  readonly nameOf = (uid: number): string | undefined => {
    if (Date.now() - this.readAt > 10_000) this.refresh()
    return this.names.get(uid)
  }

  private refresh(): void {
    this.readAt = Date.now()
    const { mtimeMs = 0, size = 0 } = statSync(this.path, { throwIfNoEntry: false }) ?? {}
    if (this.version === `${mtimeMs}:${size}`) return
    this.version = `${mtimeMs}:${size}`
    const lines = size === 0 ? [] : readFileSync(this.path, 'utf8').split('\n')
    const entries = lines.map((line) => line.split(':')).filter((fields) => /^\d+$/.test(fields[2] ?? ''))
    this.names = new Map(entries.reverse().map(([name = '', , uid]) => [Number(uid), name]))
  }
}
