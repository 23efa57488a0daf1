"""Where a run can be hurt: the client's messages, each with the phase and the kind of script that it belongs to.

The program's debug log says which stream is in which phase and when a script begins; scripts begin in the order in which the proxy sees
their BEGIN pass. So the two can be laid side by side without either knowing of the other."""

import json
import random

# What a script is, by a part of its SQL; the first that is found. `begin` is told by the phase alone.
KINDS = (
    ("begin", '.runs (replication'),
    ("close", '.stream_runs as r'),
    ("scan-begin", 'default values'),
    ("scan-finish", 'drop table "_gorgias_replicate"."scan_'),
    ("scan-check", 'create unlogged table'),
    ("scan-page", 'copy "_gorgias_replicate"."scan_'),
    ("settle", 'order by seq limit'),
    ("drain-sets", '"pg_temp"."set_'),
    ("drain-objects", '.queue as q using unnest($2::bigint[], $3::bigint[])'),
    ("page", 'with latest as'),
    ("fill", 'copy "gorgias".'),
)
# Every phase of `gorgias-replicate reference phases` with what is committed in it; "done" commits nothing. What goes before the
# phases (login, tables of state, locks, the run's row) and after them (the run's totals) is hit as well.
EXPECTED = {("start", ""), ("start", "begin"), ("open", ""), ("walk", "page"), ("walk", "fill"), ("walk", "scan-begin"), ("finish", "scan-check"),
            ("finish", "scan-finish"), ("settle", "settle"), ("drain", "drain-sets"), ("drain", "drain-objects"),
            ("close", "close"), ("end", "")}
# Until the server has got one of these, nothing that the messages before it say has been done.
EXECUTES = ("E", "Q", "d", "c", "S", "startup")


def scripts_of(log):
    """The streams and phases of a run's scripts, in the order in which they began, from its JSON log."""
    phase, scripts = {}, []
    for line in log.split("\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue   # a line that a kill has cut
        if event.get("event") == "phase":
            phase[event["stream"]] = event["to"]
        elif event.get("event") == "sql":
            scripts.append((event["stream"], phase.get(event["stream"], "open")))
    return scripts


def kind_of(texts):
    whole = "\n".join(texts)
    return next((kind for kind, sign in KINDS if sign in whole), "other")


class Point:
    """A message of a run, and what it was part of."""

    __slots__ = ("number", "type", "text", "phase", "kind", "stream", "is_begin", "is_commit")

    def __init__(self, message, phase, kind, stream, is_commit):
        self.number, self.type, self.text, self.is_begin = message.number, message.type, message.text, message.text == "begin"
        self.phase, self.kind, self.stream, self.is_commit = phase, kind, stream, is_commit

    @property
    def group(self):
        return self.phase, self.kind

    def __str__(self):
        part = "COMMIT" if self.is_commit else self.type
        return f"{self.number} ({' '.join(filter(None, (self.phase, self.stream, self.kind, part)))})"


def transactions(messages):
    """The messages of a run in runs of their own: (whether it is a script, messages)."""
    parts, current, is_script = [], [], False
    for message in messages:
        if message.text == "begin":
            parts.append((is_script, current))
            current, is_script = [], True
        current.append(message)
        if is_script and current[-1].type == "S" and any(m.text in ("commit", "rollback") for m in current):
            parts.append((is_script, current))
            current, is_script = [], False
    parts.append((is_script, current))
    return [part for part in parts if part[1]]


def points_of(messages, log):
    """All points of a run that was not disturbed."""
    scripts, points, begun = iter(scripts_of(log)), [], 0
    parts = transactions(messages)
    last = max((i for i, (is_script, _) in enumerate(parts) if is_script), default=0)
    for i, (is_script, part) in enumerate(parts):
        kind = kind_of([m.text for m in part]) if is_script else ""
        begun += is_script
        if begun == 0 or kind == "begin":
            stream, phase = "", "start"
        elif is_script:
            stream, phase = next(scripts, ("", "?"))
        else:
            stream, phase = "", "end" if i > last else "open"
        ends = False
        for m in part:
            ends = ends or m.text == "commit"
            points.append(Point(m, phase, kind, stream, ends and m.type == "E"))
    return points


def interesting(points):
    """Without the messages before which nothing has changed since the one before, and without the middle of a long COPY."""
    kept = []
    for i, point in enumerate(points):
        is_middle = point.type == "d" and 0 < i < len(points) - 1 and points[i - 1].type == points[i + 1].type == "d"
        if point.type in EXECUTES and not is_middle:
            kept.append(point)
    return kept


def sample(points, count, seed, what, groups=()):
    """`count` times a point and an action: one of each of `groups`, and the rest anywhere. Of a group whose transaction is to be done again
    (what is not "kill") its COMMIT is chosen, carried out but not confirmed: that is what a second doing has to bear."""
    luck = random.Random(seed)
    points = interesting(points)
    chosen = {}
    for group in sorted(groups):
        of_group = [point for point in points if point.group == group]
        commits = [point for point in of_group if point.is_commit]
        point = luck.choice(commits if commits and what != "kill" else of_group)
        chosen[point.number] = point, "after" if point in commits else luck.choice(("before", "after"))
    rest = [point for point in points if point.number not in chosen]
    luck.shuffle(rest)
    for point in rest[:max(0, count - len(chosen))]:
        chosen[point.number] = point, luck.choice(("before", "after"))
    return [(point, f"{what}-{when}") for _, (point, when) in sorted(chosen.items())]
