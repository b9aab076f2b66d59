import { commandOf, wordsOf } from '../commands/program.ts'
import type { Actor } from '../judged.ts'
import type { ProgramStart } from '../recent-programs.ts'
import { commandStep, commandsAt, mayHaveMissedOne } from './asked.ts'
import type { Act, Messenger } from './messenger.ts'
import { originKind } from './origin.ts'

interface Supervisor {
  /** The daemon. */
  readonly is: RegExp
  readonly client: string
  readonly asks: ReadonlySet<string>
}

const options = (...letters: string[]) => new Set(letters)

/** supervisorctl, pm2(1), sv(8), s6-svc, svc(8), circusctl, god(1): by which command each is asked to end what it runs. */
const supervisors: readonly Supervisor[] = [
  {
    is: /^supervisord$/,
    client: 'supervisorctl',
    asks: new Set(['stop', 'restart', 'signal', 'shutdown', 'update', 'reload', 'remove', 'clear']),
  },
  {
    is: /^(?:PM2 |Daemon\.js$|node$)/,
    client: 'pm2',
    asks: new Set(['stop', 'restart', 'reload', 'delete', 'del', 'kill', 'sendSignal']),
  },
  {
    is: /^runsv$/,
    client: 'sv',
    asks: new Set([
      ...[
        'stop',
        'down',
        'restart',
        'exit',
        'shutdown',
        'force-stop',
        'force-restart',
        'force-shutdown',
        'try-restart',
      ],
      ...['term', 'kill', 'interrupt', 'quit', 'hup', 'd', 't', 'k', 'i', 'q', 'x', 'h'],
    ]),
  },
  { is: /^s6-supervise$/, client: 's6-svc', asks: options('-d', '-t', '-k', '-r', '-x', '-i', '-q', '-h', '-D') },
  { is: /^supervise$/, client: 'svc', asks: options('-d', '-t', '-k', '-x', '-i', '-h') },
  { is: /^circusd$/, client: 'circusctl', asks: new Set(['stop', 'restart', 'reload', 'signal', 'quit', 'rm']) },
  { is: /^god$/, client: 'god', asks: new Set(['stop', 'restart', 'terminate', 'quit', 'remove', 'signal']) },
]

/** Programs that ask supervisors, for RecentPrograms. */
export const supervisorClients: readonly string[] = supervisors.map(({ client }) => client)

/** A supervisor ends what it runs because a command asked it to, through a socket or a pipe, which is not seen. */
export const supervisor: Messenger = (act) => {
  if (originKind(act.actor) !== 'supervisor') return undefined
  const candidates = requestsTo(act.actor, act)
  const [start, ...more] = candidates
  if (start === undefined || mayHaveMissedOne(act)) return undefined
  const confidence = more.length === 0 ? 'likely' : 'possible'
  const others = more.length === 0 ? '' : `; ${more.length} other commands ran then, too`
  const reason = `the command ran then; that the supervisor acted for it was not seen${others}`
  return { ...commandStep(start, { rule: 'supervisor-client', confidence, reason }), givesTime: true }
}

function requestsTo({ program }: Actor, act: Act): ProgramStart[] {
  const [called = ''] = wordsOf(program)
  const [script = ''] = commandOf(program)
  const known = supervisors.find(({ is }) => is.test(called) || is.test(script))
  if (known === undefined) return []
  return [...commandsAt(act)].filter((start) => {
    const [name = '', ...args] = commandOf(start.program)
    return name === known.client && args.some((arg) => known.asks.has(arg))
  })
}
