# Ways to end a process, and to try in vain. Runs under any probe, in a guest's busybox and on a whole system:
# the programs of test/programs are in PATH, $CGROUP is a folder of the unified hierarchy, and who was who goes to $FACTS.
ulimit -c 0
S=0
fact() { echo "$*" >> "$FACTS"; }
start() { victim "$@" & V=$!; sleep 0.2; }
send() { sender "$@" > /dev/null & S=$!; wait $S; }
ended() { wait $V 2> /dev/null; fact "$1 victim=$V sender=$S status=$?"; S=0; }

for call in kill tkill tgkill forge forge-thread pidfd; do
  start wait; send $call $V 15; ended by-$call
done
start wait; sh -c "kill -KILL $V; true" & S=$!; wait $S; ended by-shell

setsid sh -c 'victim wait & victim wait & wait' & V=$!
sleep 0.5; send kill -$V 9; ended group

start abort; ended abort
start segv; ended segv
start exit 42; ended exit
start catch-term; send kill $V 15; ended caught
start ignore-term; send kill $V 15; fact "ignored victim=$V sender=$S"; send kill $V 9; ended ignored-then-killed
start block-term; send kill $V 15; fact "blocked victim=$V sender=$S"
send kill $V 15; fact "pending victim=$V sender=$S"; send kill $V 9; ended blocked-then-killed
start threads 3; send kill $V 9; ended threads
for i in 1 2 3; do start end-together 4; ended "together-$i"; done

start wait
send kill-as-deploy $V 9; fact "eperm victim=$V sender=$S"
send kill 999999 15; fact "esrch victim=999999 sender=$S"
send pidfd 999999 15; fact "badfd victim=999999 sender=$S"
send kill $V 99; fact "einval victim=$V sender=$S"
send kill $V 0; fact "probe-only victim=$V sender=$S"
mkdir "$CGROUP/doomed"
echo $V > "$CGROUP/doomed/cgroup.procs"
sh -c "echo 1 > '$CGROUP/doomed/cgroup.kill'; true" & S=$!; wait $S; ended cgroup-kill
rmdir "$CGROUP/doomed"

hostile 4096 & V=$!; ended hostile-arguments
hostile 30000 & V=$!; ended long-arguments
hostile 1 die & V=$!; ended hostile-name
unshare -p -f sh -c 'victim wait & sleep 0.2; kill -9 $!; wait' & V=$!; ended pid-namespace
