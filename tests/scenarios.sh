# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by run.sh: runs scenarios, and looks at each result from all sides.

GOLDEN=$ROOT/tests/golden
# Scenarios run again with the loops run that are elided otherwise, and these also with nobody watching and without
# any trick of speed, to see that nothing changes. For the long ones, of field/, usb/ and sweep/, there is no time each
# time: SLOW_AGAIN=all runs every one without any trick.
SAME_AGAIN=(boot/blank-external-flash boot/provisioned boot/softdevice-missing boot/mode-held-3s field/f1 interrupted-ota)

# Every way to start, and the field case, has its own story with each published version.
every_version()
{
    find "$ROOT/scenarios/boot" "$ROOT/scenarios/field/f1.json" -name '*.json' | sort
}

scenario_files()
{
    find "$ROOT/scenarios" -name '*.json' ! -name '*.schema.json' | sort
}

published_versions()
{
    "$SOSIM" images list | awk '{ print $2 }' | uniq
}

# The name of a scenario's file within scenarios/, with no slash: field/f1.json is field-f1.
flat_name()
{
    local name=${1#"$ROOT/scenarios/"}
    name=${name%.json}
    printf '%s\n' "${name//\//-}"
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

keep_or_compare_golden()
{
    local golden=$GOLDEN/$1.txt result=$2
    if [[ -n $UPDATE ]]; then
        python3 "$ROOT/tests/golden.py" write "$golden" "$result"
    elif [[ ! -e $golden ]]; then
        echo "$golden is missing; tests/run.sh --update writes it"
        return 1
    else
        python3 "$ROOT/tests/golden.py" compare "$golden" "$result"
    fi
}

same_trace()
{
    [[ -n $(trace_of "$1") && $(trace_of "$1") == "$(trace_of "$2")" ]]
}

# A scenario as it is: its expectations, all outputs, the golden.
try_scenario()
{
    local file=$1 name out
    local -i passed=0 failed=0
    name=$(flat_name "$file")
    out=$WORK/scenario-$name
    mkdir "$out"
    one "its expectations" \
        "$SOSIM" run "$file" --json "$out/result.json" --junit "$out/junit.xml" --vcd "$out/lamps.vcd" >"$out/text"
    sed -n '1,/^$/p; /NOT MET/p' "$out/text"
    one "the golden timeline" keep_or_compare_golden "$name" "$out/result.json"
    if [[ -z $UPDATE ]]; then
        one "the schema of result.json" \
            python3 "$ROOT/tests/check_schema.py" "$ROOT/emu/report/result.schema.json" "$out/result.json"
        one "JUnit is XML" xmllint --noout "$out/junit.xml"
    fi
    echo "tested $passed $failed"
    ((failed == 0))
}

# A scenario with the modules of another version: only what the device does then, not what it should do.
try_version()
{
    local file=$1 version=$2 name out code=0
    local -i passed=0 failed=0
    name=$(flat_name "$file")@$version
    out=$WORK/scenario-$name
    mkdir "$out"
    "$SOSIM" run "$file" --modules-version "$version" --json "$out/result.json" >"$out/text" || code=$?
    head -n 1 "$out/text"
    # A story that waits for what this version never shows ends at its limit.
    one "the run comes to an end" grep -q -x '[014]' <<<"$code"
    one "the golden timeline" keep_or_compare_golden "$name" "$out/result.json"
    echo "tested $passed $failed"
    ((failed == 0))
}

try_again()
{
    local file=$1 out=$WORK/again-$2
    local -i passed=0 failed=0
    mkdir "$out"
    "$SOSIM" run "$file" --json "$out/result.json" --vcd "$out/lamps.vcd" --trace >"$out/watched" 2>"$out/trace"
    "$SOSIM" run "$file" >"$out/alone"
    "$SOSIM" run "$file" --slow >"$out/slow"
    one "the same trace with no observer" same_trace "$out/watched" "$out/alone"
    one "the same trace without tricks" same_trace "$out/watched" "$out/slow"
    echo "tested $passed $failed"
    ((failed == 0))
}

# The trace covers every signal with its cycle and all memories; what is told of them must be the same, too.
try_elided()
{
    local file=$1 out=$WORK/elided-$2
    local -a without=(--no-short-hooks --no-spin-skip --no-replay)
    local -i passed=0 failed=0
    mkdir "$out"
    [[ ${SLOW_AGAIN-} == all ]] && without=(--slow)
    "$SOSIM" run "$file" --json "$out/elided.json" >"$out/elided"
    "$SOSIM" run "$file" --json "$out/run.json" "${without[@]}" >"$out/run"
    one "the same trace with ${without[*]}" same_trace "$out/elided" "$out/run"
    one "the same result with ${without[*]}" diff <(grep -v '"wall_ms"' "$out/elided.json") \
        <(grep -v '"wall_ms"' "$out/run.json")
    echo "tested $passed $failed"
    ((failed == 0))
}

# A golden that no scenario has any more, or one that could not fail, is worse than none.
check_goldens()
{
    local file golden bad=0 known
    known=$(scenario_files | while read -r file; do flat_name "$file"; done)
    for golden in "$GOLDEN"/*.txt; do
        python3 "$ROOT/tests/golden.py" self-test "$golden" || bad=1
        file=${golden##*/}
        file=${file%.txt}
        if ! grep -q -x -F "${file%@*}" <<<"$known"; then
            echo "$golden belongs to no scenario"
            bad=1
        fi
    done
    return "$bad"
}

check_scenarios()
{
    local file files=() more=("$ROOT"/tests/*/*.json) version name
    readarray -t files < <(scenario_files)
    if [[ -z $UPDATE ]]; then
        check validate "$SOSIM" validate "${files[@]}" "${more[@]}"
        check scenario-schema "$ROOT/tests/check_schema.py" "$ROOT/scenarios/scenario.schema.json" \
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
    if [[ -z $UPDATE ]]; then
        for file in "${SAME_AGAIN[@]}"; do
            check "again-${file//\//-}" try_again "$ROOT/scenarios/$file.json" "${file//\//-}"
        done
        for file in "${files[@]}"; do
            name=${file#"$ROOT/scenarios/"}
            if [[ ${SLOW_AGAIN-} == all ||
                $name != @(field|usb|sweep)/* && " ${SAME_AGAIN[*]} " != *" ${name%.json} "* ]]; then
                check "elided-$(flat_name "$file")" try_elided "$file" "$(flat_name "$file")"
            fi
        done
        check bootloader-system-matrix "$ROOT/tests/matrix.py" "$SOSIM"
    else
        check bootloader-system-matrix "$ROOT/tests/matrix.py" "$SOSIM" --update
    fi
    finish_checks
}
