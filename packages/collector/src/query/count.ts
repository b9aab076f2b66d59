/**
 * A count that Postgres added up, as JSON and the answers' schemas can say it. An agent may claim any number that
 * JSON holds, so a sum of theirs may be larger; then it is told as the largest, and the answer is still given.
 */
export function countOf(sum: string): number {
  return Math.min(Number(sum), Number.MAX_SAFE_INTEGER)
}
