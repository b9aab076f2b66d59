import ora from 'ora'

const quietMs = 300

/** Shows on a terminal that something takes its time, once it has taken 300 ms. */
export async function showWaiting<T>(
  work: Promise<T>,
  text: string,
  stream: NodeJS.WriteStream,
  isColoured: boolean,
): Promise<T> {
  // On a terminal that does not tell its width (a serial console) ora would clear lines without end.
  if (stream.isTTY !== true || !stream.columns) return work
  // The cursor stays and stdin is not touched: Ctrl-C leaves nothing to be put right.
  const spinner = ora({ text, stream, color: isColoured ? 'cyan' : false, hideCursor: false, discardStdin: false })
  const timer = setTimeout(() => spinner.start(), quietMs)
  try {
    return await work
  } finally {
    clearTimeout(timer)
    if (spinner.isSpinning) spinner.stop()
  }
}
