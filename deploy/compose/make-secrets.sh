#!/bin/sh
# Makes the password of the compose file's Postgres, once. Run it before the first `docker compose up`.
# The files can be read inside the containers by their users; on this machine the folder is closed to all others.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
if [ -s secrets/postgres-password ]; then
  echo "deploy/compose/secrets: made before, left as it is."
  exit 0
fi
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$password" > secrets/postgres-password
printf 'postgres://whokilled:%s@postgres:5432/whokilled\n' "$password" > secrets/postgres-url
chmod 644 secrets/postgres-password secrets/postgres-url
echo "deploy/compose/secrets: made."
