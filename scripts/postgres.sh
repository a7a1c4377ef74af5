#!/usr/bin/env bash
# Makes sure the SQL tests have a PostgreSQL server: POSTGRES_BIN=/folder with initdb and postgres, one installed, or
# Debian's package when root. The tests start their own cluster in a temporary folder; no service is touched.
set -euo pipefail
folder="${POSTGRES_BIN:-}"
if [ -n "$folder" ]; then
  [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && exit 0
  echo "POSTGRES_BIN=$folder has no initdb and postgres: give the folder of PostgreSQL's server programs." >&2; exit 1
fi
command -v initdb >/dev/null 2>&1 && command -v postgres >/dev/null 2>&1 && exit 0
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  # Without its default cluster: nothing listens afterwards.
  mkdir -p /etc/postgresql-common && [ -e /etc/postgresql-common/createcluster.conf ] \
    || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
  apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null && exit 0
fi
echo "The SQL tests need PostgreSQL. Install it (Debian: apt-get install postgresql) or run POSTGRES_BIN=/folder make test." >&2
exit 1
