/**
 * Captures test/recordings/article.wkr again, from a real run under SystemTap in a guest:
 *   node --conditions=source --import tsx test/kernel/record.ts
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runInGuest } from './lab/guest.ts'
import { bundledRecorder } from './lab/recorder.ts'

// Pipes instead of polling: what the recording shows is the story, and nothing of how it was made.
const script = `
mkfifo /tmp/told /tmp/held
node /lab/recorder/recorder.mjs /lab/whokilled.ko /out/article < /tmp/held > /tmp/told 2> /out/recorder.stderr &
RECORDER=$!
exec 4> /tmp/held 3< /tmp/told
read -r READY <&3
sh test.sh &
sleep 2
sh xdkill.sh
sleep 1
exec 4>&-
read -r END <&3
echo "$READY: $END" > /out/recorder.log
wait $RECORDER
`

await using recorder = await bundledRecorder()
await using run = await runInGuest({
  script,
  node: true,
  files: {
    '/lab/recorder': recorder.folder,
    '/root/test.sh': join(import.meta.dirname, 'guest/article/test.sh'),
    '/root/xdkill.sh': join(import.meta.dirname, 'guest/article/xdkill.sh'),
  },
})
console.log(String(await run.read('recorder.log')))
if (run.status !== 0) throw new Error(`Expected the recorder to end with 0, it ended with ${run.status}.`)
for (const name of ['article.wkr', 'article.procs.json']) {
  await writeFile(join(import.meta.dirname, '../recordings', name), await run.read(name))
}
