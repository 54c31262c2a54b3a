#!/bin/sh
# Installs what Showrunner needs and is missing, through the system's package manager, then its packages.
# Usage: sh scripts/setup.sh [--test]      --test also installs what only the tests and benchmarks use
set -eu
cd "$(dirname "$0")/.."

with_tests=no
for argument in "$@"; do
  case "$argument" in
    --test) with_tests=yes ;;
    *) echo "Usage: sh scripts/setup.sh [--test]" >&2; exit 2 ;;
  esac
done

has() { command -v "$1" >/dev/null 2>&1; }
has_any() { for name in "$@"; do if has "$name"; then return 0; fi; done; return 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif has sudo; then sudo "$@"
  else echo "Root rights are needed for: $*" >&2; exit 69
  fi
}

manager=none
for name in apt-get dnf apk brew; do
  if has "$name"; then manager=$name; break; fi
done

# The package of a program, by manager.
package() {
  case "$manager:$1" in
    apt-get:redis-server) echo redis-server ;;
    apt-get:npm) echo nodejs npm ;;
    dnf:redis-server) if dnf -q info valkey >/dev/null 2>&1; then echo valkey; else echo redis; fi ;;
    dnf:ffmpeg) echo ffmpeg-free ;;
    dnf:npm) echo nodejs nodejs-npm ;;
    apk:npm) echo nodejs npm ;;
    brew:redis-server) echo redis ;;
    brew:espeak-ng) echo espeak-ng ;;
    brew:npm) echo node@24 ;;
    *:redis-server) echo redis ;;
    *) echo "$1" ;;
  esac
}

missing=""
need() { # need <package key> <program> [<other program that does as well> …]
  key=$1; shift
  if has_any "$@"; then return 0; fi
  missing="$missing $(package "$key")"
}

need redis-server redis-server valkey-server
need ffmpeg ffmpeg
need espeak-ng espeak-ng espeak
need npm npm
if [ "$with_tests" = yes ]; then
  need wrk wrk
  # On macOS and WSL an installed Chrome does as well.
  if [ ! -d "/Applications/Google Chrome.app" ]; then need chromium chromium chromium-browser google-chrome; fi
fi

install() {
  echo "Installing:$missing" >&2
  # shellcheck disable=SC2086 # a list of package names
  case "$manager" in
    apt-get)
      as_root apt-get update -qq
      # The service that Debian's package would start is not wanted: Showrunner starts its own Redis.
      as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >&2 ;;
    dnf) as_root dnf install -y -q $missing >&2 ;;
    apk) as_root apk add -q $missing >&2 ;;
    brew) brew install -q $missing >&2 ;;
    none) echo "No known package manager here. Please install:$missing" >&2; exit 69 ;;
  esac
}
if [ -n "$missing" ]; then install; fi

# glibc Linux gets its Node with the packages below; elsewhere the system's must be recent enough.
node_is_recent() { has node && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 24 || (a == 24 && b >= 9) ? 0 : 1)'; }
bundled_node() { [ "$(uname -s)" = Linux ] && [ ! -e /etc/alpine-release ]; }
if ! bundled_node && ! node_is_recent; then
  case "$manager" in
    brew) brew install -q node@24 >&2; PATH="$(brew --prefix node@24)/bin:$PATH"; export PATH ;;
    apk) as_root apk add -q --upgrade nodejs npm >&2 ;;
  esac
  if ! node_is_recent; then echo "Node 24.9 or newer is needed; here is $(node --version 2>/dev/null || echo none)" >&2; exit 69; fi
fi

npm ci --no-fund --no-audit --loglevel=error
