#!/bin/bash
# Prints the path of tshark, Wireshark's dissectors on the command line. Where there is none, Debian's package is installed.
set -euo pipefail
if ! command -v tshark; then
  [ "$(id -u)" = 0 ] || { echo "tshark is missing: apt-get install tshark" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends tshark >&2
  command -v tshark
fi
