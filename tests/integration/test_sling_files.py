"""Sling files of every style run as they are: a first run, a second one after changes, and the rows compared with the source."""

import base64
import json
import unittest

import truth
from harness import STREAMS, Case

SLING_SOURCE = """\
{{ type: api, spec: gorgias, secrets: {{ subdomain: "mycompany", email: "sim@example.com", api_key: "sim-key" }}, \
inputs: {{ base_url: "{url}", anchor_date: "2001-01-01", rate: {{ requests: 100000, per: 1s }} }} }}"""

ACCOUNT_IN_FULL = """\
# nightly
source: GORGIAS
target: MY_POSTGRES

defaults: &defaults
  mode: full-refresh
  object: lake.{stream_name}
  source_options:
    flatten: 1
  target_options:
    column_casing: snake
    add_new_columns: true
    use_bulk: true

streams:
  '*':
  tickets: { mode: incremental, primary_key: [id], update_key: updated_datetime }
  ticket_messages:
    mode: incremental
  rules:
    disabled: true

env:
  SLING_STATE: MY_POSTGRES/sling_state.gorgias
  SLING_THREADS: 3
  SLING_RETRIES: 2
"""

SHOUTED = """\
source: gorgias
target: my_postgres
defaults:
  mode: incremental
  object: 'LAKE.GORGIAS_{stream_name}'
  primary_key: ID
  source_options: { flatten: true }
  target_options: { column_casing: upper }
streams:
  events:
  tickets:
  ticket_messages:
    target_options:
      table_keys:
        index: [ [TICKET_ID, CREATED_DATETIME], [SENDER__EMAIL] ]
  customers:
  tags: { mode: full-refresh }
"""

CAMELS = """\
source: GORGIAS
target: MY_POSTGRES
defaults:
  mode: incremental
  object: lake.{stream_name}
  target_options:
    column_casing: camel
    table_keys: { primary: [id] }
streams:
  events:
  tickets:
    update_key: updatedDatetime
    source_options: { flatten: 1 }
    select: ['*', -excerpt, 'customer__email as CustomerMail', '-assignee_team__*']
    target_options:
      table_keys:
        unique: [ [id, updatedDatetime] ]
        index: [ CustomerMail ]
  ticket_messages:
    select: [ '*', '-body_*', -headers ]
"""

COLUMNS = """\
source: GORGIAS
target: MY_POSTGRES
defaults:
  object: lake.{stream_name}
  columns: { usage: string, created_datetime: 'datetime' }
streams:
  tags:
    columns: { +name: 'string(200) | value_len < 255', +usage: ~ }
  users:
    columns:
      - name: email
        type: varchar(100)
      - { timezone: string }
      - "language: text"
    select: ['@columns', 'role__name as role']
  tickets:
    mode: incremental
    select: [ID, Subject, 'created_*', customer__email, 'assignee_user__name as agent']
    columns: { meta__campaign: bigint, tags: json }
  views: { select: 'id, name, order_*' }
"""

SQL = """\
source: GORGIAS
target: MY_POSTGRES
defaults:
  object: '{LAKE}.{stream_name}_{YYYY}'
  target_options:
    pre_sql: create schema if not exists {LAKE}; create table if not exists {LAKE}.log (line text)
    post_sql: |
      insert into {LAKE}.log select '{stream_name} {"a": 1} {env.WHO} ' || count(*) from {object_full_name};
streams:
  tags: { id: labels, source_options: { limit: {SOME} } }
  'u*': { mode: '{HOW}', target_options: { batch_limit: 5 } }
env:
  LAKE: ${LAKE_NAME}
  HOW: full-refresh
  SOME: 3
  WHO: $SOMEBODY
"""

RANGES = """\
source: GORGIAS
target: MY_POSTGRES
defaults: { object: 'lake.{stream_name}', mode: backfill, primary_key: [id] }
streams:
  events:
    update_key: created_datetime
    source_options: { range: '2001-01-01,2100-01-01', limit: 50 }
"""

