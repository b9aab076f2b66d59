/** True for a host that is this machine: `localhost`, 127.0.0.0/8, `::1` (with or without brackets). */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}
