import { createColors } from 'picocolors'
import type { Config } from '../config.ts'
import { checksFor } from '../doctor/checks.ts'
import { type Examination, examine } from '../doctor/examine.ts'

/** Prints what this host can run, and the remedy for what it cannot; true if a probe can run. */
export async function doctor(config: Config, options: { json: boolean; colour: boolean }): Promise<boolean> {
  const examination = await examine(checksFor(config))
  const text = options.json ? JSON.stringify(examination) : tell(examination, options.colour)
  process.stdout.write(`${text}\n`)
  return examination.probe !== null
}

const conclusions = {
  systemtap: 'SystemTap can run here.',
  'systemtap-module': 'SystemTap can run here with a module built elsewhere: whokilled-agent build-module.',
  bpftrace: 'bpftrace can run here; SystemTap cannot.',
}

function conclusionOf(findings: Examination['findings'], probe: Examination['probe']): string {
  if (probe !== null) return conclusions[probe]
  const isRoot = findings.every(({ id, ok }) => id !== 'root' || ok)
  return isRoot ? 'No probe can run here.' : 'Only root can trace: run this as root to learn which probe can run here.'
}

function tell({ findings, probe }: Examination, colour: boolean): string {
  const { bold, dim, green, red } = createColors(colour)
  const lines = findings.map(({ needed, ok, what, remedy }) =>
    ok ? `${green('✓')} ${what}` : `${red('✗')} ${what} ${dim(`(${needed})`)}\n    ${remedy}`,
  )
  return [...lines, '', bold(conclusionOf(findings, probe))].join('\n')
}
