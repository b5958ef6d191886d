# shellcheck shell=bash
# Sourced by the other scripts: makes the virtual environment they run in.
#
#   use_venv DIR PYTHON GROUP...    create DIR (relative to the clone) with PYTHON where needed,
#                                   install the package (editable) and the dependency groups of
#                                   pyproject.toml, and set $VENV_PYTHON
#   default_python                  print the interpreter for .venv
#   other_pythons MINOR             print one interpreter for each other supported version
#
# Everything lands inside the clone. What is up to date is not installed again: a stamp in the
# environment remembers the hash of what the installation depends on.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$ROOT" || exit 1

MINORS=(13 12 11)               # supported Python 3 versions, the newest first
export PIP_CACHE_DIR="${PIP_CACHE_DIR:-$ROOT/.cache/pip}"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV
unset PYTHONDONTWRITEBYTECODE   # else every run compiles every test again

say() { printf '%s\n' "nekonex: $*" >&2; }
die() { say "$*"; exit 1; }

# Print "MINOR EXECUTABLE" of a Python 3 that really runs (pyenv's shims may not) and has venv.
probe_python() {
    "$1" -c 'import sys, ensurepip, venv; v = sys.version_info
print(v.minor if v.major == 3 else 0, sys.executable)' 2>/dev/null </dev/null
}

default_python() {
    local candidate found
    if [[ -n "${NEKONEX_PYTHON:-}" ]]; then
        found="$(probe_python "$NEKONEX_PYTHON")" ||
            die "NEKONEX_PYTHON=$NEKONEX_PYTHON is no Python 3 with venv and pip"
        ((${found%% *} >= 11)) || die "NEKONEX_PYTHON=$NEKONEX_PYTHON is older than Python 3.11"
        printf '%s\n' "${found#* }"
        return
    fi
    for candidate in python3 "${MINORS[@]/#/python3.}"; do
        if found="$(probe_python "$candidate")" && ((${found%% *} >= 11)); then
            printf '%s\n' "${found#* }"
            return
        fi
    done
    die "no Python >= 3.11 with venv and pip found; set NEKONEX_PYTHON to one"
}

other_pythons() {
    local minor candidate found
    for minor in "${MINORS[@]}"; do
        [[ "$minor" == "$1" ]] && continue
        for candidate in "python3.$minor" \
            "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$minor".*/bin/python "/usr/bin/python3.$minor"; do
            if found="$(probe_python "$candidate")" && [[ "${found%% *}" == "$minor" ]]; then
                printf '%s %s\n' "$minor" "${found#* }"
                continue 2
            fi
        done
        say "Python 3.$minor is not on this machine"
    done
}

python_minor() { "$1" -c 'import sys; print(sys.version_info.minor)'; }

# Hash stdin; the package needs a Python anyway, and macOS has no sha256sum.
hash_with() { "$1" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

run_pip() {
    local log
    log="$("$VENV_PYTHON" -m pip --quiet "$@" 2>&1 </dev/null)" || {
        printf '%s\n' "$log" >&2
        die "pip $* failed"
    }
}

# pip's resolver cannot leave out one dependency, hence the second step for NintendoClients.
install_groups() {
    local group arguments=() bare=()
    for group in "$@"; do
        arguments+=(--group "$group")
        [[ "$group" == clients ]] && bare=(--group clients-no-deps)
    done
    run_pip install 'pip>=25.1'         # the first that knows --group
    run_pip install --no-warn-conflicts -e . "${arguments[@]}"
    if ((${#bare[@]})); then
        run_pip install --no-warn-conflicts --no-deps "${bare[@]}"
    fi
}

use_venv() {
    local dir="$1" python="$2" home stamp wanted
    shift 2
    VENV_PYTHON="$ROOT/$dir/bin/python"
    home="$ROOT $("$python" -VV)"       # a copied clone and another Python need another venv
    stamp="$ROOT/$dir/.stamp-$(IFS=-; printf '%s' "$*")"
    wanted="$(cat pyproject.toml scripts/_venv.sh <(printf '%s' "$home") | hash_with "$python")"
    [[ -f "$stamp" && "$(<"$stamp")" == "$wanted" ]] && return
    (
        # Two scripts at once would install over each other; the lock ends with this subshell.
        if command -v flock >/dev/null; then flock 9; fi
        if [[ ! -x "$VENV_PYTHON" || "$(cat "$ROOT/$dir/.home" 2>/dev/null)" != "$home" ]]; then
            say "creating $dir with $("$python" -V)"
            rm -rf "${ROOT:?}/$dir"
            "$python" -m venv "$ROOT/$dir" || die "cannot create $dir: is the venv module complete?"
            printf '%s' "$home" >"$ROOT/$dir/.home"
        fi
        if [[ ! -f "$stamp" || "$(<"$stamp")" != "$wanted" ]]; then
            say "installing nekonex and ${*:-no more} into $dir"
            install_groups "$@"
            printf '%s' "$wanted" >"$stamp"
        fi
    ) 9<"$ROOT"
}
