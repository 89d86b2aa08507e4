# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh: runs checks side by side, keeps their output, and counts.
#
# A check passes if it ends with 0. One that runs many tests may say how many by a line of its output,
# "tested P F" (or Criterion's synthesis); otherwise it counts as one.

JOBS=${JOBS:-$(nproc)}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/sosim-tests.XXXXXX") || exit 1
# Far beyond what any check takes: it only keeps a hanging one from hanging everything.
GUARD_SECONDS=1200
declare -i PASSED=0 FAILED=0
RUNNING=() # names of checks that take a place of the $JOBS
BESIDE=()  # and of those that run beside them

end_jobs()
{
    local pid children
    for pid in $(jobs -p); do
        # Those that `timeout` started are a process group of their own, and hear it from that.
        children= # of one that is over, too
        read -r -d '' children <"/proc/$pid/task/$pid/children"
        kill $children "$pid"
    done 2>/dev/null
    wait 2>/dev/null
    rm -rf "$WORK"
}
trap end_jobs EXIT
trap 'exit 130' INT TERM

say()
{
    printf '%s\n' "$*" >&2
}

run_check()
{
    local name=$1 log=$WORK/$1.log from=$EPOCHREALTIME code=0
    shift
    if [[ $(type -t "$1") == function ]]; then
        ("$@") >"$log" 2>&1 || code=$?
    else
        timeout "$GUARD_SECONDS" "$@" >"$log" 2>&1 || code=$?
    fi
    printf '%s %s %s\n' "$code" "$from" "$EPOCHREALTIME" >"$WORK/$name.end"
}

# How many tests a log says were passed and failed, as "P F"; nothing if it does not say.
counts_of()
{
    sed -n -e 's/^tested \([0-9]*\) \([0-9]*\)$/\1 \2/p' \
        -e 's/.*Synthesis: Tested: .*Passing: .*\b\([0-9][0-9]*\).*Failing: .*\b\([0-9][0-9]*\).*Crashing: .*\b\([0-9][0-9]*\).*/\1 \2 \3/p' \
        "$1" | tail -n 1
}

# Counts a check that is over, and shows the log of a failed one.
account()
{
    local name=$1 code from to passed failed crashed
    read -r code from to <"$WORK/$name.end"
    read -r passed failed crashed <<<"$(counts_of "$WORK/$name.log")"
    if [[ -z ${passed-} ]]; then
        passed=$((code == 0)) failed=$((code != 0))
    fi
    failed=$((failed + ${crashed:-0}))
    # A program that says all is well and then dies, or that tests nothing, is not well.
    if ((code != 0 && failed == 0)) || ((passed + failed == 0)); then
        failed=1
    fi
    PASSED+=passed FAILED+=failed
    local took
    took=$(awk -v from="$from" -v to="$to" 'BEGIN { printf "%.1f", to - from }')
    printf '%s\t%s\t%s\t%s\n' "$took" "$passed" "$failed" "$name" >>"$WORK/table"
    if ((failed > 0)); then
        say "FAILED $name (exit code $code); the end of what it said:"
        tail -n 40 "$WORK/$name.log" | sed 's/^/    /' >&2
    elif [[ -n ${VERBOSE-} ]]; then
        say "passed $name: $passed in $took s"
    fi
}

# collect_from ARRAY: accounts for those of it that are over, and takes them out.
collect_from()
{
    local -n names=$1
    local left=() name
    for name in "${names[@]}"; do
        if [[ -e $WORK/$name.end ]]; then
            account "$name"
        else
            left+=("$name")
        fi
    done
    names=("${left[@]}")
}

collect()
{
    collect_from RUNNING
    collect_from BESIDE
}

# check NAME COMMAND...: runs it in the background, at most $JOBS at a time. NAME is a file name, and unique.
check()
{
    collect
    while ((${#RUNNING[@]} >= JOBS)); do
        wait -n
        collect
    done
    RUNNING+=("$1")
    run_check "$@" &
}

# check_beside NAME COMMAND...: the same at once, for a check that mostly waits and so leaves the cores to others.
check_beside()
{
    BESIDE+=("$1")
    run_check "$@" &
}

# Waits until nothing runs any more.
finish_checks()
{
    local name
    wait
    collect
    for name in "${RUNNING[@]}" "${BESIDE[@]}"; do
        echo "255 0 0" >"$WORK/$name.end" # it was killed
    done
    collect
}

# has_passed NAME: is over, and ended well
has_passed()
{
    local code=1
    [[ -e $WORK/$1.end ]] && read -r code _ <"$WORK/$1.end"
    ((code == 0))
}

# step NAME COMMAND...: in the foreground, for what the next checks stand on; its failure is returned.
step()
{
    say "at $SECONDS s: $1"
    run_check "$@"
    account "$1"
    has_passed "$1"
}

report()
{
    finish_checks
    say ""
    say "  seconds  passed  failed"
    sort -t $'\t' -k 1 -n -r "$WORK/table" | awk -F '\t' '
        function row(seconds, passed, failed, name) {
            printf "%9.1f %7d %7d  %s\n", seconds, passed, failed, name
        }
        $1 >= 2 || $3 > 0 { row($1, $2, $3, $4); next }
        { seconds += $1; passed += $2; names++ }
        END { if (names) row(seconds, passed, 0, names " shorter ones") }' >&2
    times >"$WORK/times"
    say "  all in $SECONDS s on $JOBS cores, which worked for $(awk -F '[ms ]' \
        'NR == 2 { printf "%.0f", $1 * 60 + $2 + $4 * 60 + $5 }' "$WORK/times") s"
    echo "$PASSED passed, $FAILED failed"
    ((FAILED == 0))
}
