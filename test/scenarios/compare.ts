import type { Story, TellingRecord } from './story.ts'

/**
 * Compares what two probes told of the same scenarios, record by record and field by field, for the fields that both
 * have. Returns each difference as a sentence; nothing if they told the same.
 */
export function differencesBetween(ours: readonly Story[], theirs: readonly Story[]): string[] {
  return ours.flatMap((story) => {
    const other = theirs.find(({ name }) => name === story.name)
    if (other === undefined) return [`${story.name}: only one probe ran it`]
    return compareRecords(story.name, inOrder(story.records), inOrder(other.records))
  })
}

function compareRecords(name: string, ours: readonly TellingRecord[], theirs: readonly TellingRecord[]): string[] {
  if (ours.length !== theirs.length) {
    return [`${name}: ${ours.length} records (${typesOf(ours)}), the other probe ${theirs.length} (${typesOf(theirs)})`]
  }
  return ours.flatMap((record, at) => {
    const other = theirs[at]
    if (other === undefined || other.type !== record.type) return [`${name}: ${record.type}, not ${other?.type}`]
    return Object.entries(record.fields).flatMap(([key, value]) => {
      const isSame = !(key in other.fields) || other.fields[key] === value
      return isSame ? [] : [`${name}: ${record.type} ${key}=${value}, the other probe ${other.fields[key]}`]
    })
  })
}

/** Records of unrelated processes may come in either order: sorted by what they are about, then as they came. */
function inOrder(records: readonly TellingRecord[]): TellingRecord[] {
  const key = ({ type, fields }: TellingRecord) => [type, fields.of, fields.by, fields.to, fields.call].join(' ')
  return [...records].sort((a, b) => key(a).localeCompare(key(b)))
}

function typesOf(records: readonly TellingRecord[]): string {
  return records.map(({ type }) => type).join(', ')
}
