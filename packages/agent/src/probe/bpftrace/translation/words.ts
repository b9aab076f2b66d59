/** A line printed by probes/whokilled.bt: a letter and numbers, one space between them. */
const printed = /^[A-Z](?: -?[0-9a-f]{1,20})+$/

/** Splits a line; undefined if the probe prints no such line. */
export function wordsOf(line: string): { readonly letter: string; readonly words: string[] } | undefined {
  if (!printed.test(line)) return undefined
  const [letter = '', ...words] = line.split(' ')
  return { letter, words }
}

/** Takes the words of a line one after the other. Throws a RangeError past the last: the caller counts them first. */
export class Words {
  private readonly words: readonly string[]
  private next = 0

  constructor(words: readonly string[]) {
    this.words = words
  }

  int(): number {
    return Number(this.take())
  }

  big(): bigint {
    return BigInt(this.take())
  }

  /** Two 32-bit numbers that the probe packed into one word, since a BPF stack is small. */
  pair(): readonly [high: number, low: number] {
    const both = BigInt(`0x${this.take()}`)
    return [Number(both >> 32n), Number(both & 0xffff_ffffn)]
  }

  hex(): number {
    return Number.parseInt(this.take(), 16)
  }

  /** Bytes that the probe printed as words of eight, the first byte in the lowest digits. */
  bytes(words: number): string {
    let bytes = ''
    for (let word = 0; word < words; word += 1) bytes = this.take().padStart(16, '0') + bytes
    return Buffer.from(bytes, 'hex').reverse().toString('latin1')
  }

  /** Bytes up to the first NUL: a name in an array of fixed length. */
  name(words: number): string {
    const bytes = this.bytes(words)
    const end = bytes.indexOf('\0')
    return end < 0 ? bytes : bytes.slice(0, end)
  }

  private take(): string {
    const word = this.words[this.next]
    if (word === undefined) throw new RangeError(`expected word ${this.next + 1}, the line has ${this.words.length}`)
    this.next += 1
    return word
  }
}
