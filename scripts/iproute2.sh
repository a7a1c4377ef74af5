#!/usr/bin/env bash
# Makes sure the nightly tests can make network namespaces: `ip` on PATH, or Debian's package when root.
set -euo pipefail
command -v ip >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends iproute2 >/dev/null && exit 0
fi
echo "These tests need iproute2 and root. Install it (Debian: apt-get install iproute2)." >&2
exit 1
