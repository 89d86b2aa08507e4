#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast is it? Prints virtual seconds per second with and without the tricks of speed, how the CPU alone
# compares with the bare engine and with QEMU, and how long the things take that somebody waits for. All in one go
# on one machine, so that the ratios mean something; the numbers by themselves do not. No test depends on it.
#
#   tests/bench.sh           all of it, each of the real starts for 20 s of virtual time
#   tests/bench.sh --short   those for 3 s, and only with all tricks and with none; less is repeated
set -euo pipefail
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build
SOSIM=$BUILD/sosim
WORK=$(mktemp -d "${TMPDIR:-/tmp}/sosim-bench.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
VIRTUAL_MS=20000
ROUNDS=5
ENOUGH_S=5
OPTIONS=("" --no-replay --no-spin-skip --no-hot-loops --no-short-hooks --no-direct-registers --no-inline-stores --slow)
case ${1-} in
"") ;;
--short)
    VIRTUAL_MS=3000
    ROUNDS=2
    ENOUGH_S=1
    OPTIONS=("" --slow)
    ;;
*)
    echo "usage: tests/bench.sh [--short]" >&2
    exit 2
    ;;
esac

prepare()
{
    cmake -G Ninja -S "$ROOT" -B "$BUILD" -DCMAKE_C_COMPILER=gcc
    ninja -C "$BUILD" sosim bench_engine bench_machine test_firmware
    "$SOSIM" images fetch 2.0.1 2.1.0
}

# "VIRTUAL WALL TRACE" of a run, in seconds; the best of $ROUNDS, or of those that $ENOUGH_S has room for
measure()
{
    local best= numbers spent=0
    for ((round = 0; round < ROUNDS; round++)); do
        if ! "$SOSIM" run "$1" --json "$WORK/result.json" "${@:2}" >"$WORK/text"; then
            cat "$WORK/text" >&2
            return 1
        fi
        numbers=$(python3 -c 'import json, sys
result = json.load(open(sys.argv[1]))
print(result["virtual_ms"] / 1000, result["wall_ms"] / 1000, result["trace_hash"])' "$WORK/result.json")
        best=$(printf '%s\n' "$numbers" ${best:+"$best"} | sort -k 2 -g | head -n 1)
        spent=$(awk -v spent="$spent" '{ print spent + $2 }' <<<"$numbers")
        if awk -v spent="$spent" -v enough="$ENOUGH_S" 'BEGIN { exit !(spent > enough) }'; then
            break
        fi
    done
    printf '%s\n' "$best"
}

# A scenario that is to run for 20 s, for that many milliseconds; the copy is over before.
lasting()
{
    sed "s/\"at_ms\": 20000/\"at_ms\": $2/; s|\.\./\.\./scenarios/|$ROOT/scenarios/|" "$1"
}

# How fast it goes when it is past its start: what twice the time again costs more. "-" if it is over by then.
speed_once_there()
{
    local virtual wall
    lasting "$1" $((3 * VIRTUAL_MS)) >"$WORK/longer.json"
    read -r virtual wall _ <<<"$(measure "$WORK/longer.json")"
    awk -v v="$2" -v w="$3" -v v2="$virtual" -v w2="$wall" \
        'BEGIN { if (v2 > v + 1 && w2 > w) print (v2 - v) / (w2 - w); else print "-" }'
}

firmware_row()
{
    local scenario=$1 name numbers virtual wall trace first_trace= row= first_numbers= there
    name=$(sed -n 's/.*"name": "\(.*\)".*/\1/p' "$scenario")
    lasting "$scenario" "$VIRTUAL_MS" >"$WORK/firmware.json"
    for option in "${OPTIONS[@]}"; do
        numbers=$(measure "$WORK/firmware.json" ${option:+"$option"})
        first_numbers=${first_numbers:-$numbers}
        read -r virtual wall trace <<<"$numbers"
        if [[ $trace != "${first_trace:=$trace}" ]]; then
            echo "bench: $name: $option has another trace: $trace, not $first_trace" >&2
            exit 1
        fi
        row+=$(awk -v v="$virtual" -v w="$wall" 'BEGIN { print v / w, "" }')
    done
    read -r virtual wall _ <<<"$first_numbers"
    there=$(speed_once_there "$scenario" "$virtual" "$wall")
    awk -v name="$name" -v row="$row" -v there="$there" 'BEGIN {
        columns = split(row, speed, " ")
        printf "%-22s", name
        for (i = 1; i <= columns; i++) printf " %9.2f (%5.1fx)", speed[i], speed[i] / speed[columns]
        printf " %11s\n", there == "-" ? there : sprintf("%.2f", there)
    }'
}

