/** A line of the protocol has at most 4,000 bytes; SystemTap's reader itself cuts at 8,192. */
const unterminatedMax = 8_192

/**
 * Cuts a stream into lines. What has no LF after 8 KiB is passed on as a line of its own, so that the parser rejects
 * and counts it, and memory stays bounded.
 */
export class LineSplitter {
  private rest = ''

  /** Takes a piece of the stream, one character a byte; gives the lines that are complete now. */
  push(piece: string): string[] {
    const lines = (this.rest + piece).split('\n')
    this.rest = lines.pop() ?? ''
    if (this.rest.length > unterminatedMax) {
      lines.push(this.rest)
      this.rest = ''
    }
    return lines
  }

  /** What was left without LF at the end of the stream; undefined if nothing was. */
  end(): string | undefined {
    const rest = this.rest
    this.rest = ''
    return rest === '' ? undefined : rest
  }
}
