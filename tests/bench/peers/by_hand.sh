#!/usr/bin/env bash
# What one would write in an hour: curl for each page, jq to CSV, psql's \copy for all of it.
set -euo pipefail
q() { psql -XAtq -v ON_ERROR_STOP=1 -d "$BENCH_DATABASE" "$@"; }
columns=$(q -c "select json_agg(column_name order by ordinal_position) from information_schema.columns
  where table_schema = 'hand' and table_name = 'tickets'")
page=$(mktemp)
trap 'rm -f "$page"' EXIT
pages() {
  local next=''
  while [ "$next" != null ]; do
    curl -sSf -o "$page" "$BENCH_URL/api/tickets?limit=100${next:+&cursor=$next}"
    jq -r --argjson columns "$columns" '.data[] as $row
      | [$columns[] | $row[.] | if type == "object" or type == "array" then tojson else . end] | @csv' "$page"
    next=$(jq -r .meta.next_cursor "$page")
  done
}
pages | q -c '\copy hand.tickets from stdin with (format csv)'
