#!/bin/bash
# Prints the folder of programs that speak Redfish and are not ours: sushy-emulator (a service for tests), a Python with sushy (OpenStack's
# client), and DMTF's own tools (rf_power_reset.py and others). Installed from PyPI into a folder of their own.
set -euo pipefail
TOOLS=2.2.0 SUSHY=5.14.0 DMTF=3.5.2
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/sushy/$TOOLS-$SUSHY-$DMTF
if [ ! -e "$DIR/complete" ]; then
  mkdir -p "$DIR"
  exec 9> "$DIR/lock"
  flock 9
  if [ ! -e "$DIR/complete" ]; then
    python=$(command -v python3) || { echo "python3 is missing: apt-get install python3-venv" >&2; exit 1; }
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
      [ "$(id -u)" = 0 ] || { echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }
      export DEBIAN_FRONTEND=noninteractive
      apt-get -q update >&2
      apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends python3-venv >&2
      python=/usr/bin/python3
    fi
    "$python" -m venv "$DIR" >&2
    "$DIR/bin/pip" -q --disable-pip-version-check install "sushy-tools==$TOOLS" "sushy==$SUSHY" "redfish_utilities==$DMTF" >&2
    touch "$DIR/complete"
  fi
fi
echo "$DIR/bin"
