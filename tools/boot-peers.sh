#!/bin/bash
# Prints a folder with the servers that `make bench` compares network boot with: Debian's tftpd-hpa and nginx, unpacked, not
# installed, as installing them would start them. Kept in ~/.cache/sidero/boot-peers/.
# The programs are in usr/sbin; their libraries, where the machine has none, in usr/lib.
set -euo pipefail
KEY=$(sha256sum "$0" | cut -c1-12)
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/boot-peers/$KEY
if [ ! -e "$DIR/.done" ]; then
  mkdir -p "$DIR"
  cd "$DIR"
  apt-get -q -o APT::Sandbox::User=root download tftpd-hpa nginx libwrap0 libnsl2 libtirpc3 libpcre2-8-0 >&2 ||
    { apt-get -q update >&2 && apt-get -q -o APT::Sandbox::User=root download tftpd-hpa nginx libwrap0 libnsl2 libtirpc3 libpcre2-8-0 >&2; }
  for package in *.deb; do dpkg -x "$package" .; done
  rm -f ./*.deb
  touch .done
fi
echo "$DIR"
