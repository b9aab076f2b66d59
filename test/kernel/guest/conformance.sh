# Both probes watch one kernel while the scenarios run; each recording goes to /out.
mkfifo /tmp/held
exec 4<> /tmp/held
follow() { node /lab/recorder/recorder.mjs "$2" /out/$1 < /tmp/held > /out/$1.log 2>&1; }
follow bpftrace bpftrace & B=$!
follow systemtap /lab/whokilled.ko & S=$!
for probe in bpftrace systemtap; do until [ -s /out/$probe.log ]; do sleep 1; done; done
mkdir /sys/fs/cgroup/small
echo 20M > /sys/fs/cgroup/small/memory.max
FACTS=/out/facts CGROUP=/sys/fs/cgroup SMALL=/sys/fs/cgroup/small sh /lab/ways.sh
sleep 2
kill $(pidof node)
wait $B && wait $S
