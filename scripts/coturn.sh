#!/usr/bin/env bash
# Makes sure the nightly tests have a TURN server: TURNSERVER=/path, one on PATH, or Debian's package when root.
# The test starts its own on loopback; the package's service is kept from starting.
set -euo pipefail
if [ -n "${TURNSERVER:-}" ]; then
  [ -x "$TURNSERVER" ] && exit 0
  echo "TURNSERVER=$TURNSERVER is not an executable file: give the path of coturn's turnserver." >&2; exit 1
fi
command -v turnserver >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  # invoke-rc.d asks this file before it starts a service; it is ours only for the moment of the installation
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq && apt-get install -y -qq --no-install-recommends coturn >/dev/null && exit 0
fi
echo "These tests need coturn. Install it (Debian: apt-get install coturn) or run TURNSERVER=/path make nightly." >&2
exit 1
