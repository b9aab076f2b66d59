import type { Way } from '../way.ts'

/** A victim as a service of systemd, started before the way begins: `unit NAME PROPERTY… -- PROGRAM…`. */
const unit = `
unit() {
  UNIT=$1; shift
  systemd-run --quiet --unit=$UNIT -p "Environment=FACTS=$FACTS WAY=$WAY PATH=$PATH" "$@"
  sleep 0.5
  role \${ROLE:-victim} $(systemctl show -P MainPID $UNIT)
}
: >> $FACTS; chmod 666 $FACTS
role killer 1
`

/** Ways of a whole system, with systemd as the first process, and as the killer. */
export function debian(way: Omit<Way, 'needs'>): Way {
  return { ...way, needs: 'debian', before: `${unit}${way.before ?? ''}` }
}

/** What is the same wherever a process killed another one by kill(2). */
export const byKill = { cause: 'signal', confidence: 'certain', killer: 'killer', via: 'kill' } as const
