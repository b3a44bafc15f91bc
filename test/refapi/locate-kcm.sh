#!/bin/bash
# Prints the path of the genuine kube-controller-manager 1.20.2, the oracle for garbage collection; builds it first when it is not
# there yet. Source: Debian bookworm's source package "kubernetes", whole and with its vendored libraries, and bookworm's Go 1.19.
# Needs 2.5 GB of disk, 1.4 GB of memory and, the first time, about 2 minutes on 2 cores.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
W=${XDG_CACHE_HOME:-$HOME/.cache}/sidero/kube120
KCM=$W/bin/kube-controller-manager
if [ -x "$KCM" ]; then echo "$KCM"; exit 0; fi
mkdir -p "$W"/{debs,root,src,bin,gp/src/k8s.io}
exec 9> "$W/lock"
flock 9
if [ -x "$KCM" ]; then echo "$KCM"; exit 0; fi
exec 3>&1 1>&2
. "$HERE/suite.sh"

KUBERNETES=$W/gp/src/k8s.io/kubernetes
if [ ! -e "$KUBERNETES" ]; then
  suite_options bookworm "$W" deb-src
  (cd "$W/debs" && apt-get "${SUITE_OPTIONS[@]}" download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev)
  for deb in "$W"/debs/*.deb; do dpkg -x "$deb" "$W/root"; done
  (cd "$W/src" && apt-get "${SUITE_OPTIONS[@]}" source --download-only kubernetes && tar xzf kubernetes_*.orig.tar.gz)
  # The vendored reflect2 1.0.1 crashes programs built with Go >= 1.18; Debian's 1.0.2 does not.
  REFLECT2=github.com/modern-go/reflect2
  rm -rf "$W/src/kubernetes-1.20.2/vendor/$REFLECT2"
  cp -r "$W/root/usr/share/gocode/src/$REFLECT2" "$W/src/kubernetes-1.20.2/vendor/$REFLECT2"
  mv "$W/src/kubernetes-1.20.2" "$KUBERNETES"
  rm -rf "$W/debs" "$W/cache" "$W/lists" "$W/src"
fi

export GOROOT=$W/root/usr/lib/go-1.19 CGO_ENABLED=0 GOCACHE=$W/gocache GOFLAGS= GO111MODULE=off GOPATH=$W/gp
export PATH=$GOROOT/bin:$PATH
cd "$KUBERNETES"
LDFLAGS="-s -w"
for package in component-base/version client-go/pkg/version; do
  for setting in gitVersion=v1.20.2 gitMajor=1 gitMinor=20 gitTreeState=clean; do
    LDFLAGS="$LDFLAGS -X k8s.io/kubernetes/vendor/k8s.io/$package.$setting"
  done
done
go build -ldflags "$LDFLAGS" -o "$KCM.part" k8s.io/kubernetes/cmd/kube-controller-manager
mv "$KCM.part" "$KCM"
rm -rf "$W/gocache"
echo "$KCM" >&3
