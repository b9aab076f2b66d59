import { signals } from './list/signals.ts'
import type { Way } from './way.ts'

/** Every way to die that is proven, in the order of docs/causes.md. */
export const ways: ReadonlyMap<string, readonly Way[]> = new Map([['Signals of other processes', signals]])
