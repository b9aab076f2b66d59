import type { DeadLetter, Stamp } from './dead-letter.ts'

/** Bad lines of one message that become dead letters of their own. An agent's messages hold a few hundred events. */
const lettersMax = 100
/** What is kept of a dead letter: the rest of the bad lines of a message is kept in pieces of this size. */
export const payloadBytesMax = 1_048_576
/** No event is as short: such a line need not be looked at once a message has shown to be rubbish. */
const eventBytesMin = 128

const lineFeed = 0x0a

/**
 * Takes what is bad in one message. The first hundred bad lines become dead letters of their own, the others are put
 * together, one a line: a message of nothing but line feeds and single letters would make half a million of them.
 */
export class PutAside {
  readonly letters: DeadLetter[] = []
  private readonly from: { readonly subject: string; readonly streamSeq: number }
  private piece: Piece | undefined

  constructor(from: { readonly subject: string; readonly streamSeq: number }) {
    this.from = from
  }

  /** True if the line need not be looked at: it is none that could be stored, and there are too many like it. */
  isRubbish(line: Uint8Array): boolean {
    return line.length < eventBytesMin && this.letters.length >= lettersMax
  }

  /** Takes a line that need not be looked at. */
  addRubbish(line: Uint8Array): void {
    this.addToPiece(line, [], 'not-json: shorter than any event')
  }

  add(letter: DeadLetter): void {
    if (this.letters.length < lettersMax || letter.payload.length > payloadBytesMax) this.letters.push(letter)
    else this.addToPiece(letter.payload, letter.stamps, `${letter.reason}: ${letter.detail}`)
  }

  /** All of them. Nothing may be added later. */
  end(): readonly DeadLetter[] {
    this.endPiece()
    return this.letters
  }

  private addToPiece(line: Uint8Array, stamps: readonly Stamp[], first: string): void {
    if (this.piece !== undefined && this.piece.used + 1 + line.length > payloadBytesMax) this.endPiece()
    this.piece ??= { bytes: Buffer.alloc(payloadBytesMax), used: 0, eventCount: 0, stamps: [], first }
    const { piece } = this
    if (piece.used > 0) piece.bytes[piece.used++] = lineFeed
    piece.bytes.set(line, piece.used)
    piece.used += line.length
    piece.eventCount += 1
    piece.stamps.push(...stamps)
  }

  private endPiece(): void {
    if (this.piece === undefined) return
    const { bytes, used, eventCount, stamps, first } = this.piece
    this.letters.push({
      reason: 'too-many',
      detail: `expected at most ${lettersMax} bad events in a message, got ${eventCount} more, the first: ${first}`,
      ...this.from,
      payload: Buffer.from(bytes.subarray(0, used)),
      eventCount,
      stamps,
    })
    this.piece = undefined
  }
}

interface Piece {
  readonly bytes: Buffer
  used: number
  eventCount: number
  readonly stamps: Stamp[]
  /** What was wrong with its first line. */
  readonly first: string
}
