#!/bin/bash
# Generates JavaScript and types beside every src/proto/**/*.proto, or beside those of the directory given (for comparing).
# JavaScript, because TypeScript's enums are more than types and Node only takes types away. Debian's protoc is brought if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-src/proto}
if ! command -v protoc >&2; then
  [ "$(id -u)" = 0 ] || { echo "protoc is missing: apt-get install protobuf-compiler" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends protobuf-compiler >&2
fi
export PATH=$PWD/node_modules/.bin:$PATH
mapfile -t sources < <(cd src/proto && find . -name '*.proto' | sort)
protoc --proto_path=src/proto --es_out="$out" --es_opt=target=js+dts,import_extension=js "${sources[@]#./}"
