#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Golden timelines: what a run's lamps, resets and panics were, kept in tests/golden/ to notice any change.

  golden.py compare GOLDEN RESULT.json...    exit code 1 and the differences, if there are any
  golden.py write GOLDEN RESULT.json...
  golden.py self-test GOLDEN...              proves that changes to these goldens would be noticed

Each takes any number of them, as starting Python takes longer than a comparison.
A golden is text, a line an event. Times may differ by TOLERANCE_MS, so that a finer model of how long an
instruction takes does not upset every one of them; all else must be the same.
"""
import json
import os
import sys

TOLERANCE_MS = 5.0
MOST_EDGES = 400  # a breathing lamp has thousands; the phrases cover the rest


def phrase_words(phrase):
    words = [phrase["kind"]]
    if phrase["color"]:
        words.append(phrase["color"])
    if phrase["on_ms"] is not None:
        words.append(f"{round(phrase['on_ms'])}/{round(phrase['off_ms'] or 0)}")
    if phrase["kind"] in ("blink", "breathe", "sos"):
        words.append(f"x{phrase['count']}")
    if phrase["code"] is not None:
        words.append(f"code {phrase['code']}")
    if phrase["ongoing"]:
        words.append("to the end")
    return " ".join(words)


def events(result):
    """The lines of a golden: (what, time in ms, words)."""
    found = [("start", boot["t_ms"], boot["cause"]) for boot in result["boots"]]
    found += [("panic", p["t_ms"], f"{p['code']} {p['name']} in {p['stage']} at {p['pc']} from {p['lr']}")
              for p in result["panics"]]
    found += [("phrase", p["t_ms"], phrase_words(p)) for p in result["led"]["phrases"]]
    found += [("edge", e["t_ms"], f"{e['r']} {e['g']} {e['b']}") for e in result["led"]["edges"][:MOST_EDGES]]
    found.append(("end", result["virtual_ms"], result["led"]["line"] or "dark"))
    return found


def load_result(path):
    with open(path, encoding="utf-8") as file:
        return events(json.load(file))


def load_golden(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [(what, float(time), words) for what, time, words in lines]


def write_golden(path, found):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# What happened, when (ms), and what it was. tests/run.sh --update writes this anew.\n")
        for what, time, words in found:
            file.write(f"{what}\t{time:.1f}\t{words}\n")


def show(event):
    return f"{event[0]} at {event[1]:.1f} ms: {event[2]}" if event else "nothing"


def differences(golden, found):
    differ = []
    for what in dict.fromkeys(event[0] for event in golden + found):
        was = [event for event in golden if event[0] == what]
        now = [event for event in found if event[0] == what]
        for i in range(max(len(was), len(now))):
            a = was[i] if i < len(was) else None
            b = now[i] if i < len(now) else None
            if not a or not b or a[2] != b[2] or abs(a[1] - b[1]) > TOLERANCE_MS:
                differ.append(f"golden: {show(a)}\n   now: {show(b)}")
                break  # what follows differs as well, and says no more
    return differ


def self_test(golden):
    """Every event dropped, doubled, shifted or reworded must show; a shift within the tolerance must not."""
    missed = []
    for what in dict.fromkeys(event[0] for event in golden):
        # Those of other kinds make no difference.
        events_of_kind = [event for event in golden if event[0] == what]
        for i, (_, time, words) in enumerate(events_of_kind):
            for name, instead in (("dropped", []), ("doubled", [events_of_kind[i]] * 2),
                                  ("shifted", [(what, time + TOLERANCE_MS + 1, words)]),
                                  ("reworded", [(what, time, words + " too")])):
                if not differences(events_of_kind, events_of_kind[:i] + instead + events_of_kind[i + 1:]):
                    missed.append(f"{name} {show(events_of_kind[i])}")
    if differences(golden, [(what, time + TOLERANCE_MS / 2, words) for what, time, words in golden]):
        missed.append("a shift within the tolerance counts as a difference")
    return missed


def compare(golden, result):
    if not os.path.exists(golden):
        return ["it is missing; tests/run.sh --update writes it"]
    return differences(load_golden(golden), load_result(result))


def main(arguments):
    pairs = list(zip(arguments[1::2], arguments[2::2]))
    if len(arguments) > 1 and arguments[0] == "self-test":
        problems = {golden: self_test(load_golden(golden)) for golden in arguments[1:]}
    elif pairs and len(arguments) % 2 and arguments[0] == "write":
        for golden, result in pairs:
            write_golden(golden, load_result(result))
        return 0
    elif pairs and len(arguments) % 2 and arguments[0] == "compare":
        problems = {golden: compare(golden, result) for golden, result in pairs}
    else:
        print(__doc__, file=sys.stderr)
        return 2
    bad = [golden for golden in problems if problems[golden]]
    for golden in bad:
        print(f"{golden}:")
        print("\n".join(problems[golden]))
    print(f"tested {len(problems) - len(bad)} {len(bad)}")
    return 1 if bad else 0


sys.exit(main(sys.argv[1:]))
