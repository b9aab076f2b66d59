import type { Event } from '@whokilled/shared/event'

/**
 * An event as JSON of at most so many bytes. Command lines can be as long as megabytes, and each process brings its
 * ancestors with theirs: where an event is too large, arguments are cut shorter and shorter, and marked so. Undefined
 * where even without any it is too large.
 */
export function jsonWithin(event: Event, bytesMax: number): { json: string | undefined; isShortened: boolean } {
  let json = JSON.stringify(event)
  if (Buffer.byteLength(json) <= bytesMax) return { json, isShortened: false }
  for (const charactersMax of argumentLengths) {
    json = JSON.stringify(event, (_, value: unknown) => (isProgram(value) ? cut(value, charactersMax) : value))
    if (Buffer.byteLength(json) <= bytesMax) return { json, isShortened: true }
  }
  return { json: undefined, isShortened: true }
}

/** Characters of all arguments of one process, from the first attempt to the last. */
const argumentLengths = [8_192, 1_024, 128, 0]

const halfCharacter = /[\ud800-\udbff]$/

interface WithArguments {
  readonly args: readonly string[]
  readonly argsTruncated: boolean
}

function isProgram(value: unknown): value is WithArguments {
  return typeof value === 'object' && value !== null && 'args' in value && Array.isArray(value.args)
}

function cut(process: WithArguments, charactersMax: number): WithArguments {
  const args: string[] = []
  let left = charactersMax
  for (const arg of process.args) {
    if (left <= 0) break
    args.push(arg.slice(0, left).replace(halfCharacter, ''))
    left -= Math.max(1, arg.length)
  }
  const isWhole = args.length === process.args.length && args.at(-1) === process.args.at(-1)
  return isWhole ? process : { ...process, args, argsTruncated: true }
}
