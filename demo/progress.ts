/** Says on stderr what the demo does, with the time each step took; colours on a terminal alone. */
export class Progress {
  private readonly colourful = process.stderr.isTTY === true && process.env.NO_COLOR === undefined

  async step<T>(what: string, work: () => Promise<T>, tell: (done: T) => string = () => ''): Promise<T> {
    const startedAt = performance.now()
    if (this.colourful) process.stderr.write(`  … ${what}\r`)
    const done = await work()
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    const details = tell(done)
    this.line(
      `${this.colour('32', '✓')} ${what}${details === '' ? '' : ` ${details}`} ${this.colour('2', `(${seconds} s)`)}`,
    )
    return done
  }

  say(text: string): void {
    this.line(text)
  }

  fail(text: string): void {
    this.line(`${this.colour('31', '✗')} ${text}`)
  }

  private line(text: string): void {
    process.stderr.write(`${this.colourful ? '\x1b[2K' : ''}${text}\n`)
  }

  private colour(code: string, text: string): string {
    return this.colourful ? `\x1b[${code}m${text}\x1b[0m` : text
  }
}
