import fc from 'fast-check'

/** Values that have made programs stumble. */
const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1.5,
    2 ** 53,
    1e308,
    '',
    '\0',
    '\ud800',
    '\udfff\ud800',
    '\u202e\x1b[2J',
    '\ufeff',
    '2026-99-99T99:99:99Z',
    '9999-12-31T23:59:59.999999999Z',
    '0000-01-01T00:00:00Z',
    'infinity',
    "'; drop table deaths; --",
    '{}',
    'x'.repeat(3_000),
    '𝒳'.repeat(200),
    [],
    {},
    { __proto__: null },
    [[[[[[]]]]]],
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

const nastyKey = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '',
    '\0',
    '\ud800',
    'id',
    'host',
    'event',
    'at',
    'x'.repeat(300),
  ),
  fc.string({ maxLength: 10 }),
)

/** An event that was changed in one or several places, as the bytes of one line. */
export function mutated(event: object): fc.Arbitrary<Buffer> {
  const shapes = fc
    .array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'remove', 'add'), nastyKey, nasty), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => {
      const copy = structuredClone(event) as Node
      for (const [where, what, key, value] of changes) change(copy, where, what, key, structuredClone(value))
      return Buffer.from(JSON.stringify(copy))
    })
  const whole = Buffer.from(JSON.stringify(event))
  const texts = fc
    .tuple(fc.nat(whole.length), fc.nat(40), fc.uint8Array({ maxLength: 20 }))
    .map(([at, length, bytes]) => Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + length)]))
  const numbers = fc
    .constantFrom(
      '1e400',
      '-1e400',
      '1e200000',
      '3.0',
      '0.1e1',
      '9007199254740993',
      `${'9'.repeat(400)}`,
      '-0',
      'NaN',
      '01',
    )
    .map((text) => Buffer.from(JSON.stringify(event).replace(/("(?:seq|pid|lostRecords|number)":)\d+/, `$1${text}`)))
  return fc.oneof(
    shapes,
    texts,
    numbers,
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  )
}

type Node = Record<string, unknown>

function change(root: Node, where: number, what: string, key: string, value: unknown): void {
  const nodes = nodesOf(root)
  const node = nodes[where % nodes.length] ?? root
  const keys = Object.keys(node)
  const chosen = keys[(where >> 3) % Math.max(1, keys.length)]
  if (Array.isArray(node)) node.push(value)
  else if (what === 'add' || chosen === undefined) {
    Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true })
  } else if (what === 'remove') delete node[chosen]
  else node[chosen] = value
}

function nodesOf(root: Node): Node[] {
  const inner = Object.values(root).filter((value): value is Node => typeof value === 'object' && value !== null)
  return [root, ...inner.flatMap(nodesOf)]
}
