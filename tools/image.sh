#!/bin/bash
# Makes what machines boot to be discovered: kernel and initial RAM disk with the agent. tools/image.sh [OUT] [amd64|arm64]…
# Default: ~/.cache/sidero/image/out, amd64. Wants Debian's apt-get with sources of Debian's own.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
command -v mksquashfs >/dev/null || missing+=(squashfs-tools)
command -v zstd >/dev/null || missing+=(zstd)
if [ "${#missing[@]}" -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "image: missing: apt-get install ${missing[*]}" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
fi
umask 022
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/image
mkdir -p "$cache"
# One at a time: they share what they fetch and unpack.
exec 9>"$cache/lock"
flock 9
exec node_modules/.bin/node --disable-warning=ExperimentalWarning tools/image/build.ts "$@"
