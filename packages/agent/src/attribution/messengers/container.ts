import type { Container } from '@whokilled/shared/process'
import { type ContainerRequest, containerRequestOf } from '../commands/container-clients.ts'
import { isCalled } from '../commands/program.ts'
import type { ProgramStart } from '../recent-programs.ts'
import { commandStep, commandsAt, mayHaveMissedOne, unlessMissed } from './asked.ts'
import type { Act, Messenger, Step } from './messenger.ts'
import { originOf } from './origin.ts'

const runtimes: ReadonlySet<string> = new Set(['runc', 'crun', 'youki', 'runsc', 'kata-runtime'])
const daemons: ReadonlySet<string> = new Set(['dockerd', 'containerd', 'crio', 'conmon', 'containerd-shim'])

/** The runtime of a container kills its processes because somebody asked its daemon over a socket, which is not seen. */
export const containerRuntime: Messenger = (act) => {
  const { actor, deed } = act
  const { container } = deed.ending.victim
  const isRuntime = isCalled(actor.program, runtimes) && originOf(act).kind === 'container'
  const isDaemon = isCalled(actor.program, daemons) || actor.program.comm?.startsWith('containerd-shim') === true
  if (container === null || !(isRuntime || isDaemon)) return undefined
  const step = asked(act, container) ?? (container.pod === null ? unseen : unlessMissed(kubelet, act))
  return { ...step, givesTime: true }
}

/** A program in a container that none of its own processes has started came by `docker exec` and the like. */
export const containerExec: Messenger = (act) => {
  const { kind, top } = originOf(act)
  if (kind !== 'container' || top.process.nsPid === 1) return undefined
  const started = top.process.start ?? act.at
  for (const start of commandsAt({ lately: act.lately, at: started })) {
    const request = containerRequestOf(start.program)
    if (request?.asks !== 'exec' || !endsWith(request.words, top.program.args)) continue
    return clientStep(start, 'container-exec', 'likely', 'the command asked for this very program in a container')
  }
  return undefined
}

function asked(act: Act, container: Container): Step | undefined {
  const requests: [ProgramStart, ContainerRequest][] = []
  for (const start of commandsAt(act)) {
    const request = containerRequestOf(start.program)
    if (request?.asks === 'end') requests.push([start, request])
  }
  const named = requests.find(([, { words }]) => words.some((word) => isNameOf(word, container)))?.[0]
  if (named !== undefined) {
    return unlessMissed(clientStep(named, 'container-client', 'likely', 'the command named the container'), act)
  }
  const [only, ...more] = requests.filter(([, { words }]) => !words.some((word) => isNameOfAnother(word, container)))
  if (only === undefined || mayHaveMissedOne(act)) return undefined
  const confidence = more.length === 0 ? 'likely' : 'possible'
  const count = more.length === 0 ? 'the command' : `${more.length + 1} commands`
  const what = `${count} ended containers then; whether this was one of them is not known`
  return clientStep(only[0], 'container-client', confidence, what)
}

function isNameOf(word: string, { id, name }: Container): boolean {
  return isIdOf(word, id) || (name !== null && word === name)
}

/** A short id looks like a name; where the container's own name is not known, a name may be that. */
function isNameOfAnother(word: string, container: Container): boolean {
  return !isNameOf(word, container) && (container.name !== null || /^[0-9a-f]{12,64}$/.test(word))
}

function isIdOf(word: string, id: string): boolean {
  return /^[0-9a-f]{3,64}$/.test(word) && id.startsWith(word)
}

function endsWith(words: readonly string[], args: readonly string[] | undefined): boolean {
  if (args === undefined || args.length === 0 || words.length <= args.length) return false
  return args.every((arg, at) => words[words.length - args.length + at] === arg)
}

function clientStep(start: ProgramStart, rule: string, confidence: Step['confidence'], what: string): Step {
  const reason = `${what}; that the runtime acted for it was not seen, since it asks through a socket`
  return commandStep(start, {
    rule,
    confidence,
    reason,
    alternatives: confidence === 'possible' ? [unseenRequest] : [],
  })
}

const unseenRequest = 'a program may have asked the container runtime through its socket, which is not seen'

const kubelet: Step = {
  kind: 'policy',
  name: ['the kubelet'],
  actor: undefined,
  rule: 'kubelet',
  confidence: 'likely',
  reason: 'it was in a pod, and no command was seen that asked for it',
  alternatives: [
    'a failed liveness probe, an eviction, a deletion of the pod and a roll-out cannot be told apart on the host',
    unseenRequest,
  ],
  isRequest: true,
}

const unseen: Step = {
  kind: 'policy',
  name: ['a request to the container runtime that was not seen'],
  actor: undefined,
  rule: 'container-unseen',
  confidence: 'possible',
  reason: 'no command was seen that asked the container runtime',
  alternatives: [unseenRequest],
  isRequest: true,
}
