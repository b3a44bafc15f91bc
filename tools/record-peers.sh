#!/bin/bash
# Makes sure that what erase records are checked with is here: jq and openssl. What is missing is installed as Debian's package.
set -euo pipefail
missing=()
command -v jq >&2 || missing+=(jq)
command -v openssl >&2 || missing+=(openssl)
[ "${#missing[@]}" = 0 ] && exit 0
[ "$(id -u)" = 0 ] || { echo "what erase records are checked with is missing: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
