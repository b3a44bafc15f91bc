# Sourced by tools/ipxe.sh and tools/ipxe-build.sh: `private_apt FOLDER deb|deb-src` makes `apt` an apt-get that knows only Debian's newest
# stable suite, keeps everything in FOLDER and uses or changes nothing of the machine's own apt. It verifies Debian's signature.
SUITE=trixie
private_apt() {
  local folder=$1 kind=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror
  [ -r "$keyring" ] || { echo "ipxe: $keyring is missing: apt-get install debian-archive-keyring" >&2; return 1; }
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "main" && $1 ~ /\/debian\/?$/ {print $1; exit}')
  [ -n "$mirror" ] || { echo "ipxe: apt has no Debian among its sources (/etc/apt/sources.list)" >&2; return 1; }
  mkdir -p "$folder"/{lists/partial,cache/archives/partial}
  : > "$folder/status"
  echo "$kind [signed-by=$keyring] $mirror $SUITE main" > "$folder/sources.list"
  apt=(apt-get -q -oDir::Etc::SourceList="$folder/sources.list" -oDir::Etc::SourceParts=/dev/null -oDir::Etc::PreferencesParts=/dev/null
    -oDir::State::Lists="$folder/lists" -oDir::Cache="$folder/cache" -oDir::State::status="$folder/status" -oAPT::Sandbox::User=root)
  "${apt[@]}" update
}
