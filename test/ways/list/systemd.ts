import type { Way } from '../way.ts'
import { byKill, debian } from './debian.ts'

const bySystemd = { ...byKill, exit: 'SIGTERM', service: 'web.service' } as const
const stopped = 'web.service was killed with SIGTERM by systemd (pid <killer>, uid 0)'

/** systemd as the killer, and services that kill. */
export const systemd: readonly Way[] = [
  debian({
    name: 'systemctl-stop',
    title: '`systemctl stop`',
    before: 'unit web victim wait',
    script: 'in-role client systemctl stop web',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client', confidence: 'likely' },
        summary: `${stopped}, likely for \`systemctl stop web\`.`,
      },
    },
  }),
  debian({
    name: 'systemctl-stop-by-sudo',
    title: '`sudo systemctl stop`',
    before: 'unit web victim wait',
    script: 'su deploy -c \'in-role person bash -c "sudo systemctl stop web; :"\'',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'session', process: 'person', rule: 'login', confidence: 'likely' },
        summary: `${stopped}, likely for \`systemctl stop web\` of uid 1001 (su, sudo).`,
      },
    },
  }),
  debian({
    name: 'systemctl-stop-by-ssh',
    title: '`sudo systemctl stop` through ssh',
    before: 'unit web victim wait',
    script: 'ssh -n deploy@localhost sudo systemctl stop web',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'session', rule: 'login', confidence: 'likely' },
        summary: `${stopped}, likely for \`systemctl stop web\` of uid 1001 (ssh, sudo).`,
      },
    },
  }),
  debian({
    name: 'systemctl-stop-at-terminal',
    title: '`sudo systemctl stop`, typed at a terminal of ssh',
    before: 'unit web victim wait',
    script: `
(echo 'sudo systemctl stop web'; for try in 1 2 3 4 5; do sleep 2; echo exit; done) | timeout 20 ssh -tt deploy@localhost > /dev/null 2>&1`,
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'session', rule: 'login', confidence: 'likely' },
        summary: `${stopped}, likely for \`systemctl stop web\` of uid 1001 (ssh, sudo, <tty>).`,
      },
    },
  }),
  debian({
    name: 'systemctl-stop-by-script',
    title: '`systemctl stop` in a script',
    before: 'unit web victim wait',
    script: `
printf 'systemctl stop web\\n:\\n' > deploy.sh
in-role script sh deploy.sh`,
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'process', process: 'script', rule: 'tool', confidence: 'likely' },
        summary: `${stopped}, likely for \`systemctl stop web\` of sh deploy.sh.`,
      },
    },
  }),
  debian({
    name: 'systemctl-restart',
    title: '`systemctl restart`',
    before: 'unit web victim wait',
    script: 'in-role client systemctl restart web; systemctl stop web',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client' },
        summary: `${stopped}, likely for \`systemctl restart web\`.`,
      },
    },
  }),
  debian({
    name: 'service-stop',
    title: '`service NAME stop`',
    before: 'unit web victim wait',
    script: 'in-role client service web stop',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client' },
        summary: `${stopped}, likely for \`systemctl stop web.service\`.`,
      },
    },
  }),
  debian({
    name: 'systemctl-kill',
    title: '`systemctl kill -s KILL`',
    before: 'unit web victim wait',
    script: 'in-role client systemctl kill -s KILL web; sleep 0.5; systemctl reset-failed web',
    told: {
      victim: {
        ...bySystemd,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client' },
        summary:
          'web.service was killed with SIGKILL by systemd (pid <killer>, uid 0), likely for `systemctl kill -s KILL web`.',
      },
    },
  }),
  debian({
    name: 'systemctl-stop-timeout',
    title: '`systemctl stop`, SIGTERM ignored, SIGKILL after TimeoutStopSec=',
    before: 'unit web -p TimeoutStopSec=2 victim ignore-term',
    script: 'in-role client systemctl stop web; systemctl reset-failed web',
    told: {
      victim: {
        ...bySystemd,
        exit: 'SIGKILL',
        signals: ['SIGTERM from killer, ignored'],
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client' },
        summary:
          'web.service was killed with SIGKILL by systemd (pid <killer>, uid 0) after the stop timeout of <time>, likely for `systemctl stop web`.',
      },
    },
  }),
  debian({
    name: 'exec-stop',
    title: 'ExecStop= kills: for who asked for the stop',
    before: `unit web -p "ExecStop=$(command -v in-role) killer /bin/kill -9 \\$MAINPID" $(command -v victim) wait`,
    script: 'in-role client systemctl stop web; systemctl reset-failed web',
    told: {
      victim: {
        ...bySystemd,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client', confidence: 'likely' },
        summary:
          'web.service was killed with SIGKILL by kill -9 <victim> (pid <killer>, uid 0), likely for `systemctl stop web`.',
      },
    },
  }),
  debian({
    name: 'stop-over-dbus',
    title: 'StopUnit over D-Bus by a command that is known (busctl)',
    before: 'unit web victim wait',
    script: `
in-role client busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \\
  StopUnit ss web.service replace > /dev/null; sleep 0.5`,
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client', confidence: 'likely' },
        summary: `${stopped}, likely for \`busctl call org.freedesktop.systemd1 …\`.`,
      },
    },
  }),
  debian({
    name: 'stop-by-unknown',
    title: 'StopUnit over D-Bus by a program that is not known: who asked is not known',
    before: 'unit web victim wait; cp $(command -v busctl) panel',
    script: `
./panel call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \\
  StopUnit ss web.service replace > /dev/null; sleep 0.5`,
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'policy', rule: 'systemd-unseen', confidence: 'possible' },
        summary: `${stopped}, possibly because of a request that was not seen, or a setting of its unit.`,
      },
    },
  }),
  debian({
    name: 'stop-of-another-unit',
    title: '`systemctl stop` of a unit that it depends on',
    before: `
systemd-run --quiet --unit=db victim wait
unit web -p BindsTo=db.service -p After=db.service victim wait`,
    script: 'in-role client systemctl stop db; sleep 0.3',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client', confidence: 'possible' },
        summary: `${stopped}, possibly for \`systemctl stop db\`.`,
      },
    },
  }),
  debian({
    name: 'watchdog',
    title: 'WatchdogSec=: a service that does not report',
    before: 'unit web -p WatchdogSec=2 -p NotifyAccess=all victim wait',
    script: 'sleep 2; systemctl reset-failed web',
    told: {
      victim: {
        ...bySystemd,
        exit: 'SIGABRT',
        behalf: { kind: 'policy', rule: 'systemd-watchdog', confidence: 'likely' },
        summary:
          'web.service was killed with SIGABRT by systemd (pid <killer>, uid 0), likely because of its watchdog (WatchdogSec=): it did not report in time.',
      },
    },
  }),
  debian({
    name: 'runtime-max',
    title: 'RuntimeMaxSec=: which setting it was is not seen',
    before: 'unit web -p RuntimeMaxSec=2 victim wait',
    script: 'sleep 2; systemctl reset-failed web',
    told: {
      victim: {
        ...bySystemd,
        behalf: { kind: 'policy', rule: 'systemd-unseen', confidence: 'possible' },
        summary: `${stopped}, possibly because of a request that was not seen, or a setting of its unit.`,
      },
    },
  }),
  debian({
    name: 'oom-policy',
    title: 'OOMPolicy=stop: another process of the unit was out of memory',
    before: `
printf 'in-role victim victim wait & sleep 1; in-role hungry victim memory; wait\\n' > web.sh
ROLE=main unit web -p MemoryMax=48M -p MemorySwapMax=0 sh $PWD/web.sh`,
    script: 'sleep 3; systemctl reset-failed web',
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        service: 'web.service',
        behalf: { kind: 'policy', rule: 'systemd-oom-policy', confidence: 'likely' },
        summary:
          'victim wait (pid <victim>) of web.service was killed with SIGTERM by systemd (pid <killer>, uid 0), likely because of another process of web.service being out of memory (OOMPolicy=stop).',
      },
    },
  }),
  debian({
    name: 'main-process-killed',
    title: 'systemd ends what is left when the main process was killed: for who killed that',
    before: `
printf 'in-role victim victim wait & wait\\n' > web.sh
ROLE=main unit web sh $PWD/web.sh`,
    script: `
printf 'in-role rival busybox kill -9 "$1"\\n:\\n' > cleanup.sh
in-role script sh cleanup.sh $(pid_of main); sleep 0.5; systemctl reset-failed web`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        service: 'web.service',
        behalf: { kind: 'policy', rule: 'systemd-main-process', process: 'rival', confidence: 'likely' },
        summary:
          'victim wait (pid <victim>) of web.service was killed with SIGTERM by systemd (pid <killer>, uid 0), likely because of the end of its main process (pid <main>), which was ended by busybox kill -9 <main> of sh cleanup.sh <main>.',
      },
    },
  }),
  debian({
    name: 'timer-kills',
    title: 'a service that a timer starts kills',
    before: 'unit web victim wait',
    script: `
printf 'in-role killer busybox kill -9 "$1"\\n:\\n' > cleanup.sh
systemd-run --quiet --unit=cleanup --on-active=1 --timer-property=AccuracySec=100ms \\
  -p "Environment=FACTS=$FACTS WAY=$WAY PATH=$PATH" in-role job sh $PWD/cleanup.sh $(pid_of victim)
sleep 2; systemctl reset-failed web`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'job', rule: 'service', name: 'cleanup.service', confidence: 'certain' },
        summary:
          'web.service was killed with SIGKILL by busybox kill -9 <victim> (pid <killer>, uid 0), for cleanup.service.',
      },
    },
  }),
  debian({
    name: 'service-started-to-kill',
    title: 'a service that somebody started kills: for who started it',
    before: `unit web victim wait
printf '[Service]\\nType=oneshot\\nEnvironment=FACTS=%s WAY=%s\\nExecStart=%s killer /usr/bin/kill -9 %s\\n' \\
  $FACTS $WAY $(command -v in-role) $(pid_of victim) > /run/systemd/system/cleanup.service; systemctl daemon-reload`,
    script: `
in-role client systemctl start cleanup
rm /run/systemd/system/cleanup.service; systemctl daemon-reload; systemctl reset-failed web`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGKILL',
        behalf: { kind: 'process', process: 'client', rule: 'started-unit', confidence: 'likely' },
        summary:
          'web.service was killed with SIGKILL by kill -9 <victim> (pid <killer>, uid 0), likely for `systemctl start cleanup`.',
      },
    },
  }),
  debian({
    name: 'systemctl-user-stop',
    title: '`systemctl --user stop`',
    script: `
cat > stop.sh << STOP
export FACTS=$FACTS WAY=$WAY PATH=$PATH
systemd-run --user --quiet --unit=music $(command -v victim) wait
sleep 0.5
echo "$WAY role victim \\$(systemctl --user show -P MainPID music)" >> $FACTS
echo "$WAY role manager \\$(systemctl show -P MainPID user@1001)" >> $FACTS
systemctl --user stop music
STOP
ssh deploy@localhost bash -s < stop.sh`,
    told: {
      victim: {
        ...byKill,
        killer: 'manager',
        exit: 'SIGTERM',
        behalf: { kind: 'session', rule: 'login', confidence: 'likely' },
        summary:
          'music.service was killed with SIGTERM by systemd --user (pid <manager>, uid 1001), likely for `systemctl --user stop music` of uid 1001 (ssh).',
      },
    },
  }),
  debian({
    name: 'logins-terminated',
    title: '`loginctl terminate-user`',
    script: `
ssh -n deploy@localhost "FACTS=$FACTS WAY=$WAY $(command -v in-role) victim $(command -v victim) wait" & S=$!
for try in 1 2 3 4 5 6 7 8 9 10; do [ -z "$(pid_of victim)" ] || break; sleep 1; done; sleep 0.5
in-role client loginctl terminate-user deploy
wait $S`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'process', process: 'client', rule: 'systemd-client', confidence: 'likely' },
        summary:
          'victim was killed with SIGTERM by systemd (pid <killer>, uid 0), likely for `loginctl terminate-user deploy`.',
      },
    },
  }),
  debian({
    name: 'logout',
    title: 'KillUserProcesses=: what a login has left behind',
    before: `
mkdir -p /run/systemd/logind.conf.d; printf '[Login]\\nKillUserProcesses=yes\\n' > /run/systemd/logind.conf.d/kill.conf
systemctl restart systemd-logind; sleep 1`,
    script: `
ssh -n deploy@localhost "FACTS=$FACTS WAY=$WAY nohup $(command -v in-role) victim $(command -v victim) wait > /dev/null 2>&1 & sleep 1"
sleep 2; rm /run/systemd/logind.conf.d/kill.conf; systemctl restart systemd-logind`,
    told: {
      victim: {
        ...byKill,
        exit: 'SIGTERM',
        behalf: { kind: 'policy', rule: 'logout', confidence: 'likely' },
        summary:
          'victim was killed with SIGTERM by systemd (pid <killer>, uid 0), likely because of the end of the login session of uid 1001.',
      },
    },
  }),
]
