import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bounds a cache folder: deletes all entries but the ones that were made last. */
export async function keepNewest(folder: string, count: number): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const entries = await Promise.all(
    names.map(async (name) => ({
      name,
      madeMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  )
  const old = entries.sort((a, b) => b.madeMs - a.madeMs).slice(count)
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { recursive: true, force: true })))
}