UNSUPPORTED = """\
source: GORGIAS
target: MY_POSTGRES
hooks:
  start: [ { type: log, message: began } ]
defaults:
  object: lake.{stream_name}
  where: id > 5
  transforms: [ trim_space ]
  source_options: { jmespath: x, empty_as_null: true, chunk_size: 5, header: true }
  target_options: { merge_strategy: delete_insert, isolation_level: serializable, use_bulk: false, adjust_column_type: true,
                    table_tmp: x_tmp, direct_insert: true }
streams:
  tags:
    sql: select 1
    schedule: '0 * * * *'
    hooks: { post: [ { type: query } ] }
  users:
    files: [ a ]
env:
  SLING_EXEC_ID_COLUMN: true
  SLING_RETRIES: 3
  SLING_LOGGING: JSON
"""

WITH_TAGS = """\
source: GORGIAS
target: MY_POSTGRES
defaults: { object: 'lake.{stream_name}', tags: [small] }
streams:
  'ta[gx]s': { mode: truncate, tags: [] }
  '*': ~
  tickets: { tags: [large], mode: incremental }
  ticket_messages: { disabled: true }
"""

LOADED_AT = """\
source: GORGIAS
target: MY_POSTGRES
defaults: { object: 'lake.{stream_name}', mode: incremental }
streams: { tickets: , tags: { mode: %s } }
env: { SLING_LOADED_AT_COLUMN: %s }
"""


def camel(name):
    first, *more = [part for part in name.split("_") if part]
    return first + "".join(part[0].upper() + part[1:] for part in more)


