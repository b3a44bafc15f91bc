#!/bin/bash
# Usage: kubectl.sh 1.32|1.36   prints the path of a kubectl of that minor version, fetched from Debian's suite that has it.
# The suites move on: whatever patch version is there now is taken, and a minor version that has gone is an error that says so.
set -euo pipefail
MINOR=${1:?usage: kubectl.sh 1.32|1.36}
case $MINOR in
  1.32) SUITE=trixie ;;
  1.36) SUITE=sid ;;
  *) echo "kubectl.sh: no Debian suite is known to carry kubectl $MINOR" >&2; exit 1 ;;
esac
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/kubectl/$MINOR
BIN=$DIR/root/usr/bin/kubectl
if [ ! -x "$BIN" ]; then
  mkdir -p "$DIR"
  exec 9> "$DIR/lock"
  flock 9
  if [ ! -x "$BIN" ]; then
    . "$HERE/../test/refapi/suite.sh"
    suite_options "$SUITE" "$DIR" >&2
    (
      cd "$DIR"
      rm -f ./*.deb
      apt-get "${SUITE_OPTIONS[@]}" download kubectl
      rm -rf root.part root
      dpkg -x ./kubectl_*.deb root.part
      mv root.part root
      rm -f ./*.deb
    ) >&2
  fi
fi
VERSION=$("$BIN" version --client -o json | sed -nE 's/.*"gitVersion": *"v([0-9.]+).*/\1/p')
case $VERSION in
  "$MINOR".*) ;;
  *) echo "kubectl.sh: Debian $SUITE now has kubectl $VERSION, not $MINOR" >&2; exit 1 ;;
esac
echo "kubectl $VERSION" >&2
echo "$BIN"
