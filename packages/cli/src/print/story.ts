import type { DeathEvent } from '@whokilled/shared/event'
import { labelWidth, tellDeath } from '@whokilled/shared/sentence'
import type { Terminal } from '../terminal.ts'
import { tableText } from './table.ts'

/** A death as a person tells it, broken to the terminal's width. */
export function printStory(death: DeathEvent, { clock, colors, width }: Terminal): string {
  const story = tellDeath(death, clock)
  const labels = labelWidth(story)
  const rows = story.lines.map(({ label, text }) => [
    colors.dim(label.padEnd(labels)),
    label === 'by' ? colors.bold(text) : text,
  ])
  return `${colors.bold(story.headline)}\n${tableText(rows, { width, flexible: 1, widthMax: labels, indent: 2 })}\n`
}
