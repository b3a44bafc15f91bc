# Sourced: a private apt configuration for one Debian suite, on the mirror that this machine's own apt uses.
# suite_options SUITE DIR [deb-src]   sets SUITE_OPTIONS (arguments for apt-get); lists and cache live in DIR.
# Nothing of the machine's own apt state is touched, and no mirror is named here.
suite_options() {
  local suite=$1 dir=$2 source=${3:-} mirror
  mkdir -p "$dir"/{lists,cache/archives}/partial
  [ -n "$(ls /var/lib/apt/lists/*Packages* 2>/dev/null)" ] || apt-get update -qq
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2=="main" && $1 ~ /\/debian\/?$/ {print $1; exit}')
  if [ -z "$mirror" ]; then
    echo "no Debian mirror is configured on this machine (apt-get indextargets shows none)" >&2
    return 1
  fi
  echo "deb $mirror $suite main" > "$dir/sources.list"
  [ -z "$source" ] || echo "deb-src $mirror $suite main" >> "$dir/sources.list"
  # An empty dpkg status: what this machine has installed does not count, so whole dependency closures are resolved.
  : > "$dir/status"
  SUITE_OPTIONS=(-oDir::State::status="$dir/status" -oDir::Etc::SourceList="$dir/sources.list" -oDir::Etc::SourceParts=/dev/null -oDir::Etc::Preferences=/dev/null
    -oDir::Etc::PreferencesParts=/dev/null -oDir::State::Lists="$dir/lists" -oDir::Cache="$dir/cache" -oAPT::Sandbox::User=root
    -oAPT::Install-Recommends=false -qq)
  apt-get "${SUITE_OPTIONS[@]}" update
}
