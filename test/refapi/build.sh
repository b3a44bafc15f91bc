#!/bin/bash
# Builds the genuine API server (refapi) from Debian's own packages: the Go libraries that Kubernetes publishes there, and Debian's
# Go. Prints the folder that holds refapi, kubectl and etcd. Result and unpacked packages stay in the cache and are reused.
# Needs 4 GB of disk, 1.5 GB of memory and, the first time, about 3 minutes on 2 cores.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
KEY=$(cat "$HERE"/build.sh "$HERE"/src/* | sha256sum | cut -c1-12)
W=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/refapi/$KEY
BIN=$W/bin
complete() { [ -x "$BIN/refapi" ] && [ -x "$BIN/kubectl" ] && [ -x "$BIN/etcd" ]; }
if complete; then echo "$BIN"; exit 0; fi
mkdir -p "$W/gopath/src" "$W/root" "$BIN"
exec 9> "$W/lock"
flock 9
if complete; then echo "$BIN"; exit 0; fi
exec 3>&1 1>&2
. "$HERE/suite.sh"

if [ ! -e "$W/unpacked" ]; then
  suite_options sid "$W"
  mkdir -p "$W/debs"
  # The closure holds far more than we need: only Go, its libraries and the two programs are unpacked.
  apt-get "${SUITE_OPTIONS[@]}" --print-uris -y install golang-1.26-go golang-1.26-src golang-k8s-apiextensions-apiserver-dev \
    golang-k8s-apiserver-dev kubectl etcd-server | awk '/^\x27/{print $2}' \
    | grep -E '^(golang-|etcd-server|kubectl)' | grep -vE '^golang-1\.27|^golang-(go|src|any)_' \
    | sed -E 's/_([^_]+)_[^_]+\.deb$/=\1/; s/%3a/:/g' > "$W/packages"
  (cd "$W/debs" && apt-get "${SUITE_OPTIONS[@]}" download $(cat "$W/packages"))
  for deb in "$W"/debs/*.deb; do dpkg -x "$deb" "$W/root"; done
  rm -rf "$W/debs" "$W/cache" "$W/lists"
  touch "$W/unpacked"
fi

export GOROOT=$W/root/usr/lib/go-1.26 GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local CGO_ENABLED=0 GOCACHE=$W/gocache
export GOPATH=$W/gopath:$W/root/usr/share/gocode PATH=$W/root/usr/lib/go-1.26/bin:$PATH
# src/go.mod makes GOPATH mode resolve import paths with /vN/.
SRC=$W/gopath/src/refapi
rm -rf "$SRC"
cp -r "$HERE/src" "$SRC"
cd "$SRC"
go build -o "$W/openapi-gen" k8s.io/kube-openapi/cmd/openapi-gen
: > "$W/empty"
mkdir -p openapi
"$W/openapi-gen" --go-header-file "$W/empty" --output-dir "$PWD/openapi" --output-pkg refapi/openapi \
  --output-file zz_generated.openapi.go --report-filename /dev/null --output-model-name-file "" \
  k8s.io/api/{core,coordination,rbac,admissionregistration}/v1 k8s.io/apimachinery/pkg/{apis/meta/v1,api/resource,util/intstr,runtime,version}
VERSION=$(sed -nE 's/^kubectl=([0-9.]+).*/\1/p' "$W/packages")
IFS=. read -r MAJOR MINOR _ <<<"$VERSION"
X=k8s.io/component-base/version
go build -trimpath -ldflags "-s -w -X $X.gitVersion=v$VERSION -X $X.gitMajor=$MAJOR -X $X.gitMinor=$MINOR" -o "$BIN/refapi" refapi
cp "$W/root/usr/bin/kubectl" "$W/root/usr/bin/etcd" "$BIN/"
rm -rf "$W/gocache"
echo "$BIN" >&3
