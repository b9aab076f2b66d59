# What the scripts of test/ways begin with. Runs in dash and in busybox; the programs of test/programs are in PATH.
# $FACTS is the file that says who was who, $CGROUP a folder of the unified hierarchy, $SCRATCH a folder for files; each
# way, $WAY, begins in an empty one of its own there.
ulimit -S -c 0
now() { read -r uptime idle < /proc/uptime; echo "$uptime"; }
# Each way has its own line at its beginning and end: NAME begin SECONDS, and one for each process: NAME role PID.
begin() { sleep 0.1; echo "$WAY begin $(now)" >> "$FACTS"; }
end() { sleep 0.3; echo "$WAY end $(now)" >> "$FACTS"; }
# For one that only itself knows its pid: in-role ROLE PROGRAM…
role() { echo "$WAY role $1 $2" >> "$FACTS"; }
# roles_in FILE: those that a program prints, `ROLE PID` each, when it has: two seconds at most.
roles_in() {
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -s "$1" ] && break; sleep 0.1; done
  while read -r who pid; do role $who $pid; done < "$1"
}
# pid_of ROLE: the pid that was said to be this one's.
pid_of() { sed -n "s/^$WAY role $1 //p" "$FACTS"; }
# settle: until the victim sleeps or is gone, a second at most: on a busy machine a program takes its time to start.
settle() {
  for try in 1 2 3 4 5 6 7 8 9 10; do
    { read -r pid name state rest < /proc/$V/stat; } 2> /dev/null || return 0
    case $state in R | D) sleep 0.1 ;; *) return 0 ;; esac
  done
}
# run PROGRAM…: a victim in the background, $V; it is ready when this returns. start: the usual one, by its way.
run() { "$@" & V=$!; role victim $V; sleep 0.2; settle; }
start() { run victim "$@"; }
# send CALL PID SIGNAL: by a program of its own, $S, that has ended when this returns. send_as ROLE …: by another one.
send() { send_as killer "$@"; }
send_as() { AS=$1; shift; sender "$@" > /dev/null & S=$!; role $AS $S; wait $S; }
# reap: waits for the victim and keeps its status.
reap() { wait $V 2> /dev/null; STATUS=$?; }
# next_pid PID: the next process that is forked gets this number.
next_pid() { echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid; }
