"""A shelf holds one kind of object: rows by id, a sorted index for every order, and the rendered bytes."""

import json
from bisect import bisect_left, bisect_right, insort

import clock

# Null sorts as in PostgreSQL: last ascending, first descending.
NULL_NUMBER = 1 << 62
NULL_TEXT = "\U0010ffff"

# A number that no double holds; json cannot write it, so a marked string stands in for it until the row is rendered.
HUGE = "@1e400@"


def dump(value):
    """JSON as Python's json writes it: ASCII only, so that a lone surrogate comes out as \\udXXX."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace(f'"{HUGE}"', "1e400").encode()


def sort_value(order, row):
    """What a row is sorted by. An order may name two fields ("usage,name") or a nested one ("role.name")."""
    if "," in order:
        return tuple(sort_value(field, row) for field in order.split(","))
    value = row
    for name in order.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if order.endswith("_datetime"):
        return NULL_NUMBER if value is None else clock.parse(value)
    if value is None:
        return NULL_NUMBER if order in ("priority", "usage", "order", "id") else NULL_TEXT
    return value


class Shelf:
    """Rows are dicts; a row of the seeded account is an integer from which `make(id, seed)` builds the dict when it is needed."""

    CACHE = 1 << 30   # bytes of rendered rows to keep

    def __init__(self, orders, make=None, groups=()):
        self.rows = {}
        self.make = make
        self.indexes = {order: [] for order in orders}
        self.groups = {name: None for name in groups}   # field -> {value: set of ids}, built when first asked for
        self._rendered, self._rendered_size = {}, 0
        self.top = 1000

    def __len__(self):
        return len(self.rows)

    def __contains__(self, id):
        return id in self.rows

    # -- reading

    def row(self, id):
        row = self.rows[id]
        return row if type(row) is dict else self.make(id, row)

    def data(self, id):
        """The row as JSON bytes."""
        data = self._rendered.get(id)
        if data is None:
            data = dump(self.row(id))
            if self._rendered_size > self.CACHE:
                self.forget()
            self._rendered[id] = data
            self._rendered_size += len(data)
        return data

    def forget(self):
        self._rendered, self._rendered_size = {}, 0

    def group(self, field, value):
        """The ids of the rows with this value in this field."""
        groups = self.groups[field]
        if groups is None:
            groups = self.groups[field] = {}
            for id in self.rows:
                groups.setdefault(self._group_value(field, self.row(id)), set()).add(id)
        return groups.get(value, ())

    @staticmethod
    def _group_value(field, row):
        value = row.get(field.split(".")[0])
        return value.get("id") if "." in field and isinstance(value, dict) else value

    def ids(self):
        """All ids, in the order of creation where there is one."""
        order = "created_datetime" if "created_datetime" in self.indexes else next(iter(self.indexes))
        return [id for _, id in self.indexes[order]]

    def page(self, order, descending, after, limit, *, bounds=(None, None), keep=None, ids=None):
        """Up to `limit` ids that follow the position `after`, (value, id), and whether there are more.

        O(log n + page) unless `keep` filters. `bounds` are the least and the first too great sort value.
        """
        index = self.indexes[order]
        if ids is not None:
            index = sorted((sort_value(order, self.row(id)), id) for id in ids if id in self.rows)
        low = 0 if bounds[0] is None else bisect_left(index, (bounds[0],))
        high = len(index) if bounds[1] is None else bisect_left(index, (bounds[1],))
        if after is not None:
            if descending:
                high = min(high, bisect_left(index, after))
            else:
                low = max(low, bisect_right(index, after))
        if keep is None:
            if descending:
                found = index[max(low, high - limit - 1):max(low, high)][::-1]
            else:
                found = index[low:min(high, low + limit + 1)]
        else:
            found = []
            for at in (range(high - 1, low - 1, -1) if descending else range(low, high)):
                if keep(index[at][1]):
                    found.append(index[at])
                    if len(found) > limit:
                        break
        return found[:limit], len(found) > limit

    # -- changing

    def fill(self, rows, indexes):
        """Take over a seeded population whose indexes are known: nothing is built, nothing is sorted here."""
        self.rows.update(rows)
        self.indexes.update(indexes)
        self.top = max(self.rows, default=self.top)

    def next_id(self, rng):
        """Ids grow with gaps, and are never used twice."""
        return self.top + rng.randint(1, 5)

    def add(self, row):
        id = row["id"]
        if id in self.rows:
            raise ValueError(f"id {id} exists")
        self.rows[id] = row
        self.top = max(self.top, id)
        for order, index in self.indexes.items():
            insort(index, (sort_value(order, row), id))
        for field, groups in self.groups.items():
            if groups is not None:
                groups.setdefault(self._group_value(field, row), set()).add(id)
        return row

    def remove(self, id):
        row = self.row(id)
        for order, index in self.indexes.items():
            at = bisect_left(index, (sort_value(order, row), id))
            assert index[at][1] == id, "an index has lost a row"
            del index[at]
        for field, groups in self.groups.items():
            if groups is not None:
                groups[self._group_value(field, row)].discard(id)
        del self.rows[id]
        self._rendered.pop(id, None)
        return row

    def change(self, id, fields):
        """Set fields of a row, and keep indexes, groups and rendered bytes right."""
        row = {**self.row(id), **fields}
        self.remove(id)
        return self.add(row)

    def clear(self):
        self.rows.clear()
        for index in self.indexes.values():
            index.clear()
        self.groups = {name: None for name in self.groups}
        self.forget()
