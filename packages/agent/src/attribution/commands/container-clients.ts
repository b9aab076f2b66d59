import type { Program } from '../../process/entry.ts'
import { commandOf } from './program.ts'
import { wordsIn } from './words.ts'

/** What a command asked a container runtime for. */
export interface ContainerRequest {
  /** `end`: stop, kill, remove; `exec`: run a program in a container. */
  readonly asks: 'end' | 'exec'
  /** What it names: containers, and for exec the program with its arguments. */
  readonly words: readonly string[]
}

/** Programs that ask container runtimes, for RecentPrograms. */
export const containerClients: readonly string[] = [
  ...['docker', 'docker-compose', 'podman', 'podman-compose', 'nerdctl', 'crictl', 'ctr'],
]

/** Undefined if it asks for nothing that could end a process here. */
export function containerRequestOf(program: Program): ContainerRequest | undefined {
  const [name = '', ...args] = commandOf(program)
  if (!containerClients.includes(name)) return undefined
  const { plain, options } = wordsIn(args, valuedOptions)
  if (['-H', '--host', '--context', '--url', '--connection'].some((option) => options.has(option))) return undefined
  const words = plain.filter((word) => !/\.ya?ml$/.test(word))
  const verb = (groups.has(words[0] ?? '') ? words[1] : words[0]) ?? ''
  // What compose names are services, whose containers have names of their own.
  const isCompose = words[0] === 'compose' || name.endsWith('-compose')
  if (enders.has(verb)) return { asks: 'end', words: isCompose ? [] : words.slice(words.indexOf(verb) + 1) }
  return runners.has(verb) ? { asks: 'exec', words: args.slice(args.indexOf(verb) + 1) } : undefined
}

/** Words before the verb: `docker compose down`, `ctr tasks kill`. */
const groups: ReadonlySet<string> = new Set([
  ...['container', 'compose', 'pod', 'stack', 'service', 'kube', 'tasks', 'task', 't', 'containers', 'c'],
])

const enders: ReadonlySet<string> = new Set([
  ...['stop', 'kill', 'restart', 'rm', 'rmp', 'stopp', 'remove', 'delete', 'del', 'down'],
])
const runners: ReadonlySet<string> = new Set(['exec', 'run'])

/** Options with a value, of all of them (docker(1), podman(1), crictl, ctr); -f is a file in some and «force» in others. */
const valuedOptions: ReadonlySet<string> = new Set([
  ...['--config', '--context', '-H', '--host', '-l', '--log-level', '--url', '--connection', '--root', '--runroot'],
  ...['-p', '--project-name', '--file', '--env-file', '--profile', '--project-directory', '-n', '--namespace', '-a'],
  ...['--address', '-r', '--runtime-endpoint', '-t', '--time', '--timeout', '-s', '--signal', '-u', '--user', '-w'],
  ...['--workdir', '-e', '--env', '--exec-id', '--name', '-v', '--volume', '--network'],
])
