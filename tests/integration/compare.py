#!/usr/bin/env python3
"""compare.py SIMULATOR-URL PSQL [OPTIONS]...: whether the tables of schema gorgias equal what the simulated account shows, row by row
and column by column, for the streams of '*'. Columns that a replication leaves out are not missed; volatile ones may be stale. Exit 1 when
they differ."""

import subprocess
import sys
import urllib.request

import truth


def rows_of(psql, stream):
    done = subprocess.run([*psql, "-X", "-At", "-c", f"set timezone = 'UTC'; select row_to_json(t)::text from gorgias.{stream} t", "-q"],
                          check=True, capture_output=True, encoding="utf-8")
    return [truth.loads(line) for line in done.stdout.split("\n") if line]


def main(url, psql):
    differences, count = [], 0
    streams = {stream: schema for stream, schema in sorted(truth.SCHEMAS.items()) if not schema.named_only}
    for stream, schema in streams.items():
        with urllib.request.urlopen(f"{url}/_sim/truth/{stream}") as answer:
            objects = truth.loads(answer.read().decode())
        rows = rows_of(psql, stream)
        left_out = [name for name in schema.columns if rows and name not in rows[0]]
        for name in left_out:
            del schema.columns[name]
        objects = [{name: value for name, value in object.items() if name not in left_out} for object in objects]
        differences += [f"{stream}: {line}" for line in truth.differences(stream, objects, rows, since=float("inf"))]
        count += len(objects)
    if differences:
        print("\n".join(differences[:20]))
        return 1
    print(f"All {len(streams)} tables equal the account: {count:,} objects, compared column by column.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
