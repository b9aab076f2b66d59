import type { Received } from './ladder.ts'

/** The pid and user that siginfo claims to come from, where that is not who was seen sending it. */
export function forgedSenderOf({ record, by }: Received): { readonly pid: number; readonly uid?: number } | undefined {
  const isQueued = record.call === 'rt_sigqueueinfo' || record.call === 'rt_tgsigqueueinfo'
  if (!isQueued || record.sipid === undefined || by === undefined) return undefined
  if (record.sipid === by.pid || record.sipid === by.nsPid || record.sipid === 0) return undefined
  return { pid: record.sipid, ...(record.siuid !== undefined && { uid: record.siuid }) }
}
