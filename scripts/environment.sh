# Sourced by the other scripts, never run: the one place that finds a Python, makes .venv and
# installs from the lock files. POSIX sh. The caller has set -eu and stands in the checkout's root.

VENV=.venv
STAMPS=$VENV/.installed

say() { printf '%s\n' "${0##*/}: $*"; }
complain() { printf '%s\n' "${0##*/}: $*" >&2; }

# Print the path of the newest-enough interpreter itself: sys.executable, not what PATH names,
# because a version manager's shim costs half a second at every start.
find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        "$candidate" -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null |
            grep . && return 0
    done
    complain "no Python 3.11 or newer was found; install one (package python3) and start this script again."
    return 3
}

# Say which Debian package brings `python -m venv` for this interpreter; nothing where it works.
venv_package() {
    "$1" -c 'import ensurepip' 2>/dev/null || "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

# Run a command up to three times: registries and mirrors time out now and then.
retry() {
    for pause in 2 8 0; do
        "$@" && return 0
        [ "$pause" -eq 0 ] || { complain "this failed and is tried again in $pause s: $*"; sleep "$pause"; }
    done
    complain "this failed three times: $*"
    return 1
}

# Install the named Debian packages as root or through sudo; where neither works say the one line
# to run and end with 3.
install_packages() {
    [ $# -gt 0 ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        as_root=none
    fi
    if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
        complain "these system packages are missing, and this user cannot install them. Run this line, then start again:"
        printf '    sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "$*" >&2
        return 3
    fi
    say "installs the system packages $*"
    retry $as_root apt-get update -qq
    retry $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Is the interpreter of .venv there and new enough?
venv_works() {
    [ -x $VENV/bin/python ] && $VENV/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

make_venv() {
    say "makes $VENV with $1"
    rm -rf $VENV
    "$1" -m venv $VENV
}

# stamp NAME FILE...: what the files say now; `installed NAME FILE...` compares it with what was
# installed last.
stamp() {
    shift
    cat "$@" | sha256sum
}
installed() { [ -f $STAMPS/"$1" ] && [ "$(stamp "$@")" = "$(cat $STAMPS/"$1")" ]; }
remember() {
    mkdir -p $STAMPS
    stamp "$@" >$STAMPS/"$1"
}

# install_lock NAME LOCKFILE [PIP OPTION...]: once per content of the lock file.
install_lock() {
    name=$1 lock=$2
    shift 2
    if installed "$name" "$lock"; then return 0; fi
    say "installs $lock"
    retry $VENV/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes "$@" -r "$lock"
    remember "$name" "$lock"
}
