#!/usr/bin/env bash
# Sling's part that is free of charge: JSON lines from a file into PostgreSQL. Its API sources need a paid licence.
set -euo pipefail
export WAREHOUSE=$BENCH_TCP SLING_DISABLE_TELEMETRY=true SLING_SHOW_PROGRESS=false
"$BENCH_FOLDER"/venv-sling/lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64 run --src-stream "file://$BENCH_JSONL" --src-options '{format: jsonlines, flatten: false}' \
  --tgt-conn WAREHOUSE --tgt-object sling.tickets --mode full-refresh
