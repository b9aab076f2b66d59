/**
 * What a remembered process costs in memory: the process table is told of processes that start, run a program and end,
 * until it remembers so many. The floor in the same run is a Map with as many entries of pid and start.
 *
 *     npm run bench -- memory [processes]
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ProcessTable } from '@whokilled/agent/process/table'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const count = Number(process.argv[2] ?? 100_000)
const pidMax = 4_194_304

const before = megabytes()
const floor = new Map(Array.from({ length: count }, (_, at) => [`bench:${at}:${at}`, { pid: at, start: BigInt(at) }]))
const floorMb = megabytes() - before

const table = new ProcessTable({ bootId: '6b9663a2-cc2e-4375-9bb3-a01ab0e49321', endedMax: count })
tell(count)
const tableMb = megabytes() - before - floorMb
if (table.size < count || floor.size !== count) throw new Error(`Expected ${count} remembered, found ${table.size}.`)
tell(count)
const laterMb = megabytes() - before - floorMb

const each = Math.round((tableMb * 2 ** 20) / count)
const ratio = Math.round((tableMb / floorMb) * 10) / 10
console.log(`${count} ended processes remembered: ${round(tableMb)} MB, ${each} bytes each`)
console.log(
  `after as many again: ${round(laterMb)} MB, ${table.size} remembered, ${table.counters.forgotten} forgotten`,
)
console.log(`a Map of pid and start: ${round(floorMb)} MB; the table takes ${ratio} times that`)
console.log(
  JSON.stringify({
    benchmark: 'memory',
    processes: count,
    tableMb: round(tableMb),
    laterMb: round(laterMb),
    bytesEach: each,
    floorMb: round(floorMb),
    ratio,
  }),
)

/** Processes of a busy host: a worker runs a command with a few arguments, one after the other. */
function tell(processes: number): void {
  const from = table.counters.forgotten + table.size
  for (let at = from; at < from + processes; at += 1) {
    const pid = 300 + (at % (pidMax - 300))
    const start = BigInt(at) * 10_000_000n
    const life = { pid, start, uid: 1_001, euid: 1_001, cgroup: '/system.slice/worker.service' }
    const seq = at * 3 + 1
    table.apply({ type: 'fork', seq, time: start, pid, start, nspid: pid, nsid: 4_026_531_836, ppid: 1 })
    const argv = `worker\0--queue\0mail\0--job\0${at}\0`
    const program = { comm: 'worker', exe: '/usr/local/bin/worker', argn: argv.length, argv }
    table.apply({ type: 'exec', seq: seq + 1, time: start + 1n, ...life, ...program })
    table.apply({ type: 'exit', seq: seq + 2, time: start + 2n, ...life, code: 0 })
  }
}

function megabytes(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