class SlingFiles(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=131, tickets=40, customers=20)
        self.env = {"GORGIAS": SLING_SOURCE.format(url=self.sim.url), "MY_POSTGRES": self.database.url()}

    def file(self, text):
        return self.write("sling.yaml", text)

    def run_file(self, text, *options, env=None, **more):
        return self.run_replication(self.file(text), *options, env={**self.env, **(env or {})}, **more)

    def twice(self, text, env=None):
        """Validated, planned, run, run again: the second time nothing is written anew."""
        for command in (("validate",), ("run", "--dry-run")):
            result = self.command(command[0], self.file(text), *command[1:], env={**self.env, **(env or {})})
            self.assertEqual(0, result.code, str(result))
        first = self.run_file(text, env=env)
        second = self.run_file(text, env=env)
        for stream in second.summary["streams"]:
            self.assertEqual((0, 0, 0), (stream["inserted"], stream["updated"], stream["deleted"]), stream)
        return first

    def assert_is_source(self, stream, table, levels=0, named=lambda name: name, result=None):
        since = None if result is None else result.began - 0.001
        objects = truth.loads(self.sim.truth_bytes(stream).decode())
        columns = {named(name): name for name in truth.SCHEMAS[stream].flattened(levels).columns}
        rows = [{columns.get(name, name): value for name, value in row.items()}
                for row in self.database.rows(f"select * from {table}")]
        self.assertEqual([], truth.differences(stream, objects, rows, since, levels=levels)[:8])
        self.assertEqual(len(objects), sum(row["_deleted_at"] is None for row in rows))

    def columns(self, table):
        schema, name = table.split(".")
        return self.database.column("select column_name from information_schema.columns where table_name = "
                                    f"'{name}' and table_schema = '{schema}' order by ordinal_position")

    def type(self, table, column):
        return self.database.value(f"select format_type(atttypid, atttypmod) from pg_attribute where attrelid = '{table}'::regclass"
                                   f" and attname = '{column}'")

    # -- whole accounts

    def test_flattened(self):
        self.twice(ACCOUNT_IN_FULL)
        streams = [stream for stream in STREAMS if stream != "rules"]
        for stream in streams:
            self.assert_is_source(stream, f"lake.{stream}", levels=1)
        self.assertNotIn("rules", self.database.column("select table_name from information_schema.tables where table_schema = 'lake'"))
        self.assertNotIn("customer", self.columns("lake.tickets"))
        self.assertEqual("bigint", self.type("lake.tickets", "customer__id"))
        self.assertEqual("jsonb", self.type("lake.tickets", "tags"))
        self.sim.random_changes(80, seed=5, over="2h")
        last = self.run_file(ACCOUNT_IN_FULL)
        for stream in ("tickets", "ticket_messages", "users", "tags"):
            self.assert_is_source(stream, f"lake.{stream}", levels=1, result=last)

    def test_flatten_is_switched_on_and_off(self):
        nested = ACCOUNT_IN_FULL.replace("flatten: 1", "flatten: 0")
        options = ("--full-refresh", "--streams", "tickets,users,account")
        self.run_file(nested, *options)
        self.run_file(ACCOUNT_IN_FULL, *options)
        for stream in ("users", "account", "tickets"):
            self.assert_is_source(stream, f"lake.{stream}", levels=1)
        self.run_file(nested, *options)
        self.sim.random_changes(40, seed=9, over="2h")
        last = self.run_file(nested, *options)
        for stream in ("users", "account", "tickets"):
            self.assert_is_source(stream, f"lake.{stream}", result=last)

    def test_upper_case_and_all_levels(self):
        self.twice(SHOUTED)
        self.sim.random_changes(80, seed=6, over="2h")
        self.sim.mutate("ticket_merge")
        last = self.run_file(SHOUTED)
        for stream in ("events", "tickets", "ticket_messages", "tags"):
            self.assert_is_source(stream, f"lake.gorgias_{stream}", 9, str.upper, last)
        self.assertIn("SOURCE__FROM__ADDRESS", self.columns("lake.gorgias_ticket_messages"))
        indexes = self.database.column("select indexdef from pg_indexes where tablename = 'gorgias_ticket_messages'")
        for columns in ('("ID")', '("TICKET_ID", "CREATED_DATETIME")', '("SENDER__EMAIL")'):
            self.assertTrue(any(index.endswith(columns) for index in indexes), indexes)
        audit = self.command("audit", self.file(SHOUTED), env=self.env)
        self.assertEqual(0, audit.code, str(audit))

    def test_camel_case(self):
        self.twice(CAMELS)
        self.sim.random_changes(80, seed=7, over="2h")
        self.run_file(CAMELS)
        self.assert_is_source("events", "lake.events", 0, camel)
        tickets = {ticket["id"]: ticket for ticket in self.sim.truth("tickets")}
        rows = self.database.rows('select id, "customerId", "CustomerMail", "messagesCount", subject from lake.tickets where _deleted_at is null')
        self.assertEqual(len(tickets), len(rows))
        for row in rows:
            ticket = tickets[int(row["id"])]
            customer = ticket["customer"] or {}
            self.assertEqual((customer.get("id"), customer.get("email"), ticket["messages_count"]),
                             (row["customerId"], row["CustomerMail"], row["messagesCount"]))
        columns = self.columns("lake.tickets")
        self.assertFalse({"excerpt", "assigneeTeamId", "customerEmail"} & set(columns), columns)
        self.assertNotIn("bodyText", self.columns("lake.ticket_messages"))
        self.assertEqual(len(self.sim.truth("ticket_messages")),
                         self.database.value("select count(*) from lake.ticket_messages where _deleted_at is null"))
        audit = self.command("audit", self.file(CAMELS), env=self.env)
        self.assertEqual(0, audit.code, str(audit))

    # -- columns

    def test_columns_of_every_form(self):
        first = self.twice(COLUMNS)
        self.assertIn('stream "tags": the constraint "value_len < 255" is not checked', first.stderr)
        own = list(truth.OWN)
        self.assertEqual(["id", "email", "language", "timezone", "role", *own], self.columns("lake.users"))
        self.assertEqual(["id", "subject", "messages_count", "created_datetime", "updated_datetime", "customer__email", "agent",
                          *own], self.columns("lake.tickets"))
        self.assertEqual(["id", "name", "order_by", "order_dir", *own], self.columns("lake.views"))
        self.assertEqual("bigint", self.type("lake.tags", "usage"))
        agents = {ticket["id"]: (ticket["assignee_user"] or {}).get("name") for ticket in self.sim.truth("tickets")}
        self.assertEqual(agents, {int(row["id"]): row["agent"] for row in self.database.rows("select id, agent from lake.tickets")})

    # -- SQL, variables, ranges

    def test_sql_and_variables(self):
        env = {"LAKE_NAME": "lake", "SOMEBODY": "me"}
        result = self.run_file(SQL, env=env)
        self.assertEqual(0, result.code)
        year = self.database.value("select to_char(now() at time zone 'UTC', 'YYYY')")
        self.assertEqual([f'tags {{"a": 1}} me 3', f'users {{"a": 1}} me {len(self.sim.truth("users"))}'],
                         self.database.column("select line from lake.log order by line"))
        self.assertEqual(3, self.database.value(f'select count(*) from lake."tags_{year}"'))
        self.run_file(SQL, "--env", "SOME=2", "--env", "LAKE=pond", "--streams", "labels", env=env)
        self.assertEqual(2, self.database.value(f'select count(*) from pond."tags_{year}"'))

    def test_a_backfill(self):
        self.run_file(RANGES)
        self.assertLessEqual(50, self.database.value("select count(*) from lake.events"))
        self.assertIsNone(self.database.value("select max(bookmark) from _gorgias_replicate.streams"))

    # -- settings

    def test_loaded_at(self):
        self.twice(LOADED_AT % ("full-refresh", "true"))
        self.assertEqual(0, self.database.value("select count(*) from lake.tickets where _sling_loaded_at"
                                                " is distinct from floor(extract(epoch from _loaded_at))::bigint"))
        self.sim.random_changes(20, seed=8, over="2h")
        self.run_file(LOADED_AT % ("truncate", "timestamp"))   # the table has the column already, and keeps it as it is
        self.assertEqual("bigint", self.type("lake.tickets", "_sling_loaded_at"))

    def test_loaded_at_is_added_to_a_table(self):
        self.run_file(LOADED_AT % ("snapshot", "false"))
        self.assertNotIn("_sling_loaded_at", self.columns("lake.tickets"))
        result = self.run_file(LOADED_AT % ("snapshot", "timestamp"))
        self.assertEqual("timestamp with time zone", self.type("lake.tickets", "_sling_loaded_at"))
        self.assertEqual(0, self.database.value("select count(*) from lake.tickets where _sling_loaded_at is distinct from _loaded_at"))
        self.assertEqual(0, result.stream("tickets")["updated"])

    def test_settings_of_the_process(self):
        result = self.run_file(LOADED_AT.replace("env:", "#").replace("%s", "snapshot"), env={"SLING_LIMIT": "7", "SLING_STATE": "my_postgres/st",
                                                                    "SLING_LOADED_AT_COLUMN": "unix", "SLING_THREADS": "1"})
        self.assertEqual(7, result.stream("tags")["inserted"])
        self.assertEqual("bigint", self.type("lake.tags", "_sling_loaded_at"))
        self.assertEqual(1, self.database.value("select count(*) from st.runs"))
        self.database.do("drop schema lake cascade; drop schema st cascade")
        dry = self.command("run", self.file(LOADED_AT % ("snapshot", "true")), env={**self.env, "SLING_DRY_RUN": "true"})
        self.assertEqual(0, dry.code, str(dry))
        self.assertEqual(0, self.database.value("select count(*) from pg_namespace where nspname = 'lake'"))

    def test_a_timeout_stops_in_good_order(self):
        self.sim.add_faults({"match": "/api/tags", "times": "forever", "fault": "429", "args": {"retry_after": 60}})
        for minutes, options in (("0.03", ()), ("60", ("--max-duration", "2s"))):   # the option comes first
            with self.subTest(minutes=minutes):
                result = self.command("run", self.file(WITH_TAGS), *options, "--streams", "tags", env={**self.env, "SLING_TIMEOUT": minutes})
                self.assertEqual(6, result.code, str(result))

    def test_what_is_not_supported_is_named(self):
        result = self.run_file(UNSUPPORTED)
        for key in ("hooks", "where", "transforms", "jmespath", "empty_as_null", "chunk_size", "header", "merge_strategy", "isolation_level",
                    "use_bulk", "adjust_column_type", "table_tmp", "direct_insert"):
            self.assertRegex(result.stderr, rf'sling.yaml:\d+:\d+: "{key}" has no effect here: \w')
        for stream, key in (("tags", "sql"), ("tags", "schedule"), ("tags", "hooks"), ("users", "files")):
            self.assertRegex(result.stderr, rf'sling.yaml:\d+:\d+: stream "{stream}": "{key}" has no effect here: \w')
        for name in ("SLING_EXEC_ID_COLUMN", "SLING_RETRIES", "SLING_LOGGING"):
            self.assertRegex(result.stderr, rf"sling.yaml:\d+:\d+: {name} has no effect here: \w")
        self.assert_is_source("tags", "lake.tags")

    def test_a_typing_error_is_none_of_sling_s_keys(self):
        result = self.command("validate", self.file(UNSUPPORTED.replace("use_bulk", "use_blk").replace("where", "object_")), env=self.env)
        self.assertEqual(2, result.code)
        self.assertRegex(result.stderr, r'sling.yaml:7:3: unknown key "object_" \(did you mean "object"\?\)')

    def test_wildcards_and_tags(self):
        self.run_file(WITH_TAGS, "--streams", "tag:large")
        self.assertEqual(["tickets"], self.database.column("select stream from _gorgias_replicate.streams order by 1"))
        self.run_file(WITH_TAGS)
        tables = self.database.column("select table_name from information_schema.tables where table_schema = 'lake'")
        self.assertEqual(set(STREAMS) - {"ticket_messages"}, set(tables))
        self.assertEqual("truncate", self.database.value("select mode from _gorgias_replicate.stream_runs where stream = 'tags'"))

    # -- connections

    def test_env_yaml(self):
        env = {"SLING_HOME_DIR": self.folder, "PG_URL": self.database.url()}
        self.write("env.yaml", "connections:\n  gorgias: " + self.env["GORGIAS"] + "\n  My_Postgres: $PG_URL\n\nvariables: {}\n")
        self.run_replication(self.file(WITH_TAGS), "--streams", "tags", env=env)
        self.assert_is_source("tags", "lake.tags")

    def test_env_yaml_in_a_variable_and_keys_of_every_name(self):
        socket, name = self.database.server.place, self.database.name
        for number, target in enumerate(({"type": "postgres", "host": socket, "user": "postgres", "database": name, "port": 5432, "schema": "s0"},
                                         {"type": "postgresql", "host": socket, "username": "postgres", "dbname": name, "sslmode": "disable"},
                                         {"type": "postgres", "url": self.database.url(), "schema": "s2"},
                                         {"url": self.database.url()})):
            with self.subTest(target=target):
                text = WITH_TAGS.replace("lake.", f"lake{number}.")
                source = json.dumps({"type": "api", "spec": "gorgias", "secrets": '{"subdomain": "m", "email": "sim@example.com", "api_key": "sim-key"}',
                                     "inputs": {"base_url": self.sim.url, "anchor_date": "2001-01-01"}})
                whole = json.dumps({"connections": {"GORGIAS": json.loads(source), "MY_POSTGRES": target}})
                self.run_replication(self.file(text), "--streams", "tags", env={"SLING_ENV_YAML": whole})
                self.assert_is_source("tags", f"lake{number}.tags")

    def test_base64(self):
        env = {name: base64.b64encode(value.encode()).decode() for name, value in self.env.items()}
        self.run_replication(self.file(WITH_TAGS), "--streams", "tags", env=env)
        self.assert_is_source("tags", "lake.tags")


if __name__ == "__main__":
    unittest.main()
