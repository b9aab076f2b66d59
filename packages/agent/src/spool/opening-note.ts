import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * LevelDB is native code: files that it cannot cope with may end the process, and the next one, too. So while a store is
 * opened a note lies in it, which says for the how manieth time in a row. LevelDB passes over files of other names.
 */
const noteName = 'OPENING'

/** How often a store may end the process that opens it. */
const openingsMax = 3

/**
 * Notes that the store is about to be opened, before anything else of it is touched.
 * @returns false where that ended the process too often, so that the store must be left alone
 */
export async function noteOpening(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true })
  const before = await noted(folder)
  if (before >= openingsMax) return false
  const note = await open(join(folder, noteName), 'w')
  try {
    await note.writeFile(`${before + 1}\n`)
    await note.sync()
  } finally {
    await note.close()
  }
  await syncFolder(folder)
  return true
}

/** It was opened, or could not be, and the process is still there. */
export async function forgetOpening(folder: string): Promise<void> {
  await rm(join(folder, noteName), { force: true })
  await syncFolder(folder)
}

/** A note that was not written to its end is one all the same. */
async function noted(folder: string): Promise<number> {
  try {
    const text = await readFile(join(folder, noteName), 'utf8')
    return /^[1-9]\n$/.test(text) ? Number(text) : 1
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
