#!/bin/bash
# Makes sure that the foreign ends of IPMI are here: ipmitool, and OpenIPMI's simulator ipmi_sim. What is missing is installed as Debian's package.
set -euo pipefail
missing=()
command -v ipmitool >&2 || missing+=(ipmitool)
command -v ipmi_sim >&2 || missing+=(openipmi)
# `script` gives ipmitool the terminal that it wants for a console.
command -v script >&2 || missing+=(bsdutils)
[ "${#missing[@]}" = 0 ] && exit 0
[ "$(id -u)" = 0 ] || { echo "IPMI's peers are missing: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
