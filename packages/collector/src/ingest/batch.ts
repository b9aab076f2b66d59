/** When a batch is closed. */
export interface BatchLimits {
  readonly messagesMax: number
  readonly bytesMax: number
  readonly delayMs: number
}

/**
 * Gathers messages: a batch begins with the first and is closed when it is full or `delayMs` old, so that a single
 * message waits no longer than that. Ends with its source; what was gathered then still comes.
 */
export async function* batches<M extends { readonly data: Uint8Array }>(
  source: AsyncIterable<M>,
  limits: BatchLimits,
): AsyncGenerator<M[]> {
  const messages = source[Symbol.asyncIterator]()
  let pending = messages.next()
  for (;;) {
    const batch: M[] = []
    let bytes = 0
    let next: IteratorResult<M> | undefined = await pending
    // Not by the wall clock: one that is set back by an hour would hold what was gathered for an hour.
    const deadlineMs = performance.now() + limits.delayMs
    while (next !== undefined && next.done !== true) {
      batch.push(next.value)
      bytes += next.value.data.length
      pending = messages.next()
      if (batch.length >= limits.messagesMax || bytes >= limits.bytesMax) break
      next = await before(deadlineMs, pending)
    }
    if (batch.length > 0) yield batch
    if (next?.done === true) return
  }
}

/** The value, or undefined if it has not come by then. */
async function before<T>(deadlineMs: number, value: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, deadlineMs - performance.now()))
  })
  try {
    return await Promise.race([value, late])
  } finally {
    clearTimeout(timer)
  }
}
