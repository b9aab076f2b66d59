# In a guest: times opening a file and a pidfile without SystemTap's probe and under it, three times in turn. A line for
# each to /out/times: PROBE FILE NANOSECONDS.
echo 1 > /tmp/app.txt
echo 1 > /tmp/app.pid
opens() {
  echo "$1 file $(opener /tmp/app.txt 2000)" >> /out/times
  echo "$1 pidfile $(opener /tmp/app.pid 500)" >> /out/times
}
for round in 1 2 3; do
  opens none
  rm -f /tmp/lines
  staprun /lab/whokilled.ko > /tmp/lines & R=$!
  until grep -qs heartbeat /tmp/lines; do sleep 0.5; done
  opens systemtap
  kill $R
  wait $R
done
