#!/bin/bash
# Prints a folder with iPXE for all machines that Sidero boots, under upstream's file names (image/ipxe/README.md), for --boot-programs. They
# are Debian's newest stable builds, with HTTPS and for arm64 too, which older Debians lack; apt verifies their signature. Unpacked,
# not installed; kept in ~/.cache/sidero/ipxe/.
set -euo pipefail
SUITE=trixie
KEY=$(sha256sum "$0" | cut -c1-12)
DIR=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/ipxe/$KEY
if [ -e "$DIR/VERSION" ]; then echo "$DIR"; exit 0; fi
exec 3>&1 1>&2
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$KEYRING" ] || { echo "ipxe: $KEYRING is missing: apt-get install debian-archive-keyring"; exit 1; }
MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
  awk '$2 == "main" && $1 ~ /\/debian\/?$/ {print $1; exit}')
mkdir -p "$(dirname "$DIR")"
W=$(mktemp -d "$(dirname "$DIR")/.XXXXXX")
trap 'rm -rf "$W"' EXIT
mkdir -p "$W"/{lists/partial,cache/archives/partial,root,programs}
: > "$W/status"
echo "deb [signed-by=$KEYRING] ${MIRROR:-http://deb.debian.org/debian} $SUITE main" > "$W/sources.list"
# Nothing of the machine's own apt is used or changed.
apt=(apt-get -q -oDir::Etc::SourceList="$W/sources.list" -oDir::Etc::SourceParts=/dev/null -oDir::Etc::PreferencesParts=/dev/null
  -oDir::State::Lists="$W/lists" -oDir::Cache="$W/cache" -oDir::State::status="$W/status" -oAPT::Sandbox::User=root)
"${apt[@]}" update
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
