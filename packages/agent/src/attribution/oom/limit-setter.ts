import type { Actor, Deed, OutOfMemory } from '../judged.ts'

/**
 * Who set a group's limit to less than it used: the kernel then ends processes of the group while it is still in that
 * write (memory_max_write in mm/memcontrol.c). Otherwise the one that runs out of memory is itself in the group.
 */
export function limitSetterOf({ finding: { fatal } }: Deed, told: OutOfMemory | undefined): Actor | undefined {
  if (told?.cgroup === undefined || fatal?.by === undefined || fatal.program === undefined) return undefined
  const { call, cgroup } = fatal.record
  if (call !== 'write' || cgroup === undefined || isInside(cgroup, told.cgroup)) return undefined
  return { process: fatal.by, program: fatal.program }
}

/** Whether a path of a group is this group or below it. */
export function isInside(path: string, group: string): boolean {
  return path === group || path.startsWith(group === '/' ? '/' : `${group}/`)
}
