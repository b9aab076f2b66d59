import type { Way } from '../way.ts'

/** Killers that act for somebody else. */
export const messengers: readonly Way[] = [
  {
    name: 'systemctl-stop',
    title: '`systemctl stop` of a service',
    needs: 'debian',
    script: `
systemd-run --quiet --unit=web victim wait
sleep 1
role victim $(systemctl show -P MainPID web)
role killer 1
systemctl stop web`,
    told: {
      victim: {
        cause: 'signal',
        confidence: 'certain',
        exit: 'SIGTERM',
        killer: 'killer',
        via: 'kill',
        service: 'web.service',
        summary: 'web.service was killed with SIGTERM by systemd (pid <killer>, uid 0).',
      },
    },
  },
]
