#!/bin/bash
# Prints a folder with iPXE for all machines that Sidero boots, under upstream's file names (image/ipxe/README.md), for --boot-programs. They
# are Debian's newest stable builds, with HTTPS and for arm64 too, which older Debians lack. Unpacked, not installed; kept in
# ~/.cache/sidero/ipxe/. Builds of our own, with a script inside: tools/ipxe-build.sh.
set -euo pipefail
TOOLS=$(cd "$(dirname "$0")" && pwd)
. "$TOOLS/ipxe-apt.sh"
KEY=$(cat "$TOOLS/ipxe.sh" "$TOOLS/ipxe-apt.sh" | sha256sum | cut -c1-12)
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/ipxe/$KEY
if [ -e "$DIR/VERSION" ]; then echo "$DIR"; exit 0; fi
exec 3>&1 1>&2
mkdir -p "$(dirname "$DIR")"
W=$(mktemp -d "$(dirname "$DIR")/.XXXXXX")
trap 'rm -rf "$W"' EXIT
mkdir "$W"/{root,programs}
private_apt "$W/apt" deb
(cd "$W" && "${apt[@]}" download ipxe && dpkg-deb -x ipxe_*.deb root)
put() { install -m 644 "$W/root/usr/lib/ipxe/$1" "$W/programs/$2"; }
put undionly.kpxe undionly.kpxe
put undionly.kpxe undionly.kpxe.0
put snponly.efi snp.efi
put ipxe-amd64.efi ipxe.efi
put ipxe-arm64.efi ipxe-arm64.efi
dpkg-deb -f "$W"/ipxe_*.deb Version > "$W/programs/VERSION"
rm -rf "$DIR"
mv "$W/programs" "$DIR"
echo "$DIR" >&3
