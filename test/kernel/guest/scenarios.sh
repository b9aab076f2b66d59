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
