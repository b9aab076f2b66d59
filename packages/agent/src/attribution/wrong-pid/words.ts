import { durationText } from '@whokilled/shared/text/time-text'
import type { Program } from '../../process/entry.ts'
import { programName } from '../../process/service.ts'
import { textOf } from '../../record/bytes.ts'
import type { StalePidfile } from '../judged.ts'
import type { PidfileRead } from './pidfile-log.ts'

/** `12 ms before`: how much earlier one record time is than another. */
export function earlier(time: bigint, than: bigint): string {
  return `${durationText(Math.max(0, Number(than - time) / 1e6))} before`
}

/** What a program is called, for people. */
export function programOf(program: Program): string {
  return textOf(programName(program)) || 'a process of unknown name'
}

export function pidfileOf({ path, writtenAt, at, number }: PidfileRead): StalePidfile {
  return { path, writtenAt, readAt: at, number }
}
