import type { DeathEvent, Instigator } from '../event.ts'
import type { UnjudgedDeath } from '../unjudged-death.ts'
import { processIdentity } from './process-name.ts'
import { shortened, terminalText } from './terminal-text.ts'
import { durationText } from './time-text.ts'

/** ` after the stop timeout of 2.0 s, likely for …`, behind who killed; empty if the killer acted for nobody. */
export function instigatorText({ behalf }: Pick<UnjudgedDeath, 'behalf'>): string {
  if (behalf === null) return ''
  return `${graceText(behalf)}, ${hedge(behalf.confidence)}${link(behalf)}${nameText(behalf, 140)}`
}

/** The line `for`, of a policy `because`: whom or what the killer acted for, that process, how that was found. */
export function behalfLine({ behalf }: Pick<DeathEvent, 'behalf'>): string | undefined {
  if (behalf === null) return undefined
  const who = behalf.process ? `   ${processIdentity(behalf.process)}` : ''
  const rule = `   (rule: ${shortened(terminalText(behalf.rule), 120)})`
  const reasons = (behalf.reasons ?? []).map((reason) => shortened(terminalText(reason), 240)).join(', ')
  return `${hedge(behalf.confidence)}${nameText(behalf, 240)}${graceText(behalf)}${who}${rule}${reasons && `: ${reasons}`}`
}

/** People and programs ask; a policy is a reason. */
function link({ kind }: Instigator): string {
  return kind === 'policy' ? 'because of ' : 'for '
}

function graceText({ graceMs }: Instigator): string {
  return graceMs === undefined || graceMs === null ? '' : ` after the stop timeout of ${durationText(graceMs)}`
}

function nameText({ name }: Instigator, lengthMax: number): string {
  return shortened(terminalText(name), lengthMax)
}

function hedge(confidence: string): string {
  if (confidence === 'certain') return ''
  return confidence === 'likely' ? 'likely ' : 'possibly '
}
