import type { Check } from './checks.ts'

export interface Finding extends Pick<Check, 'id' | 'needed' | 'what'> {
  readonly ok: boolean
  /** The exact remedy; null if all is well. */
  readonly remedy: string | null
}

export interface Examination {
  readonly findings: readonly Finding[]
  /** The best probe that can run here, or null. `systemtap-module`: with a module built elsewhere. */
  readonly probe: 'systemtap' | 'systemtap-module' | 'bpftrace' | null
}

/** Makes all checks, and tells which probe this host can run. */
export async function examine(checks: readonly Check[]): Promise<Examination> {
  const findings: Finding[] = []
  for (const { id, needed, what, remedy } of checks) {
    const found = await remedy()
    findings.push({ id, needed, what, ok: found === undefined, remedy: found ?? null })
  }
  const has = (needed: Check['needed']) => findings.every((finding) => finding.needed !== needed || finding.ok)
  const isRoot = findings.every(({ id, ok }) => id !== 'root' || ok)
  if (!isRoot) return { findings, probe: null }
  if (has('systemtap')) return { findings, probe: has('systemtap-compile') ? 'systemtap' : 'systemtap-module' }
  return { findings, probe: has('bpftrace') ? 'bpftrace' : null }
}
