import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleProgram } from './bundle.ts'

/** guest/recorder.ts as one file for the guest, in a folder that `await using` deletes. */
export async function bundledRecorder(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'whokilled-recorder-'))
  await bundleProgram(join(import.meta.dirname, '../guest/recorder.ts'), folder, 'recorder')
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}
