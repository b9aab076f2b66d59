import { type Tool, tools } from './answers.ts'
import type { Mark } from './judge.ts'
import type { Cell, Row } from './rows.ts'

const heads: Readonly<Record<Tool, string>> = {
  systemtap: 'whokilled, SystemTap',
  bpftrace: 'whokilled, bpftrace',
  killsnoop: 'killsnoop.bt',
  auditd: 'auditd',
  article: '`nd_syscall.kill`',
  signal_send: '`signal.send`',
}

const words: Readonly<Record<Mark, string>> = { right: 'yes', partly: 'partly', wrong: '**wrong**', nothing: '–' }

/** The ways of a group, a line for each, with each tool's answer. */
export function tableOf(rows: readonly Row[]): string {
  return table('way', [
    ...rows.map((row) => {
      const { title } = row.way
      if ('leftOut' in row) return line(`${title} (not compared: ${row.leftOut})`, () => '')
      return line(title, (tool) => `${words[row.cells[tool].mark]}${row.cells[tool].saidDead ? ' †' : ''}`)
    }),
  ])
}

/** How often each tool was right in each group, and all answers counted. */
export function totalsOf(groups: ReadonlyMap<string, readonly Row[]>): string {
  const compared = [...groups].flatMap(([title, rows]) => {
    const cells = rows.flatMap((row) => ('cells' in row ? [row.cells] : []))
    return cells.length === 0 ? [] : [{ title, cells }]
  })
  const all = compared.flatMap(({ cells }) => cells)
  const counts = (first: string, of: (cell: Cell) => boolean | undefined) =>
    line(first, (tool) => all.filter((cells) => of(cells[tool]) === true).length)
  const asked = (what: 'behalf' | 'wrongPid') => all.filter(({ systemtap }) => systemtap[what] !== undefined).length
  return table('yes, by group', [
    ...compared.map(({ title, cells }) =>
      line(`${title} (${cells.length})`, (tool) => cells.filter((row) => row[tool].mark === 'right').length),
    ),
    counts(`**all: yes** (${all.length})`, ({ mark }) => mark === 'right'),
    counts('all: partly', ({ mark }) => mark === 'partly'),
    counts('all: **wrong**', ({ mark }) => mark === 'wrong'),
    counts('all: nothing', ({ mark }) => mark === 'nothing'),
    counts('† it says that the process has ended', ({ saidDead }) => saidDead),
    counts(`it names for whom the killer acted (of ${asked('behalf')})`, ({ behalf }) => behalf),
    counts(`it names whom the signal was meant for (of ${asked('wrongPid')})`, ({ wrongPid }) => wrongPid),
  ])
}

function table(first: string, lines: readonly string[]): string {
  return [line(first, (tool) => heads[tool]), line('---', () => '---'), ...lines, ''].join('\n')
}

function line(first: string, cell: (tool: Tool) => string | number): string {
  return `| ${[first, ...tools.map(cell)].join(' | ')} |`
}
