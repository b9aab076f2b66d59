import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { freePort } from '../../test/servers/free-port.ts'
import { kept } from '../children.ts'

/** A real rsyslogd that takes lines over TCP on loopback and writes them to Postgres with its own output (ompgsql). */
export interface Rsyslog extends AsyncDisposable {
  /** Sends the lines, as fast as they are taken. */
  send(lines: readonly string[]): Promise<void>
}

const program = '/usr/sbin/rsyslogd'
/** Where Debian has its output for Postgres. */
const outputs = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/rsyslog/ompgsql.so`)

/** Throws with the remedy where it is not installed: the benchmark would find out at its end. */
export function requireRsyslog(): void {
  if (existsSync(program) && outputs.some((output) => existsSync(output))) return
  throw new Error(
    'Expected rsyslogd with its output for Postgres, found none. Install them: apt-get install rsyslog rsyslog-pgsql',
  )
}

/** Events in one transaction of rsyslog's. */
const batchEvents = 1_000

/**
 * Starts one that stores signal events, given as JSON, into `table`, which has the columns of `signals`: the same values
 * as the collector stores. `folder` is for its settings and its queue.
 */
export async function startRsyslog(folder: string, postgresUrl: string, table: string): Promise<Rsyslog> {
  const port = await freePort()
  await mkdir(folder, { recursive: true })
  const settings = join(folder, 'rsyslog.conf')
  await writeFile(settings, settingsOf(port, new URL(postgresUrl), table, folder))
  const server = kept(
    spawn(program, ['-n', '-f', settings, '-i', join(folder, 'pid')], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  )
  await listening(server, port)
  return {
    async send(lines) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      const header = '<13>1 2026-01-01T00:00:00Z host whokilled - - - '
      for (let start = 0; start < lines.length; start += 500) {
        const text = lines.slice(start, start + 500).map((line) => `${header}${line}\n`)
        if (!socket.write(text.join(''))) await once(socket, 'drain')
      }
      socket.end()
      await once(socket, 'close')
    },
    async [Symbol.asyncDispose]() {
      server.kill('SIGTERM')
      if (server.exitCode === null) await once(server, 'exit')
    },
  }
}

/** What each column gets: rsyslog's name of a value, in quotes for SQL unless it is a number or null. */
const values = {
  at: "'%$!at%'",
  id: "'%$!id%'",
  host_id: "'%$!host!id%'",
  host_name: "'%$!host!name%'",
  run_id: "'%$!agent!runId%'",
  seq: '%$!agent!seq%',
  service_name: "'%$!service!name%'",
  service_kind: "'%$!service!kind%'",
  number: '%$!number%',
  via: "'%$!via%'",
  result: "'%$!result%'",
  target_pid: '%$!target!pid%',
  sender_status: "'%$!senderStatus%'",
  event: "'%msg%'",
}

function settingsOf(
  port: number,
  { hostname, port: postgresPort, pathname, username }: URL,
  table: string,
  folder: string,
) {
  const columns = Object.keys(values).join(', ')
  return `
global(workDirectory="${folder}" maxMessageSize="64k")
module(load="imptcp")
module(load="mmjsonparse")
module(load="ompgsql")
input(type="imptcp" address="127.0.0.1" port="${port}" ruleset="events")
template(name="row" type="string" option.stdsql="on"
  string="insert into ${table} (${columns}) values (${Object.values(values).join(', ')}) on conflict do nothing")
ruleset(name="events" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="${batchEvents}") {
  action(type="mmjsonparse" cookie="")
  action(type="ompgsql" server="${hostname}" port="${postgresPort}" db="${pathname.slice(1)}" user="${username}"
    template="row")
}
`
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`rsyslogd ended with ${server.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await pause(25)
  }
  throw new Error(`rsyslogd did not listen on port ${port}`)
}

/** Makes an empty table like `signals`: its indexes, and a partition of a week around now. */
export async function makeTableLikeSignals(client: pg.Client, table: string): Promise<void> {
  await client.query(`create table ${table} (like signals including all) partition by range (at)`)
  await client.query(`create table ${table}_default partition of ${table} default`)
  await client.query(
    `do $$ begin execute format('create table ${table}_now partition of ${table} for values from (%L) to (%L)',
      now() - interval '4 days', now() + interval '3 days'); end $$`,
  )
}
