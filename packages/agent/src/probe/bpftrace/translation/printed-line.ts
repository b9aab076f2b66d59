import type { OpenedFile } from '../opened-file.ts'
import type { PathInfo, PathPart } from './path-lines.ts'

/** What probes/whokilled.bt prints, line by line; the line protocol is made from it in encode.ts. */
export type PrintedLine =
  | Begin
  | Fact
  | Continuation
  | { readonly kind: 'path'; readonly cpu: number; readonly n: number; readonly parts: readonly PathPart[] }
  | NewGroup
  | { readonly kind: 'count'; readonly cpu: number; readonly n: number }
  | { readonly kind: 'lost'; readonly events: number }

/** The first line: the probe works from now on. */
export interface Begin {
  readonly kind: 'begin'
  readonly time: bigint
  readonly bootOffset: bigint
  /** Where the probe has found members of the kernel's structures; 0: not found. */
  readonly commOffset: number
  readonly mountOffset: number
  /** The process that started bpftrace. */
  readonly reader: number
}

/** A kernel fact, to which `lines` further lines of the same processor belong. */
export interface Fact {
  readonly kind: 'fact'
  readonly cpu: number
  /** Counts the lines of this processor. */
  readonly n: number
  readonly lines: number
  readonly draft: Draft
}

/** A record of the line protocol in the making: no sequence number, groups as numbers, long strings in pieces. */
export interface Draft {
  readonly type: 'fork' | 'exec' | 'exit' | 'signal' | 'signal-failed' | 'oom' | 'open' | 'log' | 'heartbeat'
  readonly time: bigint
  fields: Fields
  /** As cgroup-paths.ts takes them: number of the group, and of its hierarchy. */
  cgroup?: bigint
  targetCgroup?: bigint
  /** The path that came before it: of the program, or of the file that was opened. */
  readonly path?: PathInfo
  readonly opened?: Pick<OpenedFile, 'inode' | 'size' | 'fileSystem' | 'hasOwnRoot'>
  readonly fileBytes?: number
  readonly file?: Piece[]
  readonly argv?: Piece[]
  readonly logBytes?: number
  readonly log?: Piece[]
}

export type Fields = Record<string, number | bigint | string | undefined>

/** A part of a string that has more bytes than fit on a line. */
export interface Piece {
  readonly at: number
  readonly bytes: string
}

/** More of fact number `of` of the same processor. */
export interface Continuation {
  readonly kind: 'continuation'
  readonly cpu: number
  readonly n: number
  readonly of: number
  readonly addTo: (draft: Draft) => void
}

/** A control group was made; its path comes in pieces. */
export interface NewGroup {
  readonly kind: 'group'
  readonly cpu: number
  readonly n: number
  /** Number of the hierarchy as in /proc/cgroups; 0: the unified one. */
  readonly hierarchy: number
  readonly id: bigint
  readonly path: Piece
  readonly isLast: boolean
}
