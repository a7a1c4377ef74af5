#!/usr/bin/env bash
# Makes sure the browser tests have a browser: CHROMIUM=/path, one on PATH, or Debian's package when root.
set -euo pipefail
if [ -n "${CHROMIUM:-}" ]; then
  [ -x "$CHROMIUM" ] && exit 0
  echo "CHROMIUM=$CHROMIUM is not an executable file: give the path of a Chromium or Chrome." >&2; exit 1
fi
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null && exit 0
fi
echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium fonts-noto-cjk) or run CHROMIUM=/path make test." >&2
exit 1
