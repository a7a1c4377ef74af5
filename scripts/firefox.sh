#!/usr/bin/env bash
# Makes sure the nightly browser tests have a Firefox too: FIREFOX=/path, one on PATH, or Debian's package when root.
# H.264 comes from the system's libavcodec, because the plugin that Firefox downloads for it cannot be counted on.
set -euo pipefail
if [ -n "${FIREFOX:-}" ]; then
  [ -x "$FIREFOX" ] && exit 0
  echo "FIREFOX=$FIREFOX is not an executable file: give the path of a Firefox." >&2; exit 1
fi
has_codec() { ldconfig -p 2>/dev/null | grep -q 'libavcodec\.so\.'; }
{ command -v firefox-esr || command -v firefox; } >/dev/null 2>&1 && has_codec && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # the library's name carries its version: the one this Debian has
  codec=$(apt-cache --names-only search '^libavcodec[0-9]+$' | cut -d' ' -f1 | sort -V | tail -n 1)
  apt-get install -y -qq --no-install-recommends firefox-esr "$codec" >/dev/null && exit 0
fi
echo "These tests need Firefox. Install it (Debian: apt-get install firefox-esr and libavcodec) or run FIREFOX=/path make nightly." >&2
exit 1
