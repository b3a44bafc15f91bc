#!/bin/bash
# Makes what stands in for Talos in the lab (lab/talos): kernel and initial RAM disk. tools/talos.sh [OUT]
# Default: ~/.cache/sidero/talos/out. Shares what tools/image.sh fetches and makes.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/image
mkdir -p "$cache"
# The programs that pack come with it, and so does the system that both have.
[ -e "$cache/out/initramfs-amd64" ] || tools/image.sh >&2
exec 9>"$cache/lock"
flock 9
exec node_modules/.bin/node --disable-warning=ExperimentalWarning lab/talos/image/build.ts "$@"
