import { once } from 'node:events'
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { bpftraceProbe } from '@whokilled/agent/probe/bpftrace/bpftrace'
import { stapProbe } from '@whokilled/agent/probe/stap/stap'
import { type ProcSnapshot, scanProc } from '@whokilled/agent/process/proc-scan'

/**
 * Runs in the guest: follows a probe as the agent does and writes its lines to OUT.wkr, and what /proc told at the
 * start to OUT.procs.json. Ends the probe in order when its standard input ends, or on SIGTERM.
 * Usage: recorder.mjs MODULE OUT (SystemTap), or recorder.mjs bpftrace OUT
 */
const [modulePath = '', out = ''] = process.argv.slice(2)
const probe =
  modulePath === 'bpftrace'
    ? bpftraceProbe({ startTimeoutMs: 240_000 })
    : stapProbe({ mode: 'module', path: modulePath })
const run = await probe.start().catch(fail)
process.on('SIGTERM', () => void run.stop())
process.stdin.resume().once('end', () => void run.stop())

const recording = createWriteStream(`${out}.wkr`, { encoding: 'latin1' })
let scanned = false
for await (const line of run.lines()) {
  recording.write(`${line}\n`)
  // From the first heartbeat on the probe sees all; whoever is older is in /proc now.
  if (!scanned && line.startsWith('heartbeat\t')) {
    scanned = true
    const snapshot: ProcSnapshot = {
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      hostName: hostname(),
      processes: await scanProc(),
    }
    writeFileSync(`${out}.procs.json`, `${JSON.stringify(snapshot, null, 1)}\n`)
    console.log('recording')
  }
}
recording.end()
await once(recording, 'finish')
const end = await run.ended
console.log(JSON.stringify({ ...end, error: end.error && { code: end.error.code, message: end.error.message } }))
process.exit(end.expected ? 0 : 1)

function fail(error: { code?: string; message: string }): never {
  console.log(JSON.stringify({ code: error.code, message: error.message }))
  process.exit(1)
}
