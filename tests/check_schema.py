#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_schema.py SCHEMA FILE...: is the schema one, and are the JSON files what it says?"""
import json
import sys

import jsonschema


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main(schema_path, *paths):
    schema = load(schema_path)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    bad = 0
    for path in paths:
        errors = list(kind(schema).iter_errors(load(path)))
        for error in errors:
            print(f"{path}: {error.json_path}: {error.message}")
        bad += bool(errors)
    print(f"tested {len(paths) - bad} {bad}")
    return 1 if bad or not paths else 0


sys.exit(main(*sys.argv[1:]))
