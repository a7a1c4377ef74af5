#!/usr/bin/env bash
# Makes sure the stock tests have a Redis 7 beside the embedded Valkey: REDIS_SERVER=/path, one on PATH, or Debian's
# package when root. The tests start their own servers; the package's service is kept from starting.
set -euo pipefail
if [ -n "${REDIS_SERVER:-}" ]; then
  [ -x "$REDIS_SERVER" ] && exit 0
  echo "REDIS_SERVER=$REDIS_SERVER is not an executable file: give the path of a redis-server 7.0 or newer." >&2; exit 1
fi
command -v redis-server >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  # invoke-rc.d asks this file before it starts a service; it is ours only for the moment of the installation
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server redis-tools >/dev/null && exit 0
fi
echo "The stock tests run on Redis 7 too. Install it (Debian: apt-get install redis-server redis-tools) or run REDIS_SERVER=/path make test." >&2
exit 1
