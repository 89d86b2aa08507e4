# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh: makes do with what a machine, often a container, forbids or lacks.

# is_writable DIRECTORY: also for root on a read-only file system
is_writable()
{
    local file
    file=$(mktemp "$1/sosim.XXXXXX" 2>/dev/null) && rm -f "$file"
}

# use_temporary_directory: $TMPDIR, if it will do
use_temporary_directory()
{
    if [[ -n ${TMPDIR-} ]] && is_writable "$TMPDIR"; then
        TMPDIR=$(cd "$TMPDIR" && pwd)
    else
        unset TMPDIR
    fi
}

# The sanitizers of clang 14 know no addresses as random as those of some kernels: programs die by chance.
addresses_are_too_random()
{
    local bits=0
    read -r bits </proc/sys/vm/mmap_rnd_bits
    ((bits > 28)) && [[ -z ${SOSIM_ADDRESSES-} ]] && setarch "$(uname -m)" -R true
} 2>/dev/null

mend_machine()
{
    # The images and Particle's tool are kept below the home directory.
    if [[ -z ${HOME-} ]] || ! mkdir -p "$HOME/.cache" 2>/dev/null || ! is_writable "$HOME/.cache"; then
        say "the home directory cannot be written; $ROOT/build/home takes its place"
        mkdir -p "$ROOT/build/home"
        export HOME=$ROOT/build/home
    fi
    # Address space is reserved by the engine, and much more of it by the sanitizers.
    ulimit -S -v "$(ulimit -H -v)"
    # Few files are too few, and a thousand million, as in some containers, take long to be closed one by one.
    ulimit -S -n 4096 2>/dev/null || ulimit -S -n "$(ulimit -H -n)"
    # Tests of what ends a program end programs.
    ulimit -S -c 0
    if [[ $(ulimit -S -v) != unlimited ]]; then
        say "address space is limited to $(ulimit -S -v) KiB, which the sanitizers will not bear"
    fi
}

leaks_cannot_be_found()
{
    "$1" --version 2>&1 | grep -q 'LeakSanitizer has encountered a fatal error'
}

# mend_sanitizers PROGRAM: PROGRAM, built with sanitizers, shows what works here.
mend_sanitizers()
{
    if leaks_cannot_be_found "$1"; then
        say "leaks cannot be looked for on this machine (no ptrace?): that is left out"
        export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    fi
}
