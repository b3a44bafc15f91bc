#!/bin/bash
# Makes a fresh checkout runnable: npm's packages as locked, among them Node 26 itself, whatever Node the machine has.
# Needs npm (it comes with any Node >= 18). Repeating it is harmless.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null; then
  echo "setup: npm is missing. Install any Node.js from version 18 on, with npm; the project brings its own Node 26 through it." >&2
  exit 1
fi

# Node 26 is linked against libatomic, which a minimal Debian leaves out.
if ! ldconfig -p 2>/dev/null | grep -q 'libatomic\.so\.1'; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y -qq libatomic1 >/dev/null || { apt-get update -qq && apt-get install -y -qq libatomic1 >/dev/null; }
  else
    echo "setup: Node 26 needs libatomic.so.1 (Debian: apt-get install libatomic1)." >&2
    exit 1
  fi
fi

# Not `npm ci`: it insists that the lock names the binaries for every other platform too, and a registry mirror may not hold those.
# Versions and integrity are the lock file's all the same, and --no-save leaves it as it is.
npm install --ignore-scripts --no-save --loglevel=error
echo "node $(node_modules/.bin/node --version)"
