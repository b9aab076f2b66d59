import { signalName } from '@whokilled/shared/signals'
import { isCalled } from '../commands/program.ts'
import { isTypedAt } from '../commands/shell.ts'
import type { Received } from '../signals/ladder.ts'
import { requests } from '../signals/requests.ts'
import { senderOf } from '../signals/sender.ts'
import { senderAsActor } from './ended-by.ts'
import type { Act, Messenger } from './messenger.ts'
import { isServiceManager } from './origin.ts'

/** Programs that hand the signals they get to the one that they run. */
const forwarders: ReadonlySet<string> = new Set([
  ...[
    'tini',
    'tini-static',
    'dumb-init',
    'docker-init',
    'catatonit',
    'podman-init',
    'sudo',
    'su',
    'runuser',
    'timeout',
  ],
  ...['npm', 'npx', 'yarn', 'pnpm', 'runsv', 's6-supervise', 's6-svscan', 'supervisord', 'systemd-nspawn', 'setpriv'],
])

const sighup = 1

/** How soon somebody who was asked to end asks those whom it runs. */
const momentNs = 1_000_000_000n

/**
 * Who is asked to end and then ends those whom it runs acts for who asked: containers' first processes, masters with
 * workers, scripts that catch a signal.
 */
export const passedOn: Messenger = (act) => {
  const { actor, at, deed, ladderOf } = act
  const { victim } = deed.ending
  const isForwarder = isCalled(actor.program, forwarders)
  if (!isForwarder && (!isAncestor(act) || isServiceManager(actor))) return undefined
  const got = ladderOf(actor.process)?.rungs.findLast(
    (rung) =>
      rung.record.time <= at &&
      at - rung.record.time <= momentNs &&
      rung.record.result !== 'ignored' &&
      rung.by !== victim &&
      (requests.has(rung.record.sig) || rung.record.sig === act.signal),
  )
  // Who types Ctrl-C at a prompt, and then a command, means two things.
  if (got === undefined || (isTypedAt(actor.process, actor.program) && got.record.sig !== sighup)) return undefined
  const isSame = got.record.sig === act.signal
  const confidence = isSame && isForwarder ? 'certain' : 'likely'
  const ms = (Number(at - got.record.time) / 1_000_000).toFixed(1)
  const reason = `the killer itself had got ${signalName(got.record.sig)} ${ms} ms before`
  const by = senderAsActor(got, actor.process)
  if (by !== undefined) {
    return {
      kind: 'process',
      name: [{ command: by }],
      actor: by,
      rule: 'passed-on',
      confidence,
      reason,
      at: got.record.time,
      isRequest: true,
    }
  }
  const keys = fromTerminal(got, act)
  if (keys === undefined) return undefined
  return { kind: 'session', name: [keys], actor: undefined, rule: 'passed-on', confidence, reason }
}

function isAncestor({ actor, deed }: Act): boolean {
  for (let one = deed.ending.victim.parent; one !== undefined; one = one.parent) if (one === actor.process) return true
  return false
}

function fromTerminal(got: Received, { actor }: Act): string | undefined {
  if (senderOf(got, actor.process).via !== 'tty') return undefined
  const tty = actor.process.tty === undefined ? 'its terminal' : actor.process.tty
  if (got.record.sig === 2) return `Ctrl-C at ${tty}`
  return got.record.sig === 3 ? `Ctrl-\\ at ${tty}` : `the end of terminal ${tty}`
}
