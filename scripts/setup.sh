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
    brew:npm) echo node ;;
    *:redis-server) echo redis ;;
    *) echo "$1" ;;
  esac
}

missing=""
need() { # need <package key> <program> [<other program that does as well> …]
  key=$1; shift
  if ! has_any "$@"; then missing="$missing $(package "$key")"; fi
}

install() { # install <packages>
  echo "Installing: $*" >&2
  case "$manager" in
    apt-get) as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ;;
    dnf) as_root dnf install -y -q "$@" >&2 ;;
    apk) as_root apk add -q "$@" >&2 ;;
    brew) brew install -q "$@" >&2 ;;
    none) echo "No known package manager here. Please install: $*" >&2; exit 69 ;;
  esac
}

need redis-server redis-server valkey-server
need ffmpeg ffmpeg
need espeak-ng espeak-ng espeak
need npm npm
if [ "$with_tests" = yes ]; then need wrk wrk; fi

browser=present
if [ "$with_tests" = yes ] && [ ! -d "/Applications/Google Chrome.app" ]; then
  has_any chromium chromium-browser google-chrome || browser=missing
fi

if [ "$manager" = apt-get ] && [ "$missing$browser" != present ]; then as_root apt-get update -qq; fi
# shellcheck disable=SC2086 # a list of package names
if [ -n "$missing" ]; then install $missing; fi
# Some systems (Ubuntu) have no such package; the tests that need a browser then say so and are skipped.
if [ "$browser" = missing ]; then install chromium || echo "No browser could be installed" >&2; fi

npm ci --no-fund --no-audit --loglevel=error

# On glibc Linux a recent Node has just come with the packages, and npm scripts find it first.
# Elsewhere the system's takes its place, so that an older one on the PATH does not matter either.
bundled=node_modules/.bin/node
recent() { "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 24 || (a == 24 && b >= 9) ? 0 : 1)' 2>/dev/null; }
if ! recent "$bundled"; then
  system=$(command -v node || true)
  if [ -z "$system" ] || ! recent "$system"; then
    case "$manager" in
      brew) brew install -q node@24 >&2; system=$(brew --prefix node@24)/bin/node ;;
      apk) as_root apk add -q --upgrade nodejs >&2; system=$(command -v node) ;;
    esac
  fi
  if [ -z "$system" ] || ! recent "$system"; then echo "Node 24.9 or newer is needed, and could not be installed here" >&2; exit 69; fi
  mkdir -p node_modules/.bin
  ln -sf "$system" "$bundled"
fi
