import { readFileSync, readlinkSync } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import type { CurrentProcess } from '../record/record.ts'
import { isInTick, startOfTicks } from './entry.ts'

/** What /proc tells of one process. Strings are byte strings. */
export interface ScannedProcess extends Omit<CurrentProcess, 'tid' | 'start'> {
  readonly pid: number
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly startTicks: number
  readonly comm: string
  readonly args?: readonly string[]
}

/** What /proc told of a host at one moment; a recording carries it beside its lines. */
export interface ProcSnapshot {
  readonly bootId: string
  readonly hostName: string
  readonly processes: readonly ScannedProcess[]
}

/** Start of a scanned process, nanoseconds since boot, to the tick. */
export function startOfScanned(process: ScannedProcess): bigint {
  return startOfTicks(BigInt(process.startTicks))
}

/** Whether a scanned process is the one that started at this time, nanoseconds since boot. */
export function isStartOf(process: ScannedProcess, start: bigint): boolean {
  return isInTick(start, BigInt(process.startTicks))
}

/** The inode number of the first pid namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const initialPidNamespace = 0xeffffffc

/** Whether /proc shows the pids that probes tell: not so in a container with a pid namespace of its own. */
export function seesAllPids(root = '/proc'): boolean {
  return attempt(() => readlinkSync(`${root}/self/ns/pid`)) === `pid:[${initialPidNamespace}]`
}

/** All processes of this host. One that ends while it is read is left out. */
export async function scanProc(root = '/proc'): Promise<ScannedProcess[]> {
  const names = (await readdir(root)).filter((name) => /^\d+$/.test(name))
  const scanned: ScannedProcess[] = []
  for (const name of names) {
    const process = await scanOne(`${root}/${name}`)
    if (process !== undefined) scanned.push(process)
  }
  return scanned
}

/** One process of this host, or undefined if there is none with this pid. Reads at once, to be used for few. */
export function lookUpProc(pid: number, root = '/proc'): ScannedProcess | undefined {
  const folder = `${root}/${pid}`
  const read = (name: string) => attempt(() => readFileSync(`${folder}/${name}`, 'latin1'))
  const link = (name: string) => attempt(() => readlinkSync(`${folder}/${name}`, 'latin1'))
  return describe({
    stat: read('stat'),
    status: read('status'),
    cmdline: read('cmdline'),
    cgroup: read('cgroup'),
    loginuid: read('loginuid'),
    sessionid: read('sessionid'),
    exe: link('exe'),
    pidNamespace: link('ns/pid'),
  })
}

/**
 * The executable of one process of this host, undefined unless it is the process that started then. A process that
 * runs another program by now is told with that one.
 */
export function lookUpExe(pid: number, start: bigint | undefined, root = '/proc'): string | undefined {
  const exe = attempt(() => readlinkSync(`${root}/${pid}/exe`, 'latin1'))
  return hasStarted(pid, start, root) ? exe : undefined
}

/** The cgroup of one process of this host, undefined unless it is the process that started then. */
export function lookUpCgroup(pid: number, start: bigint | undefined, root = '/proc'): string | undefined {
  const cgroup = attempt(() => readFileSync(`${root}/${pid}/cgroup`, 'latin1'))
  return hasStarted(pid, start, root) ? groupPath(cgroup) : undefined
}

/** Asked after the rest was read: a pid that has been used again since has another start. */
function hasStarted(pid: number, start: bigint | undefined, root: string): boolean {
  const stat = attempt(() => readFileSync(`${root}/${pid}/stat`, 'latin1'))
  const startTicks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return start !== undefined && startTicks !== undefined && isInTick(start, BigInt(startTicks))
}

async function scanOne(folder: string): Promise<ScannedProcess | undefined> {
  const read = (name: string) => readFile(`${folder}/${name}`, 'latin1').catch(() => undefined)
  const link = (name: string) => readlink(`${folder}/${name}`, 'latin1').catch(() => undefined)
  const [stat, status, cmdline, cgroup, loginuid, sessionid, exe, pidNamespace] = await Promise.all([
    read('stat'),
    read('status'),
    read('cmdline'),
    read('cgroup'),
    read('loginuid'),
    read('sessionid'),
    link('exe'),
    link('ns/pid'),
  ])
  return describe({ stat, status, cmdline, cgroup, loginuid, sessionid, exe, pidNamespace })
}

type Source = 'stat' | 'status' | 'cmdline' | 'cgroup' | 'loginuid' | 'sessionid' | 'exe' | 'pidNamespace'

/** Puts together what the files of /proc/PID say (proc(5)). */
export function describe(files: Record<Source, string | undefined>): ScannedProcess | undefined {
  // The name in parentheses may itself hold parentheses and newlines; it ends at the last one.
  const [, pid, comm, rest] = /^(\d+) \(([\s\S]*)\) ([^)]*)$/.exec(files.stat ?? '') ?? []
  const fields = rest?.split(' ')
  const startTicks = Number(fields?.[19])
  if (pid === undefined || comm === undefined || fields === undefined || !Number.isSafeInteger(startTicks))
    return undefined
  if (fields[0] === 'X') return undefined
  const uids = /^Uid:\t(\d+)\t(\d+)/m.exec(files.status ?? '')
  const nsPids = /^NSpid:\t([\d\t]+)/m.exec(files.status ?? '')?.[1]?.split('\t')
  const facts: Record<keyof ScannedProcess, unknown> = {
    pid: Number(pid),
    ppid: Number(fields[1]),
    startTicks,
    comm,
    exe: files.exe,
    args: argumentsIn(files.cmdline),
    uid: numberIn(uids?.[1]),
    euid: numberIn(uids?.[2]),
    luid: numberIn(files.loginuid),
    ses: numberIn(files.sessionid),
    pgrp: Number(fields[2]),
    sid: Number(fields[3]),
    tty: terminalOf(Number(fields[4])),
    nspid: numberIn(nsPids?.at(-1)),
    nsid: numberIn(/\[(\d+)\]/.exec(files.pidNamespace ?? '')?.[1]),
    cgroup: groupPath(files.cgroup),
  }
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== undefined),
  ) as unknown as ScannedProcess
}

function argumentsIn(cmdline: string | undefined): string[] | undefined {
  if (cmdline === undefined || cmdline === '') return undefined
  // A program that writes a title over its arguments pads them with NULs; those are no empty arguments.
  return cmdline.replace(/\0{4,}$|\0$/, '').split('\0')
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text)
}

/** The terminal of a device number: 136 to 143 are pseudo-terminals, 4 consoles and serial lines (devices.txt). */
function terminalOf(device: number): string {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00)
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`
  return device === 0 ? '' : `tty(${major}:${minor})`
}

/** Version 1 hierarchies whose path stands in where the unified one has only a root, in the order of the probes. */
const version1 = ['memory', 'pids', 'cpuset', 'name=systemd']

/** The path of a process's cgroup, from /proc/PID/cgroup (cgroups(7)); its root if no hierarchy tells more. */
function groupPath(cgroup: string | undefined): string | undefined {
  const lines = [...(cgroup ?? '').matchAll(/^\d+:([^:\n]*):(.*)$/gm)].map(([, controllers = '', path = '']) => ({
    controllers: controllers.split(','),
    path: path.replace(/ \(deleted\)$/, ''),
  }))
  const of = (controller: string) => lines.find(({ controllers }) => controllers.includes(controller))?.path
  return ['', ...version1].map(of).find((path) => path !== undefined && path !== '/') ?? of('')
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
