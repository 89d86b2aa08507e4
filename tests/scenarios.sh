# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh: runs scenarios, and looks at each result from all sides.

GOLDEN=$ROOT/tests/golden
# These are run again with nobody watching and without any trick of speed, to see that nothing changes.
SAME_AGAIN=(boot/blank-external-flash boot/provisioned boot/softdevice-missing boot/mode-held-3s field/f1 interrupted-ota)
# The others are run again with the loops run that are elided otherwise. For the long ones there is no time each time:
# SLOW_AGAIN=all runs every one without any trick.
NOT_AGAIN=(field usb sweep)
LONG_MS=20000 # of virtual time
# Those that take longest are started first, so that none is left to run alone at the end.
LONGEST=(field/pair-2346-2.2.0 field/f2 field/pair-2346-2.0.1 field/f1 boot/blank-external-flash interrupted-ota
    boot/provisioned field/f1-origin-4.0.1 field/f7-origin boot/softdevice-missing field/f1-origin-cell-4.0.1)

# Every way to start, and the field case, has its own story with each published version.
every_version()
{
    find "$ROOT/scenarios/boot" "$ROOT/scenarios/field/f1.json" -name '*.json' | sort
}

scenario_files()
{
    find "$ROOT/scenarios" -name '*.json' ! -name '*.schema.json' | sort
}

sosim()
{
    timeout "$GUARD_SECONDS" "$SOSIM" "$@"
}

published_versions()
{
    sosim images list | awk '{ print $2 }' | uniq
}

