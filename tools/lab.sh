#!/bin/bash
# Makes sure that what the lab is made of is here: QEMU, its UEFI firmware and iPXE ROMs, dnsmasq, ip, and for its BMCs
# OpenIPMI's simulator, socat and ipmitool. What is missing is installed as Debian's packages. setpriv comes with every Debian (util-linux).
set -euo pipefail
missing=()
command -v qemu-system-x86_64 > /dev/null || missing+=(qemu-system-x86)
[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || missing+=(ovmf)
[ -e /usr/lib/ipxe/qemu/efi-virtio.rom ] || missing+=(ipxe-qemu)
[ -e /usr/lib/ipxe/undionly.kpxe ] || missing+=(ipxe)
command -v dnsmasq > /dev/null || missing+=(dnsmasq-base)
command -v ip > /dev/null || missing+=(iproute2)
command -v ipmi_sim > /dev/null || missing+=(openipmi)
command -v socat > /dev/null || missing+=(socat)
command -v ipmitool > /dev/null || missing+=(ipmitool)
[ "${#missing[@]}" = 0 ] && exit 0
[ "$(id -u)" = 0 ] || { echo "parts of the lab are missing: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
