/** Signals by which one asks a process to end: SIGHUP, SIGINT, SIGQUIT, SIGTERM. */
export const requests: ReadonlySet<number> = new Set([1, 2, 3, 15])
