/** Numbers below are too often something else than a pid: signals, seconds, descriptors. */
const numberMin = 100

/** Whether a number stands as a word of its own among arguments: `kill -9 4242`, `sh -c 'sleep 9; kill 4242'`, `--pid=4242`. */
export function namesNumber(args: readonly string[] | undefined, number: number): boolean {
  if (args === undefined || number < numberMin) return false
  const word = new RegExp(`(?<![\\w.:/@])-?${number}(?![\\w.:/@-])`)
  return args.some((arg, at) => at > 0 && word.test(arg))
}

/** Whether a word among the arguments is this name, as in `killall nginx`; a file's ending or folder is no word. */
export function namesProgram(args: readonly string[] | undefined, name: string): boolean {
  return name !== '' && (args ?? []).some((arg, at) => at > 0 && (arg === name || arg.endsWith(`/${name}`)))
}
