#!/bin/bash
# make demo: a rack of three machines registers, is wiped, becomes a cluster, and gives a worker back (ONCE=1 ends it after the summary). Brings what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v kubectl > /dev/null; then KUBECTL=$(command -v kubectl); else KUBECTL=$(tools/kubectl.sh 1.36); fi
export KUBECTL
# The first time this takes minutes, and says what it does.
tools/lab.sh
tools/image.sh >&2
tools/talos.sh >&2
exec node_modules/.bin/node lab/demo/demo.ts
