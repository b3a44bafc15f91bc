#!/bin/bash
# Makes sure that the TFTP clients of the proofs are here: atftp, tftp-hpa (`tftp`) and curl. What is missing is installed as Debian's package.
set -euo pipefail
missing=()
command -v atftp >&2 || missing+=(atftp)
command -v tftp >&2 || missing+=(tftp-hpa)
command -v curl >&2 || missing+=(curl)
[ "${#missing[@]}" = 0 ] && exit 0
[ "$(id -u)" = 0 ] || { echo "TFTP clients are missing: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
