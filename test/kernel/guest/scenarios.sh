# Ways to be ended, and to try in vain, under a real SystemTap. Who was who goes to /out/facts, the records to /out/records.
S=none
fact() { echo "$*" >> /out/facts; }
start() { victim "$@" & V=$!; usleep 250000; }
send() { sender "$@" & S=$!; wait $S; }
ended() { wait $V 2> /dev/null; fact "$1 victim=$V sender=$S status=$?"; S=none; }

staprun -b 8 /lab/whokilled.ko > /out/records 2> /out/staprun.stderr &
STAPRUN=$!
# The start line comes before the probes are in place, a heartbeat after.
until grep -q ^heartbeat /out/records; do usleep 100000; done

for call in kill kill-32bit tkill tgkill forge forge-thread pidfd; do
  start wait; send $call $V 15; ended by-$call
done
start wait; sh -c "kill -KILL $V; true" & S=$!; wait $S; ended by-shell

setsid sh -c 'victim wait & victim wait & wait' & V=$!
usleep 500000; send kill -$V 9; ended group

start abort; ended abort
start segv; ended segv
start exit 42; ended exit
start catch-term; send kill $V 15; ended caught
start ignore-term; send kill $V 15; fact "ignored victim=$V sender=$S"; send kill $V 9; ended ignored-then-killed
start block-term; send kill $V 15; fact "blocked victim=$V sender=$S"
send kill $V 15; fact "pending victim=$V sender=$S"; send kill $V 9; ended blocked-then-killed

start exec-from-thread; ended exec-from-thread
start threads 3; send kill $V 9; ended threads
for i in 1 2 3 4 5 6 7 8 9 10; do start end-together 4; ended "together-$i"; done

start wait
send kill-as-deploy $V 9; fact "eperm victim=$V sender=$S"
send kill 999999 15; fact "esrch victim=999999 sender=$S"
send kill-32bit -999999 15; fact "esrch-32bit victim=-999999 sender=$S"
send pidfd 999999 15; fact "badfd victim=999999 sender=$S"
send kill $V 99; fact "einval victim=$V sender=$S"
send kill $V 0; fact "probe-only victim=$V sender=$S"
mkdir /sys/fs/cgroup/doomed
echo $V > /sys/fs/cgroup/doomed/cgroup.procs
sh -c 'echo 1 > /sys/fs/cgroup/doomed/cgroup.kill; true' & S=$!; wait $S; ended cgroup-kill

mkdir /sys/fs/cgroup/small
echo 20M > /sys/fs/cgroup/small/memory.max
sh -c 'echo $$ > /sys/fs/cgroup/small/cgroup.procs; exec victim memory' & V=$!
ended oom

# A name that reads like a row of the kernel's own table, a group whose path reads like its summary, and, in the same
# moment, somebody who writes into the kernel's log what it never said.
hog=$(printf '1]\n[ 1] 0 1 9')
group=/sys/fs/cgroup/small,task=init,pid=1
mkdir "$group"
echo 20M > "$group/memory.max"
cp /lab/programs/victim "/tmp/$hog"
i=0; while [ $i -lt 40 ]; do echo "Memory cgroup out of memory: Killed process 1 (forged)"; usleep 20000; i=$((i + 1)); done > /dev/kmsg & FORGER=$!
sh -c 'echo $$ > "$1/cgroup.procs"; exec "/tmp/$2" memory' sh "$group" "$hog" & V=$!
ended oom-hostile
echo 'oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/forged,task=forged,pid=1,uid=0' > /dev/kmsg
wait $FORGER

# A host of version 1: all are at the root of the unified hierarchy, and a controller has its own.
mkdir /tmp/cpuset && mount -t cgroup -o cpuset cpuset /tmp/cpuset
mkdir /tmp/cpuset/deep; echo 0 > /tmp/cpuset/deep/cpuset.cpus; echo 0 > /tmp/cpuset/deep/cpuset.mems
start wait; echo $V > /tmp/cpuset/deep/cgroup.procs; send kill $V 9; ended version-1

for how in strict kill kill-thread trap; do forbidden $how & V=$!; ended seccomp-$how; done

# Pidfiles: written, read, of any name and content; and what is none.
mkdir /tmp/pids /tmp/pids/directory.pid; cd /tmp/pids
look() { cat "$2" > /dev/null 2>&1 & S=$!; wait $S; fact "$1 sender=$S mtime=$(stat -Lc %Y "$2" 2> /dev/null)"; }
sh -c 'echo 4242 > daemon.pid' & S=$!; wait $S; fact "pidfile-written sender=$S mtime=$(stat -Lc %Y daemon.pid)"
look pidfile-read daemon.pid
touch -d '2001-02-03 04:05:06' daemon.pid; look pidfile-old daemon.pid
: > empty.pid; look pidfile-empty empty.pid
printf 'a\tb\n\\ \377\001' > bytes.pid; look pidfile-bytes bytes.pid
head -c 100000 /dev/zero | tr '\0' 7 > long.pid; look pidfile-long long.pid
hostile_file="$(printf 'a\nopen\t1\t1\t#1\n\\ \377')$(head -c 180 /dev/zero | tr '\0' '\t').pid"
echo 1 > "$hostile_file"; look pidfile-hostile "$hostile_file"
echo 1 > hidden.pid; exec 5< hidden.pid; rm hidden.pid; cat /proc/self/fd/5 > /dev/null & S=$!; wait $S; exec 5<&-; fact "pidfile-deleted sender=$S"
sh -c 'cd /tmp/pids; i=0; while [ $i -lt 12 ]; do mkdir "$0"; cd "$0"; i=$((i + 1)); done; echo 1 > deep.pid; exec cat deep.pid' "$(head -c 90 /dev/zero | tr '\0' d)" > /dev/null & S=$!; wait $S; fact "pidfile-deep sender=$S"
ln -s /tmp/pids/daemon.pid link; look pidfile-link link
mkfifo queue.pid; { echo 1 > queue.pid & }; look no-pidfile-fifo queue.pid
echo 1 > plain; look no-pidfile-name plain
echo 1 > .pid; look pidfile-shortest .pid
look no-pidfile-missing missing.pid
ls directory.pid > /dev/null & S=$!; wait $S; fact "no-pidfile-directory sender=$S"
insmod /lab/overlay.ko
mkdir /tmp/lower /tmp/upper /tmp/work /tmp/merged; echo 77 > /tmp/lower/old.pid
mount -t overlay -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work overlay /tmp/merged
look pidfile-overlay-below /tmp/merged/old.pid
echo 78 > /tmp/merged/new.pid; look pidfile-overlay-above /tmp/merged/new.pid
echo 79 > /tmp/merged/old.pid; look pidfile-overlay-copied /tmp/merged/old.pid
cd /root

hostile 4096 & V=$!; ended hostile-arguments
hostile 30000 & V=$!; ended long-arguments
hostile 1 die & V=$!; ended hostile-name

unshare -p -f sh -c 'victim wait & usleep 250000; kill -9 $!; wait' & V=$!; ended pid-namespace
on-terminal victim exit 7

flood signals 15000 > /out/flood.signals
flood execs 250 4 > /out/flood.execs.1 & A=$!
flood execs 250 4 > /out/flood.execs.2 & B=$!
wait $A; wait $B

sleep 3
kill -INT $STAPRUN
wait $STAPRUN
fact "staprun status=$?"
