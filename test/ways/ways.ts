import { exits } from './list/exits.ts'
import { memory } from './list/memory.ts'
import { messengers } from './list/messengers.ts'
import { namespaces } from './list/namespaces.ts'
import { partlyWatched } from './list/partly-watched.ts'
import { selfAndKernel } from './list/self-and-kernel.ts'
import { signals } from './list/signals.ts'
import { whoIsWho } from './list/who-is-who.ts'
import { wrongPid } from './list/wrong-pid.ts'
import type { Way } from './way.ts'

/** Every way to die that is proven, in the order of docs/causes.md. */
export const ways: ReadonlyMap<string, readonly Way[]> = new Map([
  ['Signals of other processes', signals],
  ['The process itself, and the kernel', selfAndKernel],
  ['Out of memory', memory],
  ['No killer', exits],
  ['Who is who', whoIsWho],
  ['Containers and namespaces', namespaces],
  ['The wrong pid', wrongPid],
  ['Acting for others', messengers],
  ['Watched in part', partlyWatched],
])