# The name of a scenario's file within scenarios/, with no slash: field/f1.json is field-f1.
flat_name()
{
    local name=${1#"$ROOT/scenarios/"}
    name=${name%.json}
    printf '%s\n' "${name//\//-}"
}

# lasts_long RESULT.json
lasts_long()
{
    awk -F '[:,]' -v long="$LONG_MS" '$1 ~ /"virtual_ms"/ { ms = $2 } END { exit ms <= long }' "$1"
}

trace_of()
{
    sed -n 's/.*, trace \(0x[0-9a-f]*\)$/\1/p' "$1"
}

# one WORDS COMMAND...: a check of its own within a check; says what failed.
one()
{
    local words=$1
    shift
    if "$@"; then
        passed+=1
    else
        failed+=1
        echo "failed: $words"
    fi
}

same_trace()
{
    [[ -n $(trace_of "$1") && $(trace_of "$1") == "$(trace_of "$2")" ]]
}

same_result()
{
    diff <(grep -v '"wall_ms"' "$1") <(grep -v '"wall_ms"' "$2")
}

# Which kind of "again" a scenario is for: plain, elided, or none.
again_of()
{
    local name=${1#"$ROOT/scenarios/"}
    if [[ -n $UPDATE ]]; then
        echo none
    elif [[ " ${SAME_AGAIN[*]} " == *" ${name%.json} "* ]]; then
        echo plain
    elif [[ ${SLOW_AGAIN-} != all && " ${NOT_AGAIN[*]} " == *" ${name%%/*} "* ]]; then
        echo none
    else
        echo elided
    fi
}

# The trace covers every signal with its cycle and all memories; what is told of them must be the same, too.
again_elided()
{
    local file=$1 out=$2
    local -a without=(--no-direct-registers --no-short-hooks --no-spin-skip --no-hot-loops
                         --no-replay)
    [[ ${SLOW_AGAIN-} == all ]] && without=(--slow)
    sosim run "$file" --json "$out/run.json" "${without[@]}" >"$out/run" || true
    one "the same trace with ${without[*]}" same_trace "$out/text" "$out/run"
    one "the same result with ${without[*]}" same_result "$out/result.json" "$out/run.json"
}

again_plain()
{
    local file=$1 out=$2
    sosim run "$file" >"$out/alone" || true
    sosim run "$file" --slow --json "$out/slow.json" >"$out/slow" || true
    one "the same trace with no observer" same_trace "$out/text" "$out/alone"
    one "the same trace without tricks" same_trace "$out/text" "$out/slow"
    one "the same result without tricks" same_result "$out/result.json" "$out/slow.json"
}

# A scenario as it is: its expectations, with all outputs; then again in other ways. What it wrote is looked at by
# check_results.
try_scenario()
{
    local file=$1 name again out code=0
    local -i passed=0 failed=0
    local -a trace=()
    name=$(flat_name "$file")
    again=$(again_of "$file")
    out=$WORK/scenario-$name
    mkdir "$out"
    [[ $again == plain ]] && trace=(--trace)
    sosim run "$file" --json "$out/result.json" --junit "$out/junit.xml" --vcd "$out/lamps.vcd" "${trace[@]}" \
        >"$out/text" 2>"$out/messages" || code=$?
    one "its expectations" test "$code" -eq 0
    sed -n '1,/^$/p; /NOT MET/p' "$out/text"
    tail -n 5 "$out/messages"
    if [[ $again == elided && ${SLOW_AGAIN-} != all ]] && lasts_long "$out/result.json"; then
        again=none
    fi
    [[ $again == none ]] || "again_$again" "$file" "$out"
    echo "tested $passed $failed"
    ((failed == 0))
}

# A scenario with the modules of another version: only what the device does then, not what it should do.
try_version()
{
    local file=$1 version=$2 out code=0
    local -i passed=0 failed=0
    out=$WORK/scenario-$(flat_name "$file")@$version
    mkdir "$out"
    sosim run "$file" --modules-version "$version" --json "$out/result.json" >"$out/text" || code=$?
    head -n 1 "$out/text"
    # A story that waits for what this version never shows ends at its limit.
    one "the run comes to an end" grep -q -x '[014]' <<<"$code"
    echo "tested $passed $failed"
    ((failed == 0))
}

# A golden that no scenario has any more, or one that could not fail, is worse than none.
check_goldens()
{
    local file golden bad=0 known
    known=$(scenario_files | while read -r file; do flat_name "$file"; done)
    "$PYTHON" "$ROOT/tests/golden.py" self-test "$GOLDEN"/*.txt || bad=1
    for golden in "$GOLDEN"/*.txt; do
        file=${golden##*/}
        file=${file%.txt}
        if ! grep -q -x -F "${file%@*}" <<<"$known"; then
            echo "$golden belongs to no scenario"
            bad=1
        fi
    done
    return "$bad"
}

# What all scenarios wrote, each kind of file in one go.
check_results()
{
    local result folder pairs=()
    for folder in "$WORK"/scenario-*/; do
        folder=${folder%/}
        pairs+=("$GOLDEN/${folder##*/scenario-}.txt" "$folder/result.json")
    done
    if [[ -n $UPDATE ]]; then
        check goldens "$PYTHON" "$ROOT/tests/golden.py" write "${pairs[@]}"
        return
    fi
    check goldens "$PYTHON" "$ROOT/tests/golden.py" compare "${pairs[@]}"
    check result-schema "$PYTHON" "$ROOT/tests/check_schema.py" "$ROOT/emu/report/result.schema.json" \
        "$WORK"/scenario-*/result.json
    check junit-is-xml xmllint --noout "$WORK"/scenario-*/junit.xml
}

# The scenario files, the longest first.
longest_first()
{
    local name
    {
        for name in "${LONGEST[@]}"; do
            printf '%s\n' "$ROOT/scenarios/$name.json"
        done
        scenario_files
    } | awk '!seen[$0]++'
}

check_scenarios()
{
    local file files=() more=("$ROOT"/tests/*/*.json) version
    readarray -t files < <(longest_first)
    check bootloader-system-matrix "$PYTHON" "$ROOT/tests/matrix.py" "$SOSIM" ${UPDATE:+--update}
    if [[ -z $UPDATE ]]; then
        check validate "$SOSIM" validate "${files[@]}" "${more[@]}"
        check scenario-schema "$PYTHON" "$ROOT/tests/check_schema.py" "$ROOT/scenarios/scenario.schema.json" \
            "${files[@]}" "${more[@]}"
        check goldens-can-fail check_goldens
    fi
    for file in "${files[@]}"; do
        check "scenario-$(flat_name "$file")" try_scenario "$file"
    done
    for file in $(every_version); do
        for version in $(published_versions); do
            # That of the scenario itself was above.
            if ! grep -q "\"published\": \"$version\"}" "$file"; then
                check "scenario-$(flat_name "$file")@$version" try_version "$file" "$version"
            fi
        done
    done
}
