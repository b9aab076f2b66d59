import Table from 'cli-table3'

type Rows = readonly (readonly string[])[]

/** How a table is laid out. */
export interface TableLayout {
  readonly head?: readonly string[]
  /** Columns of the terminal; undefined: no limit, and no line is broken. */
  readonly width: number | undefined
  /** The column that takes what the others leave, and is broken between words. */
  readonly flexible: number
  /** How wide another column may become where the width is limited; longer text ends in `…`. */
  readonly widthMax: number
  readonly indent?: number
}

const gap = 2
const flexibleMin = 16

/** Lines of aligned columns, without borders and trailing blanks. */
export function tableText(rows: Rows, layout: TableLayout): string {
  const margin = ' '.repeat(layout.indent ?? 0)
  return (layout.width === undefined ? drawn(rows, layout) : fitted(rows, layout, layout.width))
    .split('\n')
    .map((line) => `${margin}${line}`.trimEnd())
    .join('\n')
}

function fitted(rows: Rows, layout: TableLayout, width: number): string {
  const natural = makeTable(rows, layout)
  natural.toString() // Computes the widths, as the terminal counts them.
  const widths = natural.options.colWidths.map((each) => Math.min(each ?? 0, layout.widthMax + gap))
  const others = widths.reduce((sum, each, column) => (column === layout.flexible ? sum : sum + each), 0)
  const left = Math.max(flexibleMin, width - (layout.indent ?? 0) - others + gap)
  widths[layout.flexible] = left
  const broken = rows.map((row) =>
    row.map((text, column) => (column === layout.flexible ? breakable(text, left - gap) : text)),
  )
  return drawn(broken, layout, widths)
}

function drawn(rows: Rows, layout: TableLayout, colWidths: number[] = []): string {
  return makeTable(rows, layout, colWidths).toString()
}

function makeTable(rows: Rows, { head = [], flexible }: TableLayout, colWidths: number[] = []): Table.Table {
  const table = new Table({
    head: [...head],
    colWidths,
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap, compact: true },
  })
  const isLimited = colWidths.length > 0
  table.push(
    ...rows.map((row) => row.map((content, column) => ({ content, wordWrap: isLimited && column === flexible }))),
  )
  return table
}

/** cli-table3 breaks between words only, and would cut off the end of a longer one. */
function breakable(text: string, width: number): string {
  const isWide = /[^\u0000-\u2e7f]/u.test(text)
  const lengthMax = isWide ? Math.floor(width / 2) : width
  return text.replace(new RegExp(`[^\\s\\x1b]{${lengthMax}}(?=[^\\s\\x1b])`, 'gu'), '$&\n')
}

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}
