#!/bin/bash
# make demo: brings a kubectl if there is none, then runs the demo (ONCE=1 ends it after the summary).
set -euo pipefail
cd "$(dirname "$0")/.."
KUBECTL=$(command -v kubectl || echo "$(tools/kubectl.sh 1.36)")
export KUBECTL
exec node_modules/.bin/node lab/demo/demo.ts
