import type { Program } from '../../process/entry.ts'
import { wordsOf } from './program.ts'

/** Programs that run other people's jobs: continuous integration, configuration management. */
const runners: readonly { readonly name: string; readonly runs: (words: readonly string[]) => boolean }[] = [
  { name: 'GitLab Runner', runs: called(/^gitlab-runner$/) },
  { name: 'GitHub Actions', runs: called(/^Runner\.Worker$/) },
  { name: 'Gitea Actions', runs: called(/^(?:act_runner|gitea-runner)$/) },
  { name: 'Azure Pipelines', runs: called(/^Agent\.Worker$/) },
  { name: 'Buildkite', runs: called(/^buildkite-agent$/) },
  { name: 'Drone', runs: called(/^drone-runner/) },
  { name: 'Woodpecker', runs: called(/^woodpecker-agent$/) },
  { name: 'Jenkins', runs: javaWith(/(?:^|\/)(?:agent|slave|remoting|swarm-client[\w.-]*|jenkins)\.(?:jar|war)$/) },
  { name: 'TeamCity', runs: javaWith(/^jetbrains\.buildServer\.agent\./) },
  { name: 'Rundeck', runs: javaWith(/(?:^|\/)rundeck[\w.-]*\.(?:jar|war)$/) },
  { name: 'Puppet', runs: called(/^puppet$/) },
  { name: 'Salt', runs: called(/^salt-minion$/) },
  { name: 'Chef', runs: called(/^(?:chef-client|cinc-client)$/) },
]

/** What a person calls the runner, if the program is one. */
export function runnerName(program: Program): string | undefined {
  const words = wordsOf(program)
  return runners.find(({ runs }) => runs(words))?.name
}

/** Its first word, or the script that an interpreter runs. */
function called(name: RegExp) {
  return ([first = '', second = '']: readonly string[]) => {
    const script = /^(?:python|ruby)[\d.]*$/.test(first) ? second : ''
    return name.test(first) || (script !== '' && name.test(script.slice(script.lastIndexOf('/') + 1)))
  }
}

function javaWith(argument: RegExp) {
  return ([first = '', ...rest]: readonly string[]) => first === 'java' && rest.some((word) => argument.test(word))
}
