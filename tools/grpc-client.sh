#!/bin/bash
# Prints the path of a Python that has grpcio, the C++ implementation of gRPC. Where there is none, Debian's package is installed.
set -euo pipefail
python=/usr/bin/python3
if ! "$python" -c 'import grpc' 2>/dev/null; then
  [ "$(id -u)" = 0 ] || { echo "grpcio is missing: apt-get install python3-grpcio" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends python3-grpcio >&2
fi
echo "$python"
