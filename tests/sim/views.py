"""The filters of views, as far as they are needed: comparisons of a ticket's fields with constants, joined by &&."""

import re

import clock

_CLAUSE = re.compile(r"(eq|neq|gt|gte|lt|lte)\(ticket\.([a-z_.]+),\s*(?:'([^']*)'|(true|false|null|-?\d+))\)")


def matcher(filters):
    """A predicate for rows. ValueError for a filter that is not understood."""
    clauses = []
    for part in filter(None, (part.strip() for part in (filters or "").split("&&"))):
        match = _CLAUSE.fullmatch(part)
        if not match:
            raise ValueError(f"Invalid filter: {part}")
        operator, path, text, literal = match.groups()
        wanted = text if literal is None else {"true": True, "false": False, "null": None}.get(literal, literal)
        clauses.append((operator, path.split("."), wanted))
    return lambda row: all(_holds(row, *clause) for clause in clauses)


def _holds(row, operator, path, wanted):
    value = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if operator in ("eq", "neq"):
        same = value == wanted or (isinstance(value, int) and not isinstance(value, bool) and str(value) == wanted)
        return same == (operator == "eq")
    if value is None:
        return False
    if path[-1].endswith("_datetime"):
        value, wanted = clock.parse(value), clock.parse(wanted)
    return {"gt": value > wanted, "gte": value >= wanted, "lt": value < wanted, "lte": value <= wanted}[operator]
