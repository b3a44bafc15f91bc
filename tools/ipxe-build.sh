#!/bin/bash
# Builds iPXE from Debian's source package with Sidero's script inside (image/ipxe/README.md): tools/ipxe-build.sh [OUT]. Prints the folder:
# OUT, or where it is kept, ~/.cache/sidero/ipxe-build/. Same source, settings and compilers, same bytes. For hosts of amd64.
#   API_ENDPOINT, API_PORT  what the script names; without an endpoint the next server of DHCP
#   IPXE_SOURCE             an unpacked source package, where Debian's mirror has none (its origin is not verified then)
#   JOBS                    how many compilers at a time, 2
set -euo pipefail
TOOLS=$(cd "$(dirname "$0")" && pwd)
ROOT=$(dirname "$TOOLS")
CONFIG=$ROOT/image/ipxe/config
OUT=${1:+$(realpath -m "$1")}
export LC_ALL=C TZ=UTC
umask 022
. "$TOOLS/ipxe-apt.sh"
exec 3>&1 1>&2

missing=()
command -v make > /dev/null || missing+=(make)
command -v perl > /dev/null || missing+=(perl)
command -v dpkg-source > /dev/null || missing+=(dpkg-dev)
command -v x86_64-linux-gnu-gcc > /dev/null || missing+=(gcc libc6-dev)
command -v aarch64-linux-gnu-gcc > /dev/null || missing+=(gcc-aarch64-linux-gnu)
[ -e /usr/include/lzma.h ] || missing+=(liblzma-dev)
if [ "${#missing[@]}" -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "ipxe: missing: apt-get install ${missing[*]}"; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}"
fi

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/ipxe-build
mkdir -p "$CACHE"
W=$(mktemp -d "$CACHE/.XXXXXX")
trap 'rm -rf "$W"' EXIT
mkdir "$W/programs"
"$ROOT/node_modules/.bin/node" --disable-warning=ExperimentalWarning "$TOOLS/ipxe-script.ts" \
  "${API_ENDPOINT:-}" "${API_PORT:-}" > "$W/sidero.ipxe"
compilers=$(for target in x86_64 aarch64; do
  "$target-linux-gnu-gcc" --version | head -1
  "$target-linux-gnu-ld" --version | head -1
done)
KEY=$({
  cat "$TOOLS/ipxe-build.sh" "$TOOLS/ipxe-apt.sh" "$CONFIG"/*.h "$W/sidero.ipxe"
  echo "$compilers"
  [ -z "${IPXE_SOURCE:-}" ] || tar -C "$IPXE_SOURCE" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c .
} | sha256sum | cut -c1-12)
DIR=$CACHE/$KEY

if [ ! -e "$DIR/MANIFEST" ]; then
  if [ -n "${IPXE_SOURCE:-}" ]; then
    cp -r "$IPXE_SOURCE" "$W/source"
  else
    private_apt "$W/apt" deb-src
    (cd "$W" && "${apt[@]}" source ipxe && mv ipxe-*/ source) || {
      echo "ipxe: no source package of iPXE to be had from this mirror. IPXE_SOURCE=FOLDER names one that was brought otherwise;"
      echo "ipxe: Debian's own builds, which need none: tools/ipxe.sh"
      exit 1
    }
  fi
  cd "$W/source/src"
  cp "$CONFIG"/*.h config/local/
  # By a relative name: the path of this folder must not come into the program.
  cp "$W/sidero.ipxe" sidero.ipxe
  # iPXE takes its timestamp from this, and makes its build identifier of what is linked.
  SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l ../debian/changelog -S Timestamp)
  export SOURCE_DATE_EPOCH
  # build COMPILER PLATFORM TARGET NAME…
  build() {
    nice make -j"${JOBS:-2}" CROSS_COMPILE="$1-linux-gnu-" NO_WERROR=1 EMBED=sidero.ipxe \
      EXTRA_CFLAGS="-ffile-prefix-map=$W/source=." "$2/$3"
    for name in "${@:4}"; do install -m 644 "$2/$3" "$W/programs/$name"; done
  }
  build x86_64 bin undionly.kpxe undionly.kpxe undionly.kpxe.0
  build x86_64 bin-x86_64-efi ipxe.efi ipxe.efi
  build x86_64 bin-x86_64-efi snp.efi snp.efi
  build x86_64 bin-i386-efi snp.efi snp-ia32.efi
  build aarch64 bin-arm64-efi ipxe.efi ipxe-arm64.efi
  build aarch64 bin-arm64-efi snp.efi snp-arm64.efi
  # As `sha512sum --check` reads it.
  cd "$W/programs"
  sums=$(sha512sum -- *)
  {
    echo "# ipxe $(dpkg-parsechangelog -l ../source/debian/changelog -S Version)"
    echo "$compilers" | sed 's/^/# /'
    echo "# script sha512:$(sha512sum < ../sidero.ipxe | cut -d' ' -f1)"
    echo "$sums"
  } > MANIFEST
  rm -rf "$DIR"
  mv "$W/programs" "$DIR"
fi

if [ -n "$OUT" ]; then
  mkdir -p "$(dirname "$OUT")"
  rm -rf "$OUT.old"
  cp -r "$DIR" "$W/out"
  [ ! -e "$OUT" ] || mv "$OUT" "$OUT.old"
  mv "$W/out" "$OUT"
  rm -rf "$OUT.old"
fi
echo "${OUT:-$DIR}" >&3
