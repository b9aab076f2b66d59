/** A part of one name of a path, as the probe prints it: the last name first, a long name in several parts. */
export interface PathPart {
  /** Bytes of the whole name; 0: no name. */
  readonly length: number
  readonly at: number
  readonly bytes: string
}

/** Parts on one line, and bytes of each. */
export const partsOnLine = 4
export const partBytes = 24

/** What a fact says of the path before it. */
export interface PathInfo {
  /** Lines that hold it, right before the fact. */
  readonly lines: number
  /** False if it has more names than the probe walks along. */
  readonly isWhole: boolean
  readonly isDeleted: boolean
}

/** Names of 32 steps of the probe's walk. */
const linesMax = 8

/** Keeps one processor's lines of a path until the fact comes that they belong to. */
export class PathLines {
  private readonly lines: { readonly n: number; readonly parts: readonly PathPart[] }[] = []

  take(n: number, parts: readonly PathPart[]): void {
    this.lines.push({ n, parts })
    if (this.lines.length > linesMax) this.lines.shift()
  }

  /** The path of fact number `n`, as d_path() in the kernel writes it; undefined unless all of it has come. */
  pathOf(n: number, info: PathInfo): string | undefined {
    const own = this.lines.filter((line) => line.n >= n - info.lines && line.n < n)
    this.lines.length = 0
    if (own.length !== info.lines || !info.isWhole) return undefined
    const names: string[] = []
    for (const part of own.flatMap(({ parts }) => parts)) {
      if (part.length === 0) continue
      const bytes = part.bytes.slice(0, part.length - part.at)
      if (part.at === 0) names.unshift(bytes)
      else names[0] += bytes
    }
    return `/${names.join('/')}${info.isDeleted ? ' (deleted)' : ''}`
  }
}
