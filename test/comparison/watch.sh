# Every tool of the comparison watches one Debian guest while the ways happen; what each printed goes to /out.
mkfifo /tmp/held
exec 4<> /tmp/held
follow() { node /lab/recorder/recorder.mjs "$2" "/out/$1" < /tmp/held > "/out/$1.log" 2>&1; }

# whokilled
follow bpftrace bpftrace &
until [ -s /out/bpftrace.log ]; do sleep 0.5; done
follow systemtap /lab/whokilled.ko &

# killsnoop.bt, as Debian's package bpftrace brings it
bpftrace -B line /lab/killsnoop.bt < /tmp/held > /out/killsnoop 2>&1 &

# SystemTap scripts
for script in article signal_send; do staprun /lab/$script.ko < /tmp/held > /out/$script 2>&1 & done

# auditd, with all calls that send signals, and every program's start
systemctl start auditd
auditctl -D > /dev/null
auditctl -b 8192 > /dev/null
for arch in b64 b32; do
  auditctl -a always,exit -F arch=$arch -S kill -S tkill -S tgkill -S rt_sigqueueinfo -S rt_tgsigqueueinfo \
    -S pidfd_send_signal -k kill
  auditctl -a always,exit -F arch=$arch -S execve -S execveat -k exec
done
auditctl -l > /out/audit.rules

for tool in systemtap.log killsnoop article signal_send; do until [ -s /out/$tool ]; do sleep 0.5; done; done
sleep 2
{ bpftrace --version; auditctl -v; uname -r; } > /out/versions
mkdir -p /tmp/scratch
# No script with a name stands behind the ways, or it would be told of as who had them done.
FACTS=/out/facts CGROUP=/sys/fs/cgroup SCRATCH=/tmp/scratch sh /proc/self/fd/3 3< /lab/ways.sh > /out/ways.log 2>&1 & W=$!
# A way that hangs shall not take the others along.
for second in $(seq "$SECONDS_MAX"); do kill -0 $W 2> /dev/null || break; sleep 1; done
kill -9 $W 2> /dev/null && echo 'The ways were ended at their limit of time.' >> /out/ways.log
sleep 2
auditctl -s > /out/audit.status
kill $(pidof node)
kill -INT $(pidof bpftrace stapio)
auditctl -e 0 > /dev/null
sleep 3
cat $(ls -tr /var/log/audit/audit.log*) > /out/audit.log
kill -9 $(pidof bpftrace)
# Whoever waits for all would wait for a tool that hangs.
exit 0
