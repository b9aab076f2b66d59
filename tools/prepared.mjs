// Runs a command of this project after installing what it needs:
//   node tools/prepared.mjs TARGET COMMAND [ARGUMENT…]
// It installs npm packages when they are missing, and Debian packages when it may (as root or through sudo); it says
// so first. With --no-install among the arguments it only names what is missing. It uses nothing but node itself.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
process.chdir(root)

const nodeVersionMin = [20, 19]

/** Programs and files that targets need, the Debian package that brings each, and why. */
const needs = {
  nats: { program: 'nats-server', package: 'nats-server', why: 'carries the events' },
  bpftrace: { program: 'bpftrace', package: 'bpftrace', why: 'sees kills on kernels that load no modules' },
  ps: { program: 'ps', package: 'procps', why: 'the story of the demo looks for a process with it' },
  openssl: { program: 'openssl', package: 'openssl', why: 'makes the certificates of tests' },
  compiler: { program: 'gcc', package: 'gcc', why: 'builds test programs and probe modules' },
  libc: { file: '/usr/include/stdio.h', package: 'libc6-dev', why: 'builds test programs' },
  stap: { program: 'stap', package: 'systemtap', why: 'compiles the probe' },
  staprun: { program: 'staprun', package: 'systemtap-runtime', why: 'loads the probe' },
  make: { program: 'make', package: 'make', why: 'builds the probe module' },
  headers: {
    file: '/usr/share/doc/linux-headers-amd64',
    package: 'linux-headers-amd64',
    why: 'the probe module is built for its kernel',
  },
  ownHeaders: {
    file: `/lib/modules/${release()}/build`,
    package: `linux-headers-${release()}`,
    why: 'the probe module is built for this kernel',
  },
  qemu: {
    program: 'qemu-system-x86_64',
    package: 'qemu-system-x86',
    why: 'runs the virtual machines of the kernel tests',
  },
  busybox: { file: '/bin/busybox', package: 'busybox-static', why: 'is the user space of the virtual machines' },
  cpio: { program: 'cpio', package: 'cpio', why: 'packs the virtual machines’ root' },
  debootstrap: { program: 'debootstrap', package: 'debootstrap', why: 'makes the virtual machine with a whole Debian' },
}

const loadsModules = existsSync('/proc/modules')

const targets = {
  check: [],
  test: [needs.nats, needs.bpftrace, needs.ps, needs.openssl, needs.compiler, needs.libc],
  kernel: [
    needs.nats,
    needs.ps,
    needs.stap,
    needs.staprun,
    needs.make,
    needs.compiler,
    needs.libc,
    needs.headers,
    needs.qemu,
    needs.busybox,
    needs.cpio,
    needs.debootstrap,
    needs.bpftrace,
  ],
  demo: [
    needs.nats,
    needs.ps,
    ...(loadsModules ? [needs.stap, needs.staprun, needs.make, needs.compiler, needs.ownHeaders] : [needs.bpftrace]),
  ],
}

/** Without these the target still runs: the demo then takes its next best probe. */
const optional = new Set(
  ['demo'].includes(process.argv[2] ?? '')
    ? [needs.stap, needs.staprun, needs.make, needs.compiler, needs.ownHeaders, needs.bpftrace]
    : [],
)

const [target = '', ...rest] = process.argv.slice(2)
const mayInstall = !rest.includes('--no-install')
const [command = '', ...args] = rest.filter((word) => word !== '--no-install')
if (!(target in targets) || command === '')
  fail(`usage: node tools/prepared.mjs ${Object.keys(targets).join('|')} COMMAND`)

checkNode()
installFromDebian(targets[target].filter((need) => !isThere(need)))
installFromNpm()
runToItsEnd()

/** A Ctrl-C reaches the command too, and it may have to clean up: this process waits for it and ends as it does. */
function runToItsEnd() {
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } })
  process.on('SIGINT', () => undefined)
  for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name))
  child.on('error', (error) => fail(error.message))
  child.on('exit', (status) => process.exit(status ?? 1))
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = nodeVersionMin
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  fail(
    `Expected Node.js ${nodeVersionMin.join('.')} or newer, this is ${process.versions.node}. Install a newer one, for example from nodejs.org.`,
  )
}

function installFromNpm() {
  const installed = join(root, 'node_modules/.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return
  if (!mayInstall) fail('npm packages are missing. Run: npm ci')
  say('Installing npm packages (npm ci)…')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed; its words are above.')
}

function installFromDebian(missing) {
  if (missing.length === 0) return
  const packages = missing.map((need) => need.package)
  const words = `apt-get install ${packages.join(' ')}`
  const essential = missing.filter((need) => !optional.has(need))
  const prefix = process.getuid?.() === 0 ? [] : ['sudo']
  if (!mayInstall || !hasProgram('apt-get') || (prefix.length > 0 && !hasProgram('sudo'))) {
    if (essential.length === 0) return say(`Not installed, going on without: ${packages.join(', ')}.`)
    fail(`Missing: ${packages.join(', ')}. Run: ${prefix.length > 0 ? 'sudo ' : ''}${words}`)
  }
  say('Installing Debian packages:')
  for (const need of missing) say(`  ${need.package.padEnd(20)} ${need.why}`)
  const apt = (...aptArgs) =>
    spawnSync(prefix[0] ?? 'apt-get', [...(prefix.length > 0 ? ['apt-get'] : []), ...aptArgs], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  apt('update', '-q')
  const hadNats = isThere(needs.nats)
  for (const group of [essential, missing.filter((need) => optional.has(need))]) {
    if (
      group.length === 0 ||
      apt('install', '-y', '-q', '--no-install-recommends', ...group.map((need) => need.package))
    )
      continue
    if (group === essential) fail(`apt-get could not install them. Run: ${words}`)
    say(`Could not install ${group.map((need) => need.package).join(', ')}; going on without.`)
  }
  if (!hadNats && missing.includes(needs.nats)) stopNatsService(prefix)
}

/** Debian’s package starts a server of its own, which nobody asked for. */
function stopNatsService(prefix) {
  if (!existsSync('/run/systemd/system')) return
  say('Stopping the nats-server service that came with the package; servers are started on free ports here.')
  spawnSync(
    prefix[0] ?? 'systemctl',
    [...(prefix.length > 0 ? ['systemctl'] : []), 'disable', '--now', 'nats-server'],
    { stdio: 'ignore' },
  )
}

function isThere(need) {
  if (need.program !== undefined) return hasProgram(need.program)
  return existsSync(need.file)
}

function hasProgram(name) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function run(program, programArgs, failure) {
  if (spawnSync(program, programArgs, { stdio: 'inherit' }).status !== 0) fail(failure)
}

function say(text) {
  process.stderr.write(`${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(2)
}
