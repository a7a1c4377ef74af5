#!/usr/bin/env bash
# Makes sure the test of deploy/nginx has its program: one on PATH, or Debian's package when root. The test starts its
# own; the package's service is kept from starting.
set -euo pipefail
command -v nginx >/dev/null 2>&1 && exit 0
[ -x /usr/sbin/nginx ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  # invoke-rc.d asks this file before it starts a service; it is ours only for the moment of the installation
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light >/dev/null && exit 0
fi
echo "The test of deploy/nginx runs nginx. Install it (Debian: apt-get install nginx-light)." >&2
exit 1
