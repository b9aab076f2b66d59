# In a guest: times opening a file and a pidfile without a probe and under each, three times in turn. A line for each to
# /out/times: PROBE FILE NANOSECONDS.
echo 1 > /tmp/app.txt
echo 1 > /tmp/app.pid
mkfifo /tmp/held
exec 4<> /tmp/held
opens() {
  echo "$1 file $(opener /tmp/app.txt 20000)" >> /out/times
  # No more at once than the agent looks at under bpftrace, 1,000 in a second.
  echo "$1 pidfile $(opener /tmp/app.pid 500)" >> /out/times
}
under() {
  node /lab/recorder/recorder.mjs "$2" /tmp/recording < /tmp/held > /tmp/log 2>&1 & R=$!
  until grep -q recording /tmp/log; do sleep 0.5; done
  sleep 2
  opens "$1"
  kill $R
  wait $R
}
for round in 1 2 3; do
  opens none
  under systemtap /lab/whokilled.ko
  under bpftrace bpftrace
done
