import { fitsGlob } from '@whokilled/shared/glob'

const suffix = /\.(?:service|scope|slice|socket|target|mount|automount|swap|timer|path|device)$/

/** The units that a cgroup path lies in, nearest first: `nginx.service`, `system.slice`. */
export function unitsOf(cgroup: string | undefined): readonly string[] {
  return (cgroup ?? '')
    .split('/')
    .reverse()
    .filter((part) => suffix.test(part))
}

/** Whether an argument of systemctl names one of these units: `nginx`, `nginx.service`, `nginx*`, `user@1001`. */
export function namesUnit(argument: string, units: readonly string[]): boolean {
  const pattern = suffix.test(argument) || argument.endsWith('*') ? argument : `${argument}.service`
  return units.some((unit) => fitsGlob(pattern, unit))
}
