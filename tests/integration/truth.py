"""What a table should hold for the API's objects: a second, independent conversion, written from the schema files and
not from the C code, and the comparison of both."""

import glob
import json
import os
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLUMN = re.compile(r"^  (\w+): +\{ type: (\w+)(.*?), description: \"(.*)\" \}$")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TYPES = ("bigint", "double", "boolean", "text", "timestamptz", "jsonb")
OWN = ("_loaded_at", "_deleted_at", "_hash", "_extra")


def fields_of(text):
    """What `fields: { a: text, b: { c: bigint } }` says: types by name, and again mappings."""
    at = text.find("fields: {")
    if at < 0:
        return None
    tokens, stack = re.findall(r"\w+|[{}]", text[at + len("fields: "):]), [{}]
    name = None
    for token in tokens:
        if token == "{":
            stack.append({})
            if name:
                stack[-2][name] = stack[-1]
        elif token == "}":
            last = stack.pop()
            if len(stack) == 1:
                return last
        elif name and name not in stack[-1] and token in TYPES:
            stack[-1][name] = token
            continue
        name = token if token not in "{}" else None


class Schema:
    def __init__(self, path=None):
        self.columns, self.volatile, self.descriptions, self.fields = {}, set(), {}, {}
        if path is None:
            return
        with open(path) as file:
            text = file.read()
        self.key = re.search(r"^key: \[(\w+)", text, re.M)[1]
        self.named_only = re.search(r"^named_only: true", text, re.M) is not None
        self.walk = re.search(r"^walk: (\w+)", text, re.M)[1]
        for line in text.split("columns:\n")[1].splitlines():
            match = COLUMN.match(line)
            if not match:
                raise ValueError(f"{path}: {line}")   # the pattern has to follow if the files change their form
            name, self.columns[name], more, self.descriptions[name] = match[1], match[2], match[3], match[4]
            if "volatile: true" in more:
                self.volatile.add(name)
            if fields_of(more):
                self.fields[name] = fields_of(more)

    def flattened(self, levels):
        """The schema of a table whose nested values are flattened so many levels."""
        flat = Schema()
        flat.key, flat.walk, flat.volatile = self.key, self.walk, self.volatile

        def put(name, kind, fields, level):
            if fields and level:
                for field, inner in fields.items():
                    nested = isinstance(inner, dict)
                    put(f"{name}__{field}", "jsonb" if nested else inner, inner if nested else None, level - 1)
            else:
                flat.columns[name] = kind
        for name, kind in self.columns.items():
            put(name, kind, self.fields.get(name), levels)
        return flat

    def flatten(self, object, levels):
        """The API's object with the fields of nested values in their place, for expected()."""
        flat = {}

        def put(name, value, fields, level):
            if fields and level and isinstance(value, dict):
                for field, inner in value.items():
                    put(f"{name}__{field}", inner, fields.get(field) if isinstance(fields.get(field), dict) else None, level - 1)
            elif not (fields and level and value is None):
                flat[name] = value
        for name, value in object.items():
            put(name, value, self.fields.get(name), levels)
        return flat


SCHEMAS = {os.path.basename(path)[:-5]: Schema(path) for path in glob.glob(os.path.join(ROOT, "schemas", "*.yaml"))}


def loads(text):
    """JSON with every number as a Decimal, so that 9007199254740993 stays what it is."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def key_of(stream):
    return SCHEMAS[stream].key if stream in SCHEMAS else "id"


# -- expected values

def storable(text):
    """What PostgreSQL cannot hold in a text becomes U+FFFD."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def dumps(value):
    """JSON as the simulator writes it: no spaces, ASCII only."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def as_bigint(value):
    if isinstance(value, str):
        if not re.fullmatch(r"-?\d+", value):
            return None
        value = Decimal(value)
    if not isinstance(value, Decimal) or value != value.to_integral_value() or not -2 ** 63 <= value < 2 ** 63:
        return None
    return int(value)


def as_double(value):
    """As a Decimal, which psql's JSON comes as, too."""
    return Decimal(repr(float(value))) if isinstance(value, (Decimal, str)) else None


def as_boolean(value):
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else value if isinstance(value, bool) else None


def as_text(value):
    return storable(value) if isinstance(value, str) else dumps(value)


def as_timestamptz(value):
    """Microseconds since 1970, or None."""
    if not isinstance(value, str):
        return None
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)?", value)
    if not match:
        return None
    *numbers, fraction, zone = match.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=timezone.utc)
    except ValueError:
        return None
    us = (moment - EPOCH) // timedelta(microseconds=1) + int((fraction or "").ljust(6, "0"))
    if zone and zone != "Z":
        us -= int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[4:6])) * 60_000_000
    return us


def as_jsonb(value):
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [as_jsonb(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): as_jsonb(item) for name, item in value.items()}
    return value


AS = {"bigint": as_bigint, "double": as_double, "boolean": as_boolean, "text": as_text, "timestamptz": as_timestamptz, "jsonb": as_jsonb}


def expected(schema, object):
    """The row for an object, without the columns that are not the API's."""
    row = {name: None if object.get(name) is None else AS[kind](object[name]) for name, kind in schema.columns.items()}
    extra = {name: value for name, value in object.items() if name not in schema.columns}
    row["_extra"] = as_jsonb(extra) if extra else None
    return row


# -- the rows as psql shows them

def found(schema, row):
    """A row that came as JSON, in the same form as expected()."""
    result = {}
    for name, value in row.items():
        kind = schema.columns.get(name)
        if value is not None and kind == "bigint":
            value = int(value)
        elif value is not None and (kind == "timestamptz" or name in ("_loaded_at", "_deleted_at")):
            value = as_timestamptz(value)
        result[name] = value
    return result


def short(value):
    text = repr(value)
    return text if len(text) < 160 else text[:80] + " ... " + text[-70:]


def same(a, b):
    """Equality in which True is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def differences(stream, objects, rows, since=None, levels=0):
    """What differs between the source and the table, as lines of text. A volatile column may differ only in a row that was last written
    before `since` (seconds since 1970). `levels` of nested values are columns of their own."""
    lines = []
    objects = [SCHEMAS[stream].flatten(object, levels) for object in objects]
    schema = SCHEMAS[stream].flattened(levels)
    want = {row[schema.key]: row for row in (expected(schema, object) for object in objects)}
    have = {}
    for row in rows:
        row = found(schema, row)
        if row["_deleted_at"] is not None:
            continue
        if row[schema.key] in have:
            lines.append(f"{row[schema.key]}: twice in the table")
        have[row[schema.key]] = row
    for name in [*schema.columns, *OWN]:
        if rows and name not in rows[0]:
            lines.append(f"no column {name}")
    if lines:
        return lines
    lines += [f"{key}: missing in the table" for key in want if key not in have]
    lines += [f"{key}: in the table, but not at the source" for key in have if key not in want]
    for key in want.keys() & have.keys():
        row = have[key]
        for name, value in want[key].items():
            stale = since is not None and name in schema.volatile and row["_loaded_at"] < since * 1_000_000
            if not same(value, row[name]) and not stale:
                lines.append(f"{key}.{name}: {short(row[name])} in the table, {short(value)} at the source")
        if row["_loaded_at"] is None or row["_hash"] is None:
            lines.append(f"{key}: _loaded_at or _hash is null")
    return lines
