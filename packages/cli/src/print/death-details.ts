import type { DeathEvent } from '@whokilled/shared/event'
import type { Process } from '@whokilled/shared/process'
import { userText } from '@whokilled/shared/text/process-name'
import { shortened, terminalText } from '@whokilled/shared/text/terminal-text'
import { localTime } from '@whokilled/shared/text/time-text'
import type { Terminal } from '../terminal.ts'
import { printStory } from './story.ts'
import { tableText } from './table.ts'

const evidenceShownMax = 50

/** The story of one death and, below it, everything it was concluded from. */
export function printDeathDetails(death: DeathEvent, terminal: Terminal): string {
  const { clock } = terminal
  const sections = [
    section('event', eventFacts(death), terminal),
    section('victim', processFacts(death.victim, terminal), terminal),
    ...(death.killer === null ? [] : [section('killer', processFacts(death.killer, terminal), terminal)]),
    ...(death.evidence.length === 0 ? [] : [section('evidence', evidenceFacts(death, clock.timeZone), terminal)]),
  ]
  return `${printStory(death, terminal)}\n${sections.join('\n')}`
}

type Facts = readonly (readonly [name: string, value: string | number | null | undefined])[]

function section(title: string, facts: Facts, { colors, width }: Terminal): string {
  const known = facts.flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[colors.dim(name), printable(String(value))]],
  )
  return `${colors.bold(title)}\n${tableText(known, { width, flexible: 1, widthMax: 16, indent: 2 })}\n`
}

function eventFacts(death: DeathEvent): Facts {
  const { coverage, clock, agent } = death
  return [
    ['id', death.id],
    ['at', death.at],
    ['service', `${death.service.name} (${death.service.kind})`],
    ['cause', death.cause],
    ['host', `${death.host.name} (id ${death.host.id}, boot ${death.host.bootId})`],
    ['incident', death.incidentId],
    ['watched since', `${coverage.watchedSince}, records lost: ${coverage.lostRecords}`],
    ['clock', clock === null ? null : `offset ${clock.offsetMs} ms, uncertain by ${clock.uncertaintyMs} ms`],
    ['agent', `${agent.version}, probe ${agent.probe}, run ${agent.runId}, event ${agent.seq}`],
  ]
}

function processFacts(process: Process, { clock }: Terminal): Facts {
  const { args, container } = process
  return [
    [
      'pid',
      process.nsPid === null || process.nsPid === process.pid
        ? process.pid
        : `${process.pid} (${process.nsPid} in its own namespace)`,
    ],
    ['comm', process.comm],
    ['program', process.exe],
    [
      'arguments',
      args === null
        ? null
        : `${JSON.stringify(args)}${process.argsTruncated ? ' and more' : ''}${process.redacted ? ' (secrets replaced)' : ''}`,
    ],
    ['user', userText(process.user, process.uid)?.replace(/^user /, '')],
    ['effective uid', process.euid === process.uid ? null : process.euid],
    ['login uid', process.loginUid],
    ['terminal', process.tty],
    ['cgroup', process.cgroup],
    [
      'container',
      container === null
        ? null
        : [container.name, container.id, container.runtime, container.pod].filter(Boolean).join(', '),
    ],
    ['started', process.startedAt === null ? null : localText(process.startedAt, clock.timeZone)],
    ['parents', process.ancestors.map(({ comm, pid }) => `${comm ?? '?'} (${pid})`).join(' ← ')],
  ]
}

function evidenceFacts({ evidence }: DeathEvent, timeZone: string | undefined): Facts {
  const shown = evidence.slice(0, evidenceShownMax).map(({ at, kind, ...facts }) => {
    const told = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`
    return [localText(at, timeZone, true), `${kind}${told}`] as const
  })
  const hidden = evidence.length - shown.length
  return hidden > 0 ? [...shown, ['…', `and ${hidden} more: --json prints them`]] : shown
}

function localText(at: string, timeZone: string | undefined, withFraction = false): string {
  const { date, time } = localTime(Date.parse(at), timeZone)
  return withFraction ? `${time}${/\.\d+/.exec(at)?.[0] ?? ''}` : `${date} ${time}`
}

function printable(text: string): string {
  return shortened(terminalText(text), 2_000)
}
