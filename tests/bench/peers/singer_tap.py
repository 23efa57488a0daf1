"""The least of a Singer tap: a schema, a record for each ticket, a state."""

import http.client
import json
import os
import sys

TYPES = {bool: "boolean", int: "integer", dict: "object", list: "array"}
write = sys.stdout.write
api = http.client.HTTPConnection(os.environ["BENCH_URL"].removeprefix("http://"))
following, has_schema = "", False
while following is not None:
    api.request("GET", "/api/tickets?limit=100" + (f"&cursor={following}" if following else ""))
    page = json.loads(api.getresponse().read())
    if not has_schema:
        first = page["data"][0]
        properties = {name: {"type": [TYPES.get(type(value), "string"), "null"]} for name, value in first.items()}
        for name in properties:
            if name.endswith("_datetime"):
                properties[name]["format"] = "date-time"
        write(json.dumps({"type": "SCHEMA", "stream": "tickets", "key_properties": ["id"],
                          "schema": {"type": "object", "properties": properties}}) + "\n")
        has_schema = True
    for row in page["data"]:
        write(json.dumps({"type": "RECORD", "stream": "tickets", "record": row}) + "\n")
    following = page["meta"]["next_cursor"]
write(json.dumps({"type": "STATE", "value": {}}) + "\n")
