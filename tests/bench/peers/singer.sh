#!/usr/bin/env bash
# The least of a Singer tap, our own, into the Singer SDK's target-postgres, through COPY.
set -euo pipefail
config=$(mktemp)
trap 'rm -f "$config"' EXIT
python3 - "$config" <<'END'
import json, os, sys
json.dump({"sqlalchemy_url": os.environ["BENCH_TCP"].replace("postgresql:", "postgresql+psycopg:"), "default_target_schema": "singer",
           "use_copy": True, "add_record_metadata": False, "activate_version": False}, open(sys.argv[1], "w"))
END
python3 "$BENCH_PEERS/singer_tap.py" | "$BENCH_FOLDER/venv-singer/bin/target-postgres" --config "$config"
