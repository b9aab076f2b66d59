# What can happen to the probe on a host: each case is one run of the recorder, its words go to /out/CASE.log.
record() { node /lab/recorder/recorder.mjs "$2" /out/$1 < /tmp/held > /out/$1.log 2>&1; }
recording() { until grep -q recording /out/$1.log 2> /dev/null; do usleep 100000; done; }
stapio() { for p in $(pidof stapio); do echo $p; done | head -1; }
mkfifo /tmp/held
exec 4<> /tmp/held

# An orderly stop right behind a burst.
record burst /lab/whokilled.ko & R=$!
recording burst
flood signals 15000 > /dev/null
kill $(pidof node); wait $R

# While one agent runs, another must not take its probe away.
record first /lab/whokilled.ko & R=$!
recording first
record second /lab/whokilled.ko
# Somebody else ends the probe.
kill -TERM $(stapio); wait $R

# The reader is killed: the module stays behind, and the next start removes it.
record crashed /lab/whokilled.ko & R=$!
recording crashed
kill -9 $(stapio); wait $R
grep -c ^whokilled /proc/modules > /out/left-by-reader
record after-reader /lab/whokilled.ko & R=$!
recording after-reader
# The agent is killed: reader and module stay behind.
kill -9 $(pidof node); wait $R
cp /lab/whokilled.ko /tmp/under-another-name.ko
record after-agent /tmp/under-another-name.ko & R=$!
recording after-agent
kill $(pidof node); wait $R
grep -c ^whokilled /proc/modules > /out/left-at-the-end

# Modules that cannot be loaded.
head -c 100000 /lab/whokilled.ko > /tmp/whokilled.ko
record cut /tmp/whokilled.ko
record missing /tmp/nowhere/whokilled.ko
chmod 755 /out
chown deploy /lab/recorder
chmod 4754 /usr/bin/staprun
su deploy -c 'node /lab/recorder/recorder.mjs /lab/whokilled.ko /tmp/none' < /tmp/held > /out/deploy.log 2>&1
exit 0
