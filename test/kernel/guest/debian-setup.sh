# Runs once, in a fresh Debian root, while the lab's image is made: users, keys, and nothing that acts of its own
# accord. A new image is made whenever this file changes.
set -eu
export PATH=/usr/sbin:/usr/bin DEBIAN_FRONTEND=noninteractive

echo guest > /etc/hostname
printf '127.0.0.1 localhost guest\n' > /etc/hosts
: > /etc/fstab

useradd --uid 1001 --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy
chmod 440 /etc/sudoers.d/deploy

# root and deploy may log in as deploy, and root as root, on this host.
for home in /root /home/deploy; do
  mkdir -p -m 700 $home/.ssh
  ssh-keygen -q -t ed25519 -N '' -C guest -f $home/.ssh/id_ed25519
done
cat /root/.ssh/id_ed25519.pub /home/deploy/.ssh/id_ed25519.pub > /home/deploy/.ssh/authorized_keys
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
chown -R deploy:deploy /home/deploy/.ssh
sed 's/^/localhost,127.0.0.1,guest /' /etc/ssh/ssh_host_ed25519_key.pub > /etc/ssh/ssh_known_hosts

# What would take the console, or start, end or audit processes while a test looks.
systemctl mask getty.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer systemd-journald-audit.socket \
  proc-sys-fs-binfmt_misc.automount
systemctl disable auditd.service earlyoom.service systemd-oomd.service systemd-oomd.socket monit.service \
  systemd-random-seed.service systemd-pstore.service
rm -f /etc/cron.d/* /etc/cron.daily/*
: > /etc/crontab

cat > /etc/systemd/system/lab.service << 'UNIT'
[Unit]
Description=Runs the test in a scope of its own
After=multi-user.target dbus.service ssh.service cron.service atd.service systemd-logind.service
[Service]
Type=oneshot
# Whoever comes from here is nobody's service, and a child of process 1, as after a login.
ExecStart=/bin/sh -c 'systemd-run --quiet --scope --unit=lab sh /lab/debian-start.sh < /dev/null > /dev/console 2>&1 &'
KillMode=process
IgnoreSIGPIPE=no
[Install]
WantedBy=default.target
UNIT
systemctl enable lab.service

rm -rf /usr/share/doc /usr/share/man /usr/share/locale /usr/share/info /usr/share/lintian /var/cache/apt/* \
  /var/lib/apt/lists/*
find /var/log -type f -delete
