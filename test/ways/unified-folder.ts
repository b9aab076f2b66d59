import { access } from 'node:fs/promises'

const folders = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']

/** Where the unified control groups are mounted. */
export async function unifiedFolder(): Promise<string> {
  for (const folder of folders) {
    const isThere = await access(`${folder}/cgroup.procs`).then(
      () => true,
      () => false,
    )
    if (isThere) return folder
  }
  throw new Error(`Expected the unified control groups at ${folders.join(' or ')}, they are not mounted.`)
}