# Seconds that a command takes.
time_of()
{
    local from=$EPOCHREALTIME
    "$@" >"$WORK/text" 2>&1 || true
    awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'
}

on_engine()
{
    "$BUILD/tests/bench_engine" "$BUILD/tests/firmware/work.bin" "$@" | sed -n 's/^seconds //p'
}

on_sosim()
{
    ROUNDS=1 measure "$WORK/work.json" "$@" | cut -d ' ' -f 2
}

on_qemu()
{
    time_of qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$BUILD/tests/firmware/work.elf" "$@"
}

least_of()
{
    printf '%s\n' "$@" | sort -g | head -n 1
}

# The best of several rounds of each, in turn: a machine is faster at one time than at another.
cpu_rows()
{
    local plain= inlined= slow= all= qemu= icount=
    for ((round = 0; round <= ROUNDS; round++)); do
        plain=$(least_of "$(on_engine)" $plain)
        inlined=$(least_of "$(on_engine inline-stores)" $inlined)
        slow=$(least_of "$(on_sosim --slow)" $slow)
        all=$(least_of "$(on_sosim)" $all)
        qemu=$(least_of "$(on_qemu)" $qemu)
        icount=$(least_of "$(on_qemu -icount 0)" $icount)
    done
    cpu_row "engine, no hooks" "$plain" "$plain" "$inlined"
    cpu_row "engine, no hooks, inline stores" "$inlined" "$plain" "$inlined"
    cpu_row "sosim --slow" "$slow" "$plain" "$inlined"
    cpu_row "sosim" "$all" "$plain" "$inlined"
    cpu_row "QEMU, with its start" "$qemu" "$plain" "$inlined"
    cpu_row "QEMU -icount, with its start" "$icount" "$plain" "$inlined"
}

cpu_row()
{
    awk -v name="$1" -v seconds="$2" -v plain="$3" -v inlined="$4" \
        'BEGIN { printf "%-34s %8.3f s %8.2fx %8.2fx\n", name, seconds, plain / seconds, inlined / seconds }'
}

# "SECONDS MEGABYTES": the best time of $ROUNDS runs of a command, and its memory at the most.
cost_of()
{
    python3 - "$ROUNDS" "$@" <<'END'
import resource, subprocess, sys, time
best = 1e9
for _ in range(int(sys.argv[1])):
    start = time.monotonic()
    subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    best = min(best, time.monotonic() - start)
print(best, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
END
}

wait_row()
{
    local name=$1 seconds megabytes
    shift
    read -r seconds megabytes <<<"$(cost_of "$@")"
    awk -v name="$name" -v ms="$(awk -v s="$seconds" 'BEGIN { print s * 1000 }')" -v mb="$megabytes" \
        'BEGIN { printf "%-34s %8.1f ms %6.0f MB\n", name, ms, mb }'
}

if ! prepare >"$WORK/log" 2>&1; then
    cat "$WORK/log" >&2
    exit 1
fi

echo "Virtual seconds per second, from power-on (x: against --slow), and with all tricks when the start is over"
printf '%-22s' ""
printf ' %18s' "all tricks" "${OPTIONS[@]:1}"
printf ' %11s\n' "once there"
for scenario in "$ROOT"/tests/bench/*.json; do
    firmware_row "$scenario"
done

# The program is over when it notes its result.
end=$(arm-none-eabi-nm "$BUILD/tests/firmware/work.elf" | awk '$3 == "note" { print "0x" $1 }')
cat >"$WORK/work.json" <<END
{"name": "work", "modules": [{"file": "$BUILD/tests/firmware/work.elf"}], "state": {"start": "blank"},
 "until": {"pc": "$end"}, "limits": {"wall_s": 3600}}
END
echo
echo "CRC, sorting, matrices, memory moves, floating point (tests/firmware/work.c)"
printf '%-34s %10s %9s %9s\n' "" "" "engine" "inline"
cpu_rows

echo
echo "From command to verdict, and memory at the most"
wait_row "sosim validate field/f1.json" "$SOSIM" validate "$ROOT/scenarios/field/f1.json"
wait_row "sosim run field/f1.json" "$SOSIM" run "$ROOT/scenarios/field/f1.json"
wait_row "sosim run boot/provisioned.json" "$SOSIM" run "$ROOT/scenarios/boot/provisioned.json"
echo
echo "A machine of which a second was run (tests/bench/machine.c)"
"$BUILD/tests/bench_machine" "$ROOT/tests/bench/green.json" |
    awk '$1 == "size" { printf "%-34s %8.0f KB\n", "snapshot", $2; next } { printf "%-34s %8.3f ms\n", $1, $2 }'
