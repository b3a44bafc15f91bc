#!/bin/bash
# Prints the path of sushy-emulator, OpenStack's Redfish service for tests, installed from PyPI into a folder of its own.
set -euo pipefail
VERSION=2.2.0
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/sushy/$VERSION
BIN=$DIR/bin/sushy-emulator
if [ ! -x "$BIN" ]; then
  mkdir -p "$DIR"
  exec 9> "$DIR/lock"
  flock 9
  if [ ! -x "$BIN" ]; then
    python=$(command -v python3) || { echo "python3 is missing: apt-get install python3-venv" >&2; exit 1; }
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
      [ "$(id -u)" = 0 ] || { echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }
      export DEBIAN_FRONTEND=noninteractive
      apt-get -q update >&2
      apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends python3-venv >&2
      python=/usr/bin/python3
    fi
    # The script is the last thing to come: whoever sees it has the rest.
    "$python" -m venv "$DIR" >&2
    "$DIR/bin/pip" -q --disable-pip-version-check install "sushy-tools==$VERSION" >&2
  fi
fi
echo "$BIN"
