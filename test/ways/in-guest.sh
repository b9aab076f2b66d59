# Makes the ways happen in a guest while the probes watch; each probe's recording goes to /out. $PROBES names them.
mkfifo /tmp/held
exec 4<> /tmp/held
follow() { node /lab/recorder/recorder.mjs "$2" "/out/$1" < /tmp/held > "/out/$1.log" 2>&1; }
for probe in $PROBES; do
  case $probe in
    systemtap) follow systemtap /lab/whokilled.ko & ;;
    bpftrace) follow bpftrace bpftrace & ;;
  esac
done
for probe in $PROBES; do until [ -s "/out/$probe.log" ]; do sleep 0.5; done; done
mkdir -p /tmp/scratch
# No script with a name stands behind the ways, or it would be told of as who had them done.
FACTS=/out/facts CGROUP=/sys/fs/cgroup SCRATCH=/tmp/scratch sh /proc/self/fd/3 3< /lab/ways.sh > /out/ways.log 2>&1
sleep 2
kill $(pidof node)
wait
