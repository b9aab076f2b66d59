/** One thing that the collector needs. */
export interface Dependency {
  readonly name: 'postgres' | 'schema' | 'nats' | 'consumer'
  /** null if all is well, else what is wrong. */
  readonly problem: string | null
}

/** What the stages of the line know about what they need; /readyz tells it. */
export class Readiness {
  private schemaProblem: string | null = 'not checked yet'
  private natsProblem: string | null = 'not connected yet'
  private consumerProblem: string | null = 'not consuming'

  schemaIs(problem: string | null): void {
    this.schemaProblem = problem
  }

  natsIs(problem: string | null): void {
    this.natsProblem = problem
  }

  /** @param why what is wrong, where that is known and it is not consuming */
  consumingIs(yes: boolean, why = 'not consuming'): void {
    this.consumerProblem = yes ? null : why
  }

  /** Postgres is asked each time, by `ping`. */
  async check(ping: () => Promise<void>): Promise<Dependency[]> {
    const postgres = await ping().then(
      () => null,
      (error: Error) => error.message || error.name,
    )
    return [
      { name: 'postgres', problem: postgres },
      { name: 'schema', problem: this.schemaProblem },
      { name: 'nats', problem: this.natsProblem },
      { name: 'consumer', problem: this.consumerProblem },
    ]
  }
}
