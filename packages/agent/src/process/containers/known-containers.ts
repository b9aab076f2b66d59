import type { Container } from '@whokilled/shared/process'
import { containerOf } from '../cgroup.ts'
import type { NamedContainer } from './container-name.ts'

/** Containers that are remembered; one that is forgotten is asked about again. */
const knownMax = 4_096

/** How often an unknown name is asked for: a container's first process may be seen before its file is written. */
const asksMax = 4

/**
 * The containers of a host, each one object that all its processes share: a name that is found later is theirs, too.
 * Where none is found after some asking, the id stands.
 */
export class KnownContainers {
  readonly counters = { named: 0, unnamed: 0 }
  private readonly ask: (container: Container) => NamedContainer | undefined
  private readonly known = new Map<string, { readonly container: Container; asksLeft: number }>()

  /** @param ask reads what the runtime calls it; left out where nobody can tell (a recording) */
  constructor(ask: (container: Container) => NamedContainer | undefined = () => undefined) {
    this.ask = ask
  }

  /** The container that a cgroup path stands for, or null. */
  in(cgroup: string): Container | null {
    const told = containerOf(cgroup)
    if (told === null) return null
    const known = this.known.get(told.id) ?? this.remember(told)
    this.askFor(known)
    return known.container
  }

  /** Asks again for a name that is not known yet. */
  retry(container: Container | null): void {
    const known = container === null ? undefined : this.known.get(container.id)
    if (known !== undefined) this.askFor(known)
  }

  private remember(container: Container) {
    const known = { container, asksLeft: container.name === null ? asksMax : 0 }
    this.known.set(container.id, known)
    for (const oldest of this.known.keys()) {
      if (this.known.size <= knownMax) break
      this.known.delete(oldest)
    }
    return known
  }

  private askFor(known: { readonly container: Container; asksLeft: number }): void {
    if (known.asksLeft === 0) return
    known.asksLeft -= 1
    const named = this.ask(known.container)
    if (named !== undefined) {
      known.asksLeft = 0
      this.counters.named += 1
      const { name, pod, runtime } = named
      Object.assign(known.container, { name, pod: pod ?? known.container.pod, runtime })
    } else if (known.asksLeft === 0) this.counters.unnamed += 1
  }
}
