/** The version magic of a kernel module, such as `6.1.0-13-amd64 SMP preempt mod_unload modversions`. */
export function vermagicOf(module: Buffer): string | undefined {
  const marker = Buffer.from('\0vermagic=')
  const at = module.indexOf(marker)
  if (at < 0) return undefined
  const from = at + marker.length
  const to = module.indexOf(0, from)
  return module.toString('latin1', from, to < 0 ? module.length : to).trim()
}

/** The kernel release that a module was built for. */
export function releaseOf(vermagic: string): string {
  return vermagic.split(' ', 1)[0] ?? ''
}
