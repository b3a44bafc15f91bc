#!/bin/bash
# Makes sure that DHCP's peers in the proofs are here: udhcpc (busybox), ISC's dhclient, dnsmasq as server and relay, rdisc6, and `ip`. What
# is missing is installed as Debian's package.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
missing=()
busybox udhcpc --help >&2 || missing+=(busybox)
command -v dhclient >&2 || missing+=(isc-dhcp-client)
command -v dnsmasq >&2 || missing+=(dnsmasq-base)
command -v rdisc6 >&2 || missing+=(ndisc6)
command -v ip >&2 || missing+=(iproute2)
[ "${#missing[@]}" = 0 ] && exit 0
[ "$(id -u)" = 0 ] || { echo "DHCP's peers are missing: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
