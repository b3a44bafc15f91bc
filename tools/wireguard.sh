#!/bin/bash
# Makes sure that what SideroLink is proved with is here: wg, wireguard-go (the kernel of a test may have no WireGuard), and nft. What is missing is
# installed as Debian's package.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
missing=()
command -v ip >&2 || missing+=(iproute2)
command -v ping >&2 || missing+=(iputils-ping)
command -v wg >&2 || missing+=(wireguard-tools)
command -v wireguard-go >&2 || missing+=(wireguard-go)
command -v nft >&2 || missing+=(nftables)
[ "${#missing[@]}" = 0 ] && exit 0
[ "$(id -u)" = 0 ] || { echo "WireGuard's peers are missing: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
