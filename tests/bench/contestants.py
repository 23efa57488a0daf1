"""Who takes part: ours, the floors, what people write by hand, and the peers. Each is a row of CONTESTANTS."""

import collections
import glob
import os
import shutil
import sys

from stage import HERE, Failed

PEERS = os.path.join(HERE, "peers")

# run(stage, size) -> [Took, ...], one for each name; needs(stage) -> what is missing and how to get it, or None
Contestant = collections.namedtuple("Contestant", "names stream run needs is_peer", defaults=(lambda stage: None, False))
Sizes = collections.namedtuple("Sizes", "tickets messages peer_tickets")


# -- ours

def check(database, table, rows):
    found = database.value(f"select count(*) from {table}")
    if found != rows:
        raise Failed(f"{table} holds {found} rows of {rows}")


def ours_tickets(stage, sizes):
    """A first load, and a run that reads all of it once more and finds nothing changed."""
    database, api = stage.warehouse.database(), stage.api(sizes.tickets)
    command = stage.replicate(api, database, ["tickets"])
    first = stage.measure(command, database, sizes.tickets, api)
    check(database, "gorgias.tickets", sizes.tickets)
    database.do("vacuum analyze gorgias.tickets")
    database.do("update _gorgias_replicate.streams set bookmark = '2001-01-01'")
    again = stage.measure(command, database, sizes.tickets, api)
    if again.requests < sizes.tickets / 100:
        raise Failed(f"the second run asked {again.requests} times: it did not read everything")
    database.drop()
    return [first, again]


def ours_messages(stage, sizes):
    database, api = stage.warehouse.database(), stage.messages(sizes.messages)
    took = stage.measure(stage.replicate(api, database, ["ticket_messages"]), database, sizes.messages, api)
    check(database, "gorgias.ticket_messages", sizes.messages)
    database.drop()
    return [took]


# -- the floors

def floor(table, form):
    def run(stage, sizes):
        database = stage.warehouse.database("shape")
        rows = sizes.tickets if table == "tickets" else sizes.messages
        path = os.path.join(stage.place, f"{table}.{form}")
        # Compressed as ours is, which asks its session for it: a floor that works harder is none.
        took = stage.measure(stage.psql(database, f"\\copy gorgias.{table} from '{path}' with (format {form})"), database, rows,
                             env={"PGOPTIONS": stage.compression()})
        check(database, f"gorgias.{table}", rows)
        database.drop()
        return [took]
    return run


# -- by hand, and peers

def into(table, command, template="template1", use_api=True):
    """A command that loads the tickets of an account into a table."""
    def run(stage, sizes, is_peer=False):
        rows = sizes.peer_tickets if is_peer else sizes.tickets
        database, api = stage.warehouse.database(template), stage.api(rows)
        environment = {"BENCH_URL": api.url, "BENCH_DATABASE": database.url(), "BENCH_TCP": stage.warehouse.tcp(database.name),
                       "BENCH_JSONL": os.path.join(stage.place, "tickets.jsonl"), "BENCH_FOLDER": stage.folder, "BENCH_PEERS": PEERS,
                       "NODE_PATH": os.path.join(stage.folder, "node", "node_modules"), "PYTHONDONTWRITEBYTECODE": "1"}
        took = stage.measure(command(stage), database, rows, api if use_api else None, env=environment)
        check(database, table, rows)
        database.drop()
        return [took]
    return run


def peer(*arguments, **more):
    run = into(*arguments, **more)
    return lambda stage, sizes: run(stage, sizes, is_peer=True)


def script(*words):
    return lambda stage: [word.format(folder=stage.folder, peers=PEERS, python=sys.executable) for word in words]


def programs(*names):
    missing = [name for name in names if shutil.which(name) is None]
    return f"apt-get install {' '.join(missing)}" if missing else None


def file(path, how):
    return lambda stage: None if os.path.exists(os.path.join(stage.folder, path)) else how


def node(stage):
    return programs("node", "npm") and "apt-get install nodejs npm, then scripts/bench --install" or \
        file("node/node_modules/pg-copy-streams/package.json", "scripts/bench --install (npm: pg, pg-copy-streams)")(stage)


def sling(stage):
    found = glob.glob(os.path.join(stage.folder, "venv-sling/lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
    return None if found else "scripts/bench --install (pip: sling-linux-amd64, which holds the program)"


CONTESTANTS = [
    Contestant(["ours: first load", "ours: again, none changed"], "tickets", ours_tickets),
    Contestant(["floor: \\copy binary"], "tickets", floor("tickets", "binary")),
    Contestant(["floor: \\copy text"], "tickets", floor("tickets", "text")),
    Contestant(["ours: first load"], "messages", ours_messages),
    Contestant(["floor: \\copy binary"], "messages", floor("ticket_messages", "binary")),
    Contestant(["floor: \\copy text"], "messages", floor("ticket_messages", "text")),
    Contestant(["by hand: python, psycopg2, COPY"], "tickets",
               into("hand.tickets", script("{folder}/venv-hand/bin/python", "{peers}/by_hand.py"), "shape"),
               file("venv-hand/lib", "scripts/bench --install (pip: psycopg2-binary)")),
    Contestant(["by hand: node, pg-copy-streams"], "tickets",
               into("hand.tickets", script("node", "{peers}/by_hand.js"), "shape"), node),
    Contestant(["by hand: curl, jq, psql"], "tickets", peer("hand.tickets", script("bash", "{peers}/by_hand.sh"), template="shape"),
               lambda stage: programs("curl", "jq"), True),
    Contestant(["dlt, rest_api source"], "tickets", peer("dlt.tickets", script("{folder}/venv-dlt/bin/python", "{peers}/dlt_rest.py")),
               file("venv-dlt/bin/dlt", "scripts/bench --install (pip: dlt[postgres])"), True),
    Contestant(["Singer, target-postgres"], "tickets", peer("singer.tickets", script("bash", "{peers}/singer.sh")),
               file("venv-singer/bin/target-postgres", "scripts/bench --install (pip: meltanolabs-target-postgres)"), True),
    Contestant(["Sling, JSON lines from a file"], "tickets",
               peer("sling.tickets", script("bash", "{peers}/sling.sh"), use_api=False), sling, True),
    Contestant(["ingestr"], "tickets", None, lambda stage: "no runner: its pip package fetches the program from its maker's site when "
               "it is first called, and its Gorgias source builds an address under gorgias.com, never one of this machine", True),
    Contestant(["Airbyte source-gorgias"], "tickets", None, lambda stage: "no runner: it comes as a container image, with a platform "
               "around it that takes its own containers", True),
]
