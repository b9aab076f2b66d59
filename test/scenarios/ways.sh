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
# As 32-bit programs call: a 64-bit one, and a real one.
start wait; send kill-32bit $V 15; ended by-int80
start wait; sender-32bit $V 15 & S=$!; wait $S; ended by-32bit-program

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

# Timers of its own, which run out while somebody else runs, or nobody.
limited alarm & V=$!; ended alarm
limited timer 10 & V=$!; ended timer

# $SMALL is a group with a limit of memory, where there can be one; should it have none, the victim comes to this one.
if [ -n "$SMALL" ]; then
  sh -c "ulimit -v 200000; echo \$\$ > '$SMALL/cgroup.procs'; exec victim memory" & V=$!; ended oom
fi

# Filters of seccomp(2) that end a program, and its strict mode.
forbidden kill & V=$!; ended seccomp-filter
forbidden strict & V=$!; ended seccomp-strict

# Pidfiles: the third one is read in a mount namespace of its own. Three names that are none: of a folder, of no file,
# and one that goes on.
P=$(mktemp -d)
start wait; echo $V > "$P/app.pid"; ln -s app.pid "$P/link"; mkdir "$P/folder.pid"; echo no > "$P/no.pidx"; sleep 0.1
(cd "$P"; exec cat link folder.pid missing.pid no.pidx) > /dev/null 2>&1 & S=$!; wait $S; fact "pidfile-read victim=$V sender=$S"
unshare -m sh -c "read -r PID < '$P/app.pid'; sleep 0.3" & S=$!; wait $S; fact "pidfile-read-elsewhere victim=$V sender=$S"
sh -c "echo 1 > '$P/app.pid'" & S=$!; wait $S; fact "pidfile-written victim=$V sender=$S"
send kill $V 9; ended killed-by-pidfile
rm -r "$P"

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
