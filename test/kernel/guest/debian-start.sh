# What lab.service starts in the Debian guest once it is up.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/lab/programs HOME=/root
mkdir -p /out
. /lab/run-and-send.sh
