/* layers: sink */
/* test_sink_pg.c - connections, scripts, tables and state against a real PostgreSQL. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "pg_cluster.h"
#include "gr/base/alloc.h"
#include "gr/sink/budget.h"
#include "gr/sink/probe.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"
#include "sink_streams.h"

#define STATE "_gorgias_replicate"
#define JAN1  "2024-01-01T00:00:00Z"
#define JAN2  "2024-01-02T00:00:00Z"

static struct gr_target admin_target;
static struct gr_pg *pg;
static struct gr_pg *admin;
static struct gr_error err;

static void
must(bool is_ok)
{
    if (!is_ok)
        fail_msg("%s: %s (%s)", gr_fault_facts(err.fault)->name, err.message, err.hint);
}

static void
check_on(struct gr_pg *on, const char *sql, const char *expected)
{
    struct gr_rows rows = {0};
    const char *value;

    must(gr_pg_query(on, sql, NULL, 0, &rows, &err));
    value = gr_rows_text(&rows, 0, 0);
    assert_string_equal(value == NULL ? "null" : value, expected);
    gr_rows_free(&rows);
}

static void
check(const char *sql, const char *expected)
{
    check_on(admin, sql, expected);
}

static void
run_sql(const char *sql)
{
    must(gr_pg_exec(admin, sql, &err));
}

static void
check_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" has no \"%s\"", text, part);
}

static int
open_both(void **state)
{
    (void)state;
    admin_target = cluster_target("postgres", "postgres");
    must(gr_pg_open(&admin_target, &pg, &err));
    must(gr_pg_open(&admin_target, &admin, &err));
    return 0;
}

static int
close_both(void **state)
{
    (void)state;
    gr_pg_close(pg);
    gr_pg_close(admin);
    return 0;
}

/* Connections. */

static void
session_is_ours(void **state)
{
    (void)state;
    assert_true(gr_pg_version(pg) >= 130000);
    check_on(pg, "select current_setting('timezone')", "UTC");
    check_on(pg, "select current_setting('search_path')", "pg_catalog");
    check_on(pg, "select current_setting('transaction_isolation')", "read committed");
    check_on(pg, "select current_setting('statement_timeout')", "0");
    check_on(pg, "select current_setting('application_name')", "gorgias-replicate");
    check_on(pg, "select '2024-07-01 12:00'::timestamptz::text", "2024-07-01 12:00:00+00");
    check_on(pg, "select 'a\\b'", "a\\b");
}

static void
check_refused(const char *user, const char *database, const char *message, const char *hint)
{
    struct gr_target target = cluster_target(user, database);
    struct gr_pg *refused = NULL;

    assert_false(gr_pg_open(&target, &refused, &err));
    assert_int_equal(err.fault, GR_FAULT_TARGET);
    check_has(err.message, "PostgreSQL at here:5432/db: ");
    check_has(err.message, message);
    check_has(err.hint, hint);
    assert_null(strstr(err.message, "LOCATION"));
}

static void
refusals_say_what_to_do(void **state)
{
    struct gr_target target;
    struct gr_pg *refused;

    (void)state;
    run_sql("create role stranger login; create role locked login password 'open-sesame'");
    check_refused("postgres", "nowhere", "SQLSTATE 3D000", "Create the database");
    check_refused("nobody_here", "postgres", "SQLSTATE 28000", "role must exist");
    check_refused("stranger", "postgres", "pg_hba.conf rejects", "pg_hba.conf");
    check_refused("locked", "postgres", "no password", "PGPASSWORD");

    target = cluster_target("locked", "postgres");
    target.keywords = (const char *[]){"dbname", NULL};
    target.values = (const char *[]){"postgresql://locked:wrong-sesame@/postgres?host=/nowhere"};
    assert_false(gr_pg_open(&target, &refused, &err));
    check_has(err.hint, "Check host");
    assert_null(strstr(err.message, "sesame"));
    target.values = (const char *[]){"postgresql://locked:open-sesame%@ /postgres"};
    assert_false(gr_pg_open(&target, &refused, &err));
    assert_null(strstr(err.message, "sesame"));
    check_has(err.hint, "%40");
}

static void
wrong_password_is_refused(void **state)
{
    struct gr_target target = cluster_target("locked", "postgres");
    struct gr_pg *refused;

    (void)state;
    target.keywords = (const char *[]){"host", "user", "dbname", "password", NULL};
    target.values = (const char *[]){cluster.folder, "locked", "postgres", "wrong-sesame", NULL};
    assert_false(gr_pg_open(&target, &refused, &err));
    check_has(err.message, "SQLSTATE 28P01");
    check_has(err.hint, "password");
    assert_null(strstr(err.message, "sesame"));
    target.values = (const char *[]){cluster.folder, "locked", "postgres", "open-sesame", NULL};
    must(gr_pg_open(&target, &refused, &err));
    gr_pg_close(refused);
}

/* A server that takes connections and says nothing. */
static int
mute_server(char *port, size_t size)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(place);
    int server = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(server, (struct sockaddr *)&place, len), 0);
    assert_int_equal(listen(server, 8), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&place, &len), 0);
    (void)snprintf(port, size, "%d", ntohs(place.sin_port));
    return server;
}

static enum gr_pg_opening
open_to_the_end(struct gr_pg *opening)
{
    enum gr_pg_opening how;

    while ((how = gr_pg_open_poll(opening, &err)) == GR_PG_OPENING) {
        bool wants_write;
        struct pollfd fd = {.fd = gr_pg_open_socket(opening, &wants_write)};

        assert_true(fd.fd >= 0);
        fd.events = wants_write ? POLLOUT : POLLIN;
        (void)poll(&fd, 1, 100);
    }
    return how;
}

static void
opening_waits_for_nobody(void **state)
{
    struct gr_target target = admin_target;
    char port[16];
    int server = mute_server(port, sizeof(port));
    struct gr_pg *opening;

    (void)state;
    must(gr_pg_open_begin(&target, "another", &opening, &err));
    assert_int_equal(open_to_the_end(opening), GR_PG_OPEN);
    check_on(opening, "select application_name from pg_stat_activity where pid = pg_backend_pid()",
             "another");
    gr_pg_close(opening);
    target.keywords = (const char *[]){"host", "port", "user", "connect_timeout", NULL};
    target.values = (const char *[]){"127.0.0.1", port, "nobody", "2", NULL};
    must(gr_pg_open_begin(&target, "another", &opening, &err));
    assert_int_equal(gr_pg_open_poll(opening, &err), GR_PG_OPENING);
    assert_int_equal(open_to_the_end(opening), GR_PG_REFUSED);
    check_has(err.message, "no connection in time");
    gr_pg_close(opening);
    /* No look waits for an answer: so many would use up the time that there is. */
    target.values = (const char *[]){"127.0.0.1", port, "nobody", "30", NULL};
    must(gr_pg_open_begin(&target, "another", &opening, &err));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(gr_pg_open_poll(opening, &err), GR_PG_OPENING);
    gr_pg_close(opening);
    target.values = (const char *[]){"127.0.0.1", port, "nobody", "2", NULL};
    (void)close(server);
    must(gr_pg_open_begin(&target, "another", &opening, &err));
    assert_int_equal(open_to_the_end(opening), GR_PG_REFUSED);
    check_has(err.message, "refused");
    gr_pg_close(opening);
}

static void
faults_follow_the_sqlstate(void **state)
{
    static const struct {
        const char *sqlstate;
        enum gr_fault fault;
    } cases[] = {
        {"42501", GR_FAULT_TARGET},   {"53100", GR_FAULT_TARGET},   {"25006", GR_FAULT_TARGET},
        {"28000", GR_FAULT_TARGET},   {"3D000", GR_FAULT_TARGET},   {"40001", GR_FAULT_CONFLICT},
        {"40P01", GR_FAULT_CONFLICT}, {"55P03", GR_FAULT_CONFLICT}, {"08006", GR_FAULT_LOST},
        {"57P01", GR_FAULT_LOST},     {"22P02", GR_FAULT_DATA},     {"23505", GR_FAULT_DATA},
        {"57014", GR_FAULT_CONFLICT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char sql[160];

        (void)snprintf(sql, sizeof(sql),
                       "do $$ begin raise 'no' using errcode = '%s', detail = 'since',"
                       " hint = 'try'; end $$",
                       cases[i].sqlstate);
        assert_false(gr_pg_exec(pg, sql, &err));
        assert_int_equal(err.fault, cases[i].fault);
        check_has(err.message, "no; since (SQLSTATE ");
    }
    check_has(err.hint, "try");
    assert_false(gr_pg_exec(pg, "begin; select 1/0", &err));
    must(gr_pg_exec(pg, "select 1", &err)); /* no transaction was left open */
    assert_false(gr_pg_exec(pg, "copy (select 1) to stdout", &err));
    assert_false(gr_pg_exec(pg, "create temp table c(i int); copy c from stdin", &err));
    must(gr_pg_exec(pg, "select 1", &err));
}

static void
rows_are_read(void **state)
{
    const char *const params[] = {"it's", NULL};
    struct gr_rows rows = {0};

    (void)state;
    must(gr_pg_query(pg, "select $1::text, $2::text, -5", params, 2, &rows, &err));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.column_count, 3);
    assert_string_equal(gr_rows_text(&rows, 0, 0), "it's");
    assert_null(gr_rows_text(&rows, 0, 1));
    assert_int_equal(gr_rows_int(&rows, 0, 1), 0);
    assert_int_equal(gr_rows_int(&rows, 0, 2), -5);
    assert_null(gr_rows_text(&rows, 1, 0));
    gr_rows_free(&rows);
}

/* Scripts. */

static int
make_numbers(void **state)
{
    (void)state;
    run_sql("drop table if exists public.numbers; create table public.numbers (n bigint)");
    return 0;
}

#define SUM "select count(*) || ' ' || coalesce(sum(n), 0) from public.numbers"

static void
put_numbers(struct gr_buf *copy, int64_t from, int64_t to)
{
    for (; from <= to; from++) {
        put_be(copy, 1, 2);
        put_int(copy, from);
    }
}

static void
scripts_commit(void **state)
{
    const char *const param[] = {"41"};
    struct gr_script *script = gr_script_new("numbers");
    struct gr_buf copy = gr_buf_new(0);
    size_t sum, begin;

    (void)state;
    put_numbers(&copy, 1, 100000);
    (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
    begin = gr_script_sql(script, "update public.numbers set n = n + 1 where n <= $1", param, 1);
    put_numbers(&copy, 5, 6);
    (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
    (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
    sum = gr_script_sql(script, "select count(*), null from public.numbers", NULL, 0);
    for (int twice = 1; twice <= 2; twice++) {
        must(gr_script_run(script, pg, &err));
        assert_int_equal(gr_script_touched(script, 0), 100000);
        assert_int_equal(gr_rows_int(gr_script_rows(script, sum), 0, 0), 100002 * twice);
        assert_true(gr_script_touched(script, begin) > 40);
    }
    gr_script_free(script);
    check("select count(*) from public.numbers", "200004");
    script = gr_script_new("nothing");
    must(gr_script_run(script, pg, &err));
    gr_script_free(script);
}

/* Wherever it fails, nothing stays, and the connection can be used. */
static void
failures_leave_nothing(void **state)
{
    static const char *const bad[] = {"select 1/0", "select from no_table",
                                      "insert into public.numbers values ('x')"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad) * 3; i++) {
        struct gr_script *script = gr_script_new("numbers: commit");
        struct gr_buf copy = gr_buf_new(0);

        put_numbers(&copy, 1, 10);
        if (i % 3 == 0)
            (void)gr_script_sql(script, bad[i / 3], NULL, 0);
        (void)gr_script_sql(script, "insert into public.numbers values (1)", NULL, 0);
        if (i % 3 == 1)
            (void)gr_script_sql(script, bad[i / 3], NULL, 0);
        (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
        (void)gr_script_sql(script, "insert into public.numbers values (2)", NULL, 0);
        if (i % 3 == 2)
            (void)gr_script_sql(script, bad[i / 3], NULL, 0);
        assert_false(gr_script_run(script, pg, &err));
        assert_int_equal(err.fault, GR_FAULT_DATA);
        check_has(err.message, "numbers: commit: ");
        gr_script_free(script);
        check_on(pg, SUM, "0 0");
    }
}

/* A constraint that is checked at COMMIT. */
static void
failing_commits_are_failures(void **state)
{
    struct gr_script *script = gr_script_new("numbers");

    (void)state;
    run_sql("create table public.once (n int unique deferrable initially deferred)");
    (void)gr_script_sql(script, "insert into public.once values (1), (1)", NULL, 0);
    assert_false(gr_script_run(script, pg, &err));
    check_has(err.message, "23505");
    gr_script_free(script);
    check_on(pg, "select count(*) from public.once", "0");
}

static void
fences_stop_all(void **state)
{
    struct gr_script *script = gr_script_new("numbers");
    struct gr_buf copy = gr_buf_new(0);

    (void)state;
    put_numbers(&copy, 1, 10);
    (void)gr_script_sql(script, "insert into public.numbers values (1)", NULL, 0);
    (void)gr_script_fence(script, "update public.numbers set n = 2 where n = 99", NULL, 0);
    (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
    assert_false(gr_script_run(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_FENCED);
    check_on(pg, SUM, "0 0");
    run_sql("insert into public.numbers values (99)");
    must(gr_script_run(script, pg, &err));
    check_on(pg, SUM, "12 58");
    gr_script_free(script);
}

static void
gates_and_checks(void **state)
{
    for (int i = 0; i < 4; i++) {
        const char *const gate = i % 2 == 0 ? "f" : "t";
        struct gr_script *script = gr_script_new("numbers");
        size_t inside;

        (void)make_numbers(state);
        (void)gr_script_gate(script, "select where $1::boolean", &gate, 1);
        inside = gr_script_sql(script, "insert into public.numbers values (1)", NULL, 0);
        gr_script_gate_end(script);
        if (i < 2)
            (void)gr_script_sql(script, "insert into public.numbers values (10)", NULL, 0);
        must(gr_script_run(script, pg, &err));
        assert_int_equal(gr_script_touched(script, inside), i % 2);
        gr_script_free(script);
        check(SUM, (const char *[]){"1 10", "2 11", "0 0", "1 1"}[i]);
    }
    {
        struct gr_script *script = gr_script_new("numbers");

        (void)gr_script_check(script, "select where false", NULL, 0, "it is not there", "Wait.");
        assert_false(gr_script_run(script, pg, &err));
        assert_int_equal(err.fault, GR_FAULT_UNSTAGED);
        assert_string_equal(err.message, "numbers: it is not there");
        assert_string_equal(err.hint, "Wait.");
        gr_script_free(script);
    }
}

static void
bound_scripts_know_their_session(void **state)
{
    struct gr_script *script = gr_script_new("numbers");

    (void)state;
    gr_script_bind(script, gr_pg_session(pg));
    must(gr_script_run(script, pg, &err));
    gr_script_bind(script, gr_pg_session(pg) + 1);
    assert_false(gr_script_start(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_UNSTAGED);
    gr_script_free(script);
}

/* 64 MB are to be sent, and the first row is wrong: the server says so long before the end. */
static void
copy_errors_are_seen_at_once(void **state)
{
    struct gr_script *script = gr_script_new("numbers");
    struct gr_buf copy = gr_buf_new(0);

    (void)state;
    put_be(&copy, 2, 2); /* fields, where the table has one */
    put_int(&copy, 1);
    put_int(&copy, 1);
    put_numbers(&copy, 1, 4000000);
    (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
    assert_false(gr_script_run(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_DATA);
    check_has(err.message, "22P04");
    gr_script_free(script);
    check_on(pg, SUM, "0 0");
}

static void
kill_session(void)
{
    run_sql("select pg_terminate_backend(pid) from pg_stat_activity where"
            " application_name = 'gorgias-replicate' and pid <> pg_backend_pid()");
}

/* The session dies before, during and behind a COPY; the same script then runs in a new one. */
/* Polls until all that the script has was sent, and it waits for nothing but more. */
static enum gr_script_status
poll_until_sent(struct gr_script *script)
{
    enum gr_script_status status;

    for (int turns = 0; turns < 100000; turns++) {
        bool wants_write;
        struct pollfd fd = {.events = POLLIN};

        status = gr_script_poll(script, &err);
        fd.fd = gr_script_socket(script, &wants_write);
        if (status != GR_SCRIPT_BUSY || (gr_script_unsent(script) == 0 && !wants_write))
            return status;
        fd.events |= wants_write ? POLLOUT : 0;
        (void)poll(&fd, 1, 1000);
    }
    fail_msg("it wants to write for ever");
    return GR_SCRIPT_FAILED;
}

static void
open_copies_take_what_comes(void **state)
{
    struct gr_script *script = gr_script_new("test");
    struct gr_buf copy = gr_buf_new(0);
    size_t step, sum;

    (void)state;
    step = gr_script_copy_open(script, "copy public.numbers from stdin (format binary)");
    assert_true(gr_script_is_open(script));
    assert_false(gr_script_can_repeat(script));
    must(gr_script_start(script, pg, &err));
    for (int64_t from = 1; from <= 500000; from += 50000) {
        put_numbers(&copy, from, from + 49999);
        gr_script_append(script, &copy);
        assert_int_equal(0, copy.len);
        assert_true(gr_script_unsent(script) >= 50000);
        assert_int_equal(GR_SCRIPT_BUSY, poll_until_sent(script));
    }
    sum = gr_script_sql(script, "select sum(n) from public.numbers", NULL, 0);
    gr_script_copy_close(script);
    assert_false(gr_script_is_open(script));
    while (gr_script_poll(script, &err) == GR_SCRIPT_BUSY)
        ;
    assert_int_equal(500000, gr_script_touched(script, step));
    assert_int_equal(INT64_C(500000) * 500001 / 2, gr_rows_int(gr_script_rows(script, sum), 0, 0));
    gr_buf_free(&copy);
    gr_script_free(script);
}

/* While nobody has anything to send, too. */
static void
open_copies_see_errors(void **state)
{
    struct gr_script *script = gr_script_new("test");
    struct gr_buf copy = gr_buf_new(0);
    enum gr_script_status status;

    (void)state;
    put_be(&copy, 2, 2); /* fields, where the table has one */
    put_int(&copy, 1);
    put_int(&copy, 1);
    (void)gr_script_copy_open(script, "copy public.numbers from stdin (format binary)");
    gr_script_append(script, &copy);
    must(gr_script_start(script, pg, &err));
    while ((status = gr_script_poll(script, &err)) == GR_SCRIPT_BUSY) {
        bool wants_write;
        struct pollfd fd = {.fd = gr_script_socket(script, &wants_write), .events = POLLIN};

        fd.events |= wants_write ? POLLOUT : 0;
        assert_int_not_equal(0, poll(&fd, 1, 10000));
    }
    assert_int_equal(GR_SCRIPT_FAILED, status);
    assert_int_equal(GR_FAULT_DATA, err.fault);
    gr_buf_free(&copy);
    gr_script_free(script);
}

static void
lost_connections_are_survived(void **state)
{
    for (int when = 0; when < 4; when++) {
        struct gr_script *script = gr_script_new("numbers");
        struct gr_buf copy = gr_buf_new(0);
        int64_t session = gr_pg_session(pg);
        enum gr_script_status status = GR_SCRIPT_BUSY;
        bool has_started = true;

        (void)make_numbers(state);
        put_numbers(&copy, 1, 1000000);
        (void)gr_script_sql(script, "delete from public.numbers", NULL, 0);
        (void)gr_script_copy(script, "copy public.numbers from stdin (format binary)", &copy);
        (void)gr_script_sql(script,
                            "select pg_sleep(case when count(*) < 0 then 1 else 0 end)"
                            " from public.numbers",
                            NULL, 0);
        if (when == 0)
            kill_session();
        has_started = gr_script_start(script, pg, &err);
        for (int polls = 0; has_started && status == GR_SCRIPT_BUSY; polls++) {
            bool wants_write = false;
            struct pollfd fd = {.events = POLLIN};

            if (polls == when)
                kill_session();
            status = gr_script_poll(script, &err);
            fd.fd = gr_script_socket(script, &wants_write);
            if (wants_write)
                fd.events |= POLLOUT;
            if (status == GR_SCRIPT_BUSY)
                (void)poll(&fd, 1, 5000);
        }
        assert_true(!has_started || status == GR_SCRIPT_FAILED);
        assert_int_equal(err.fault, GR_FAULT_LOST);
        check(SUM, "0 0");
        must(gr_pg_reopen(pg, &err));
        assert_int_not_equal(gr_pg_session(pg), session);
        must(gr_script_run(script, pg, &err));
        check(SUM, "1000000 500000500000");
        gr_script_free(script);
    }
}

static void
conflicts_may_be_tried_again(void **state)
{
    struct gr_script *script = gr_script_new("numbers");

    (void)state;
    run_sql("insert into public.numbers values (1)");
    run_sql("begin; update public.numbers set n = 2");
    (void)gr_script_sql(script, "set local lock_timeout = '50ms'", NULL, 0);
    (void)gr_script_sql(script, "update public.numbers set n = 3", NULL, 0);
    assert_false(gr_script_run(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_CONFLICT);
    run_sql("rollback");
    must(gr_script_run(script, pg, &err));
    gr_script_free(script);
    check(SUM, "1 3");
}

/* Tables. */

static int
drop_all(void **state)
{
    (void)state;
    run_sql(
        "drop schema if exists gorgias cascade; drop schema if exists _gorgias_replicate cascade");
    return 0;
}

#define CATALOG                                                                                    \
    "select md5(string_agg(x, ',' order by x)) from ("                                             \
    "select concat_ws(' ', 'c', xmin, ctid) as x from pg_class union all"                          \
    " select concat_ws(' ', 'a', xmin, ctid) from pg_attribute where attrelid >= 16384 union all"  \
    " select concat_ws(' ', 'd', xmin, ctid) from pg_description union all"                        \
    " select concat_ws(' ', 'n', xmin, ctid) from pg_namespace union all"                          \
    " select concat_ws(' ', 'i', xmin, ctid) from pg_index) as c"

static void
opens_twice_without_a_write(void **state)
{
    static const char *const asked[] = {"subject", "updated_datetime"};
    static const struct gr_table_key keys[] = {{asked, 2, false}, {asked, 1, true}};
    struct gr_plan_stream stream = tickets;
    struct gr_rows before = {0};
    struct gr_table table;

    (void)state;
    stream.table_keys = keys;
    stream.table_key_count = 2;
    must(gr_state_open(pg, STATE, &err));
    must(gr_table_open(pg, &stream, STATE, &table, &err));
    assert_true(table.was_created);
    assert_string_equal(table.warnings, "");
    assert_string_equal(table.types[5], "timestamp with time zone");
    gr_table_free(&table);
    must(gr_table_open(pg, &messages, STATE, &table, &err));
    gr_table_free(&table);
    run_sql("create table gorgias.mark as select txid_current() as t");
    must(gr_pg_query(admin, CATALOG, NULL, 0, &before, &err));
    must(gr_state_open(pg, STATE, &err));
    must(gr_table_open(pg, &stream, STATE, &table, &err));
    assert_false(table.was_created);
    gr_table_free(&table);
    must(gr_table_open(pg, &messages, STATE, &table, &err));
    gr_table_free(&table);
    check(CATALOG, gr_rows_text(&before, 0, 0));
    check("select txid_current() - t from gorgias.mark", "1"); /* no transaction has written */
    gr_rows_free(&before);
    check("select obj_description('gorgias.tickets'::regclass)",
          "Conversations, one row per ticket");
    check("select col_description('gorgias.tickets'::regclass, 2)", "It's the subject line");
    /* What is long is compressed by lz4, also by whoever writes there without our settings. */
    if (gr_pg_has_lz4(pg))
        check("select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid ="
              " 'gorgias.tickets'::regclass and attnum > 0 and attcompression = 'l'",
              "subject meta _extra");
    check("select count(*) from pg_index where indrelid = 'gorgias.tickets'::regclass", "3");
    check("select count(*) from pg_index where indrelid = 'gorgias.ticket_messages'::regclass",
          "2");
    check("select count(*) from pg_class as c, pg_namespace as n where c.relnamespace = n.oid and"
          " n.nspname = '_gorgias_replicate' and c.relkind = 'r'"
          " and obj_description(c.oid, 'pg_class') is not null",
          "9");
}

/* gr_table_sql is what opening finds to be right. */
static void
definition_is_what_opening_makes(void **state)
{
    struct gr_buf sql = gr_buf_new(0);
    struct gr_rows before = {0};
    struct gr_table table;

    (void)state;
    gr_table_sql(&tickets, &sql);
    gr_table_sql(&messages, &sql);
    run_sql(gr_buf_text(&sql));
    must(gr_pg_query(admin, CATALOG, NULL, 0, &before, &err));
    must(gr_table_open(pg, &tickets, STATE, &table, &err));
    gr_table_free(&table);
    must(gr_table_open(pg, &messages, STATE, &table, &err));
    gr_table_free(&table);
    check(CATALOG, gr_rows_text(&before, 0, 0));
    gr_rows_free(&before);
    gr_buf_free(&sql);
}

static void
merge_one(const struct gr_table *table, int64_t id, const char *subject, bool *is_ok)
{
    struct gr_script *script = gr_script_new("tickets: commit");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_buf sql = gr_buf_new(0);

    gr_table_session_sql(table, &sql);
    must(gr_pg_exec(pg, gr_buf_text(&sql), &err));
    put_ticket(&copy, id, subject, 3, JAN1, JAN2, id);
    (void)gr_commit_merge(script, table, &copy, NULL, 0, NULL, NULL, 0);
    *is_ok = gr_script_run(script, pg, &err);
    gr_script_free(script);
    gr_buf_free(&sql);
}

/* What another tool has made: other types, a default, no columns of ours, rows. */
static void
existing_tables_are_taken_as_they_are(void **state)
{
    struct gr_table table;
    bool is_ok;

    (void)state;
    run_sql("create schema gorgias; create table gorgias.tickets (mine text default 'm',"
            " subject varchar(5), id integer unique not null, updated_datetime timestamp,"
            " messages_count text, meta json, twice bigint generated always as (id * 2) stored);"
            " insert into gorgias.tickets (id, subject) values (1, 'old')");
    must(gr_table_open(pg, &tickets, STATE, &table, &err));
    assert_false(table.was_created);
    assert_string_equal(table.types[0], "integer");
    assert_string_equal(table.types[1], "character varying");
    assert_string_equal(table.types[2], "json");
    merge_one(&table, 1, "new", &is_ok);
    must(is_ok);
    merge_one(&table, 2, "abc", &is_ok);
    must(is_ok);
    check("select string_agg(concat_ws(' ', id, subject, messages_count, updated_datetime::date,"
          " created_datetime is not null, _hash, mine, twice), ', ' order by id)"
          " from gorgias.tickets",
          "1 new 3 2024-01-02 t 1 m 2, 2 abc 3 2024-01-02 t 2 m 4");
    check("select updated_datetime::text from gorgias.tickets limit 1",
          "2024-01-02 00:00:00");                     /* UTC, whatever the server's zone */
    merge_one(&table, 3, "longer than five", &is_ok); /* refused, not cut */
    assert_false(is_ok);
    assert_int_equal(err.fault, GR_FAULT_DATA);
    check_has(err.message, "22001");
    merge_one(&table, INT64_C(1) << 40, "a", &is_ok);
    assert_false(is_ok);
    check("select count(*) from gorgias.tickets", "2");
    gr_table_free(&table);
}

static void
check_not_opened(const char *sql, const char *message, const char *hint)
{
    struct gr_table table;

    (void)drop_all(NULL);
    run_sql(sql);
    assert_false(gr_table_open(pg, &tickets, STATE, &table, &err));
    assert_int_equal(err.fault, GR_FAULT_DATA);
    check_has(err.message, message);
    check_has(err.hint, hint);
}

static void
unusable_tables_are_refused(void **state)
{
    struct gr_plan_stream stream = tickets;
    struct gr_table table;
    char name[65];

    (void)state;
    check_not_opened(
        "create schema gorgias; create table gorgias.tickets (id bigint, subject text)",
        "no primary key", "ALTER TABLE \"gorgias\".\"tickets\" ADD PRIMARY KEY");
    check_not_opened("create schema gorgias; create table gorgias.tickets (id bigint, n int,"
                     " primary key (id, n))",
                     "no primary key", "ALTER TABLE");
    check_not_opened("create schema gorgias; create table gorgias.tickets (id bigint);"
                     " create unique index on gorgias.tickets (id) where id > 5",
                     "no primary key", "ALTER TABLE");
    check_not_opened("create schema gorgias; create table gorgias.tickets (n int)",
                     "no primary key", "ALTER TABLE");
    check("select count(*) from pg_attribute where attrelid = 'gorgias.tickets'::regclass"
          " and attnum > 0",
          "1"); /* not touched */
    check_not_opened("create schema gorgias; create view gorgias.tickets as select 1 as id",
                     "no table", "another object");
    check_not_opened("create schema gorgias; create table gorgias.tickets (id bigint primary key,"
                     " _hash text)",
                     "column _hash is text, not bigint", "Rename");
    memset(name, 'x', 64);
    name[64] = '\0';
    stream.table_name = name;
    assert_false(gr_table_open(pg, &stream, STATE, &table, &err));
    check_has(err.message, "63 bytes");
}

static void
columns_may_be_kept_out(void **state)
{
    struct gr_plan_stream stream = tickets;
    struct gr_table table;
    bool is_ok;

    (void)state;
    stream.add_new_columns = false;
    run_sql("create schema gorgias; create table gorgias.tickets (id bigint primary key,"
            " subject text, messages_count bigint generated always as (id + 1) stored)");
    must(gr_table_open(pg, &stream, STATE, &table, &err));
    check_has(table.warnings, "add_new_columns is false, so this column is not written: meta");
    check_has(table.warnings, "generated one, so it is not written: messages_count");
    assert_null(table.types[2]);
    merge_one(&table, 1, "a", &is_ok);
    must(is_ok);
    check("select count(*) from pg_attribute where attrelid = 'gorgias.tickets'::regclass"
          " and attnum > 0",
          "7");
    check("select concat(subject, _hash) from gorgias.tickets", "a1");
    gr_table_free(&table);
}

/* Names are data: quotes, spaces, other scripts, SQL. */
static void
hostile_names_are_only_names(void **state)
{
    static const struct gr_column columns[] = {
        {"id\"; drop table x; --", "id", "it's \\ \"d\"", GR_TYPE_BIGINT, true, false,
         .refers = NULL},
        {"sub ject'", "subject", "'; drop schema public; --", GR_TYPE_TEXT, false, false,
         .refers = NULL},
        {"Größe $1 @ %s", "meta", "$$", GR_TYPE_JSONB, false, false, .refers = NULL},
        {"select", "messages_count", NULL, GR_TYPE_BIGINT, false, false, .refers = NULL},
        {"\xE6\x97\xA5\xE4\xBB\x98", "created_datetime", NULL, GR_TYPE_TIMESTAMPTZ, false, false,
         .refers = NULL},
        {"Updated", "updated_datetime", NULL, GR_TYPE_TIMESTAMPTZ, false, false, .refers = NULL},
    };
    static const char state_name[] = "st\"ate'; drop schema public cascade; --";
    struct gr_plan_stream stream = tickets;
    struct gr_script *script = gr_script_new("hostile");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_commit_state commit = {
        .run_id = 1, .bookmark_us = GR_TIME_NONE, .source_clock_us = GR_TIME_NONE, .mode = "x"};
    struct gr_plan plan = {.source = {.base_url = "u"}, .state_schema = state_name, .count = 1};
    const struct gr_commit_reject reject = {"k\"{},'\\", NULL, "r", "{\"a\": \"\\\\\"}"};
    struct gr_table table;
    bool is_ok;

    (void)state;
    stream.columns = columns;
    stream.table_schema = "a b'\"; drop";
    stream.table_name = "\xF0\x9F\x8E\xAB $gr$ '' a name of more than forty bytes $$ x";
    stream.description = "$$ ' \\ @";
    plan.streams = &stream;
    must(gr_state_open(pg, state_name, &err));
    must(gr_state_begin(pg, &plan, &commit.run_id, &err));
    for (int twice = 0; twice < 2; twice++) {
        must(gr_table_open(pg, &stream, state_name, &table, &err));
        assert_int_equal(table.was_created, twice == 0);
        if (twice == 0)
            gr_table_free(&table);
    }
    merge_one(&table, 1, "a", &is_ok);
    must(is_ok);
    gr_commit_state(script, &table, &commit);
    gr_commit_scan_begin(script, &table);
    put_ticket(&copy, 1, "b", 1, JAN1, JAN2, 2);
    gr_commit_scan_page(script, &table, &copy);
    (void)gr_commit_scan_count(script, &table);
    (void)gr_commit_scan_missing(script, &table, 10);
    (void)gr_commit_scan_finish(script, &table, GR_FINISH_DIFFERENCE, (const char *[]){"'\""}, 1,
                                NULL, NULL, 0);
    gr_commit_queue_prune(script, &table, NULL);
    gr_commit_queue_settle(script, &table, NULL, 0, 0);
    gr_commit_set_forget(script, &table, NULL, 0);
    gr_commit_rejects(script, &table, commit.run_id, &reject, 1);
    gr_commit_rejects(script, &table, commit.run_id, &reject, 1);
    must(gr_script_run(script, pg, &err));
    gr_script_free(script);
    gr_table_free(&table);
    check("select key from \"st\"\"ate'; drop schema public cascade; --\".rejected", "k\"{},'\\");
    check("select \"sub ject'\" from \"a b'\"\"; drop\".\"\xF0\x9F\x8E\xAB $gr$ '' a name of more"
          " than forty bytes $$ x\"",
          "b");
    run_sql("drop schema \"a b'\"\"; drop\" cascade;"
            " drop schema \"st\"\"ate'; drop schema public cascade; --\" cascade");
    must(gr_pg_reopen(pg, &err)); /* gives the locks back */
}

/* State. */

static const struct gr_plan_stream both[] = {
    {.name = "tickets", .table_schema = "gorgias", .table_name = "tickets"},
    {.name = "events", .table_schema = "gorgias", .table_name = "events"},
};
static const char *const all_objects[] = {"gorgias.events", "gorgias.tags", "gorgias.tickets"};

static struct gr_plan
plan_of(size_t first, size_t count, size_t objects)
{
    return (struct gr_plan){.file = "support.yaml",
                            .source = {.base_url = "https://x.gorgias.com"},
                            .state_schema = STATE,
                            .streams = both + first,
                            .count = count,
                            .all_objects = all_objects,
                            .all_object_count = objects};
}

static int
make_state(void **state)
{
    (void)drop_all(state);
    must(gr_pg_reopen(pg, &err));
    must(gr_state_open(pg, STATE, &err));
    return 0;
}

static void
runs_are_numbered_and_locked(void **state)
{
    struct gr_plan plan = plan_of(0, 2, 3);
    struct gr_plan same = plan_of(1, 1, 3);  /* another stream of the same replication */
    struct gr_plan other = plan_of(1, 1, 2); /* another replication, the same table    */
    struct gr_plan apart = plan_of(0, 0, 1);
    const struct gr_run_totals totals = {"succeeded", 0, 12, 1, NULL, NULL};
    int64_t run = 0;
    int64_t second = 0;
    char text[64];

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    assert_int_equal(run, 1);
    assert_false(gr_state_begin(admin, &same, &second, &err));
    assert_int_equal(err.fault, GR_FAULT_LOCKED);
    (void)snprintf(text, sizeof(text), "run 1 is at work on this replication: host ");
    check_has(err.message, text);
    (void)snprintf(text, sizeof(text), "pid %ld, since 20", (long)getpid());
    check_has(err.message, text);
    assert_false(gr_state_begin(admin, &other, &second, &err));
    assert_int_equal(err.fault, GR_FAULT_LOCKED);
    check_has(err.message, "run 1 is at work on gorgias.events");
    check("select count(*) from _gorgias_replicate.runs", "1");
    must(gr_state_begin(admin, &apart, &second, &err));
    must(gr_state_end(pg, STATE, run, &totals, &err));
    check("select concat_ws(' ', status, exit_code, requests, throttled, file,"
          " ended_at >= started_at) from _gorgias_replicate.runs where run_id = 1",
          "succeeded 0 12 1 support.yaml t");
    must(gr_pg_reopen(pg, &err)); /* the session's end is the lock's */
    for (int i = 0; i < 50 && !gr_state_begin(pg, &other, &second, &err); i++)
        gr_clock_sleep(100);
    check("select string_agg(object || fence, ' ' order by object) from _gorgias_replicate.streams",
          "gorgias.events3 gorgias.tickets1");
    run_sql("select pg_advisory_unlock_all()");
}

static void
stale_runs_are_lost(void **state)
{
    struct gr_plan plan = plan_of(0, 2, 3);
    struct gr_plan other = plan_of(0, 0, 1);
    int64_t run = 0;

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    run_sql("insert into _gorgias_replicate.stream_runs (run_id, object, stream, status) values"
            " (1, 'a', 'a', 'running'), (1, 'b', 'b', 'succeeded')");
    must(gr_state_begin(pg, &other, &run, &err));
    must(gr_state_begin(pg, &plan, &run, &err)); /* the same session: its own lock */
    check("select string_agg(status, ' ' order by run_id) from _gorgias_replicate.runs",
          "lost running running");
    check("select string_agg(status, ' ' order by object) from _gorgias_replicate.stream_runs",
          "lost succeeded");
}

static struct gr_script *
commit_script(const struct gr_table *table, int64_t run, int64_t bookmark)
{
    struct gr_script *script = gr_script_new("tickets: commit");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_commit_state commit = {.run_id = run,
                                     .bookmark_us = bookmark,
                                     .walk = "{\"gaps\": []}",
                                     .source = "https://x.gorgias.com",
                                     .mode = "incremental",
                                     .source_clock_us = bookmark,
                                     .is_complete = true};

    put_ticket(&copy, 1, "a", 1, JAN1, JAN2, 1);
    gr_commit_state(script, table, &commit);
    (void)gr_commit_merge(script, table, &copy, NULL, 0, NULL, NULL, 0);
    return script;
}

static void
open_tickets(struct gr_table *table)
{
    struct gr_buf sql = gr_buf_new(0);

    must(gr_table_open(pg, &tickets, STATE, table, &err));
    gr_table_session_sql(table, &sql);
    must(gr_pg_exec(pg, gr_buf_text(&sql), &err));
    gr_buf_free(&sql);
}

static void
bookmarks_are_kept(void **state)
{
    static const int64_t bookmarks[] = {INT64_C(1704153600123456), 0, -1, GR_TIME_NONE};
    struct gr_plan plan = plan_of(0, 1, 3);
    struct gr_stream_state kept;
    struct gr_table table;
    int64_t run;

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    must(gr_state_load(pg, STATE, "gorgias.tickets", &kept, &err));
    assert_true(kept.bookmark_us == GR_TIME_NONE && kept.walk == NULL && kept.source == NULL);
    gr_stream_state_free(&kept);
    open_tickets(&table);
    for (size_t i = 0; i < COUNT_OF(bookmarks); i++) {
        struct gr_script *script = commit_script(&table, run, bookmarks[i]);

        must(gr_script_run(script, pg, &err));
        gr_script_free(script);
        must(gr_state_load(pg, STATE, "gorgias.tickets", &kept, &err));
        assert_int_equal(kept.bookmark_us, bookmarks[i]);
        assert_string_equal(kept.walk, "{\"gaps\": []}");
        assert_string_equal(kept.source, "https://x.gorgias.com");
        gr_stream_state_free(&kept);
    }
    check("select concat_ws(' ', completed_at is not null, extract(year from source_clock))"
          " from _gorgias_replicate.streams",
          "t 1969"); /* no clock: the last one stays */
    must(gr_state_load(pg, STATE, "nobody", &kept, &err));
    assert_true(kept.bookmark_us == GR_TIME_NONE);
    gr_stream_state_free(&kept);
    gr_table_free(&table);
}

/* Another run has come in between, as through a pooler that breaks session locks. */
static void
fenced_runs_write_nothing(void **state)
{
    struct gr_plan plan = plan_of(0, 1, 3);
    struct gr_script *script;
    struct gr_table table;
    int64_t run;

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    open_tickets(&table);
    script = commit_script(&table, run, 5);
    run_sql("update _gorgias_replicate.streams set fence = fence + 1");
    assert_false(gr_script_run(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_FENCED);
    gr_script_free(script);
    check("select count(*) from gorgias.tickets", "0");
    check("select bookmark from _gorgias_replicate.streams", "null");
    assert_false(gr_state_resume(pg, &plan, run, &err));
    assert_int_equal(err.fault, GR_FAULT_FENCED);
    check_has(err.message, "run 2 has taken over gorgias.tickets from run 1");
    gr_table_free(&table);
}

/* DDL, pre_sql and post_sql; those as well that cannot be part of a transaction. */
static void
what_is_no_script_is_fenced_too(void **state)
{
    static const char alone[] = "create index concurrently late on gorgias.tickets (subject)";
    struct gr_plan plan = plan_of(0, 1, 3);
    struct gr_table table;
    int64_t run;

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    open_tickets(&table);
    must(gr_pg_exec_fenced(pg, "create table gorgias.soon ()", &err));
    must(gr_pg_exec_fenced(pg, alone, &err));
    check("select to_regclass('gorgias.late') is not null", "t");
    gr_table_free(&table);
    run_sql("drop index gorgias.late; alter table gorgias.tickets drop column subject;"
            "update _gorgias_replicate.streams set fence = fence + 1");
    assert_false(gr_pg_exec_fenced(pg, "drop table gorgias.soon", &err));
    assert_int_equal(err.fault, GR_FAULT_FENCED);
    check("select to_regclass('gorgias.soon') is not null", "t");
    assert_false(
        gr_pg_exec_fenced(pg, "create index concurrently late on gorgias.tickets (id)", &err));
    assert_int_equal(err.fault, GR_FAULT_FENCED);
    check("select to_regclass('gorgias.late')", "null");
    assert_false(gr_table_open(pg, &tickets, STATE, &table, &err));
    assert_int_equal(err.fault, GR_FAULT_FENCED);
    check("select count(*) from pg_attribute where attrelid = 'gorgias.tickets'::regclass"
          " and attname = 'subject'",
          "0");
    run_sql("drop table gorgias.soon");
}

static void
lost_runs_are_resumed(void **state)
{
    struct gr_plan plan = plan_of(0, 2, 3);
    struct gr_script *script;
    struct gr_table table;
    bool has_got;
    int64_t run;

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    open_tickets(&table);
    gr_table_free(&table);
    kill_session();
    assert_false(gr_pg_exec(pg, "select 1", &err));
    assert_int_equal(err.fault, GR_FAULT_LOST);
    must(gr_pg_reopen(pg, &err));
    must(gr_state_resume(pg, &plan, run, &err));
    must(gr_pg_try_lock(admin, "gorgias-replicate object gorgias.events", &has_got, &err));
    assert_false(has_got);
    open_tickets(&table); /* the temporary tables went with the session */
    script = commit_script(&table, run, 7);
    must(gr_script_run(script, pg, &err));
    gr_script_free(script);
    check("select count(*) from gorgias.tickets", "1");
    gr_table_free(&table);
    kill_session();
    must(gr_pg_reopen(pg, &err));
    for (int i = 0; i < 50 && !has_got; i++, gr_clock_sleep(50))
        must(gr_pg_try_lock(admin, "gorgias-replicate object gorgias.events", &has_got, &err));
    assert_true(has_got);
    run_sql("select pg_advisory_unlock_all()");
}

static void
totals_and_rejects_are_kept(void **state)
{
    const struct gr_commit_reject rejects[] = {
        {"1", "subject", "holds U+0000", "\"a\\u0000\""},
        {"1", "subject", "holds U+0000", "\"a\\u0000\""},
        {"", NULL, "no key", "{}"},
    };
    struct gr_stream_totals totals = {.status = "running", .rows_read = 1, .bytes = 1 << 30};
    struct gr_plan plan = plan_of(0, 1, 3);
    struct gr_table table;
    int64_t run;

    (void)state;
    must(gr_state_begin(pg, &plan, &run, &err));
    open_tickets(&table);
    for (int twice = 0; twice < 2; twice++) {
        struct gr_script *script = gr_script_new("tickets: end");

        gr_commit_stream_run(script, &table, run, &totals);
        gr_commit_rejects(script, &table, run, rejects, COUNT_OF(rejects));
        must(gr_script_run(script, pg, &err));
        gr_script_free(script);
        check("select ended_at is null from _gorgias_replicate.stream_runs",
              twice == 0 ? "t" : "f");
        totals = (struct gr_stream_totals){.status = "failed", .rows_read = 2, .error = "e"};
    }
    check("select concat_ws(' ', status, rows_read, bytes, error, mode, object)"
          " from _gorgias_replicate.stream_runs",
          "failed 2 0 e incremental gorgias.tickets");
    check("select count(*) from _gorgias_replicate.rejected", "2");
    gr_table_free(&table);
}

static struct gr_budget_answer
lease(const char *account, int64_t burst, double seen, int64_t wanted)
{
    struct gr_script *script = gr_script_new("lease");
    size_t step = gr_budget_take(script, STATE,
                                 &(struct gr_budget_ask){.account = account,
                                                         .run_id = 1,
                                                         .requests = 40,
                                                         .per_ms = 20000,
                                                         .burst = burst,
                                                         .spacing_us = 500000,
                                                         .seen = seen,
                                                         .wanted = wanted});
    struct gr_budget_answer answer;

    must(gr_script_run(script, pg, &err));
    answer = gr_budget_answer(script, step);
    gr_script_free(script);
    return answer;
}

/* The account's row, as if it had been written so long ago. */
static void
set_level(const char *level, const char *ago)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "update _gorgias_replicate.rate_budget set level = %s,"
                   " updated_at = clock_timestamp() - interval '%s' where account = 'a'",
                   level, ago);
    run_sql(sql);
}

static void
leases_are_taken_from_a_level_that_drains(void **state)
{
    struct gr_budget_answer answer;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(lease("a", 39, 0, 1).granted, 1);
    assert_int_equal(lease("b", 39, 0, 1).granted, 1);
    check("select count(*) from _gorgias_replicate.rate_budget where account = 'a'"
          " and level > 4 and level <= 5 and requests = 40 and per_ms = 20000 and run_id = 1",
          "1");
    /* Full: nothing is granted or written, and it is told when one will fit. */
    set_level("38.9", "0 seconds");
    answer = lease("a", 39, 0, 1);
    assert_int_equal(answer.granted, 0);
    assert_in_range(answer.wait_us, 1, 450000);
    check("select level = 38.9 from _gorgias_replicate.rate_budget where account = 'a'", "t");
    /* It drains two a second, and not below nothing. */
    set_level("38.9", "1 second");
    answer = lease("a", 39, 0, 1);
    assert_int_equal(answer.granted, 1);
    assert_int_equal(answer.wait_us, 0);
    set_level("39", "1 hour");
    assert_int_equal(lease("a", 39, 0, 39).granted, 39);
    assert_true(lease("a", 39, 0, 1).wait_us > 0);
    /* What the API tells of others counts, and stays. */
    set_level("1", "0 seconds");
    assert_int_equal(lease("a", 39, 38.5, 1).granted, 0);
    assert_int_equal(lease("a", 39, 30, 1).granted, 1);
    check("select level > 30 from _gorgias_replicate.rate_budget where account = 'a'", "t");
    /* A share has its own end; a larger bucket than ours, or a clock that was set back, stops
       nobody for long. */
    set_level("30.9", "0 seconds");
    assert_int_equal(lease("a", 31, 0, 1).granted, 0);
    set_level("90000", "0 seconds");
    assert_in_range(lease("a", 39, 0, 1).wait_us, 1, 1000000);
    set_level("39", "-1 hour");
    assert_int_equal(lease("a", 39, 0, 1).granted, 1);
}

static void
newer_layouts_are_refused(void **state)
{
    (void)state;
    run_sql("update _gorgias_replicate.version set layout = 99");
    assert_false(gr_state_open(pg, STATE, &err));
    assert_int_equal(err.fault, GR_FAULT_TARGET);
    check_has(err.message, "layout 99 is newer");
}

static void
privileges_are_named(void **state)
{
    struct gr_plan plan = plan_of(0, 2, 3);
    struct gr_target target = cluster_target("weak", "postgres");
    struct gr_probe probe;
    struct gr_table table;
    struct gr_pg *weak;
    bool has_failed = false;

    (void)state;
    run_sql("create role weak login; revoke temporary on database postgres from public");
    must(gr_pg_open(&target, &weak, &err));
    assert_false(gr_table_open(weak, &tags, STATE, &table, &err));
    assert_int_equal(err.fault, GR_FAULT_TARGET);
    check_has(err.hint, "GRANT CREATE, TEMPORARY ON DATABASE \"postgres\" TO \"weak\";");
    assert_false(gr_state_open(weak, STATE, &err));
    check_has(err.hint, "GRANT USAGE, CREATE ON SCHEMA \"_gorgias_replicate\" TO \"weak\";");
    must(gr_probe_run(weak, &plan, &probe, &err));
    assert_int_equal(probe.count, 4);
    assert_true(probe.items[0].is_ok);
    assert_string_equal(probe.items[1].what, "temporary tables");
    check_has(probe.items[1].reason, "GRANT TEMPORARY ON DATABASE postgres TO weak;");
    check_has(probe.items[2].reason, "GRANT CREATE ON DATABASE postgres TO weak;");
    check_has(probe.items[3].reason, "SCHEMA _gorgias_replicate TO weak;");
    for (size_t i = 0; i < probe.count; i++)
        has_failed = has_failed || !probe.items[i].is_ok;
    assert_true(has_failed);
    gr_probe_free(&probe);

    /* Not the owner, but with all it takes: comments stay as they are. */
    run_sql("create schema gorgias; create table gorgias.tags (id bigint primary key, name text,"
            " _loaded_at timestamptz, _deleted_at timestamptz, _hash bigint, _extra jsonb);"
            " grant usage on schema gorgias to weak; grant all on gorgias.tags to weak");
    must(gr_table_open(weak, &tags, STATE, &table, &err));
    check_has(table.warnings, "another role owns");
    gr_table_free(&table);
    must(gr_probe_run(pg, &plan, &probe, &err));
    for (size_t i = 0; i < probe.count; i++)
        assert_true(probe.items[i].is_ok);
    gr_probe_free(&probe);
    gr_pg_close(weak);
    run_sql("grant temporary on database postgres to public");
}

/* Two runs that begin at once on an empty database, again and again. */
static void
creation_is_safe_in_a_race(void **state)
{
    for (int round = 0; round < 5; round++) {
        pid_t children[3];

        (void)drop_all(state);
        for (size_t i = 0; i < COUNT_OF(children); i++) {
            children[i] = fork();
            if (children[i] == 0) {
                struct gr_table table;
                struct gr_pg *mine;
                bool is_ok = gr_pg_open(&admin_target, &mine, &err) &&
                             gr_state_open(mine, STATE, &err) &&
                             gr_table_open(mine, &tickets, STATE, &table, &err);

                if (!is_ok)
                    (void)fprintf(stderr, "%s\n", err.message);
                _exit(is_ok ? 0 : 1);
            }
        }
        for (size_t i = 0; i < COUNT_OF(children); i++)
            assert_true(cluster_wait(children[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_is_ours),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(wrong_password_is_refused),
        cmocka_unit_test(opening_waits_for_nobody),
        cmocka_unit_test(faults_follow_the_sqlstate),
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test_setup(scripts_commit, make_numbers),
        cmocka_unit_test_setup(failures_leave_nothing, make_numbers),
        cmocka_unit_test(failing_commits_are_failures),
        cmocka_unit_test_setup(fences_stop_all, make_numbers),
        cmocka_unit_test(gates_and_checks),
        cmocka_unit_test(bound_scripts_know_their_session),
        cmocka_unit_test_setup(copy_errors_are_seen_at_once, make_numbers),
        cmocka_unit_test_setup(open_copies_take_what_comes, make_numbers),
        cmocka_unit_test_setup(open_copies_see_errors, make_numbers),
        cmocka_unit_test(lost_connections_are_survived),
        cmocka_unit_test_setup(conflicts_may_be_tried_again, make_numbers),
        cmocka_unit_test_setup(opens_twice_without_a_write, drop_all),
        cmocka_unit_test_setup(definition_is_what_opening_makes, drop_all),
        cmocka_unit_test_setup(existing_tables_are_taken_as_they_are, drop_all),
        cmocka_unit_test(unusable_tables_are_refused),
        cmocka_unit_test_setup(columns_may_be_kept_out, drop_all),
        cmocka_unit_test_setup(hostile_names_are_only_names, drop_all),
        cmocka_unit_test_setup(runs_are_numbered_and_locked, make_state),
        cmocka_unit_test_setup(stale_runs_are_lost, make_state),
        cmocka_unit_test_setup(bookmarks_are_kept, make_state),
        cmocka_unit_test_setup(fenced_runs_write_nothing, make_state),
        cmocka_unit_test_setup(what_is_no_script_is_fenced_too, make_state),
        cmocka_unit_test_setup(lost_runs_are_resumed, make_state),
        cmocka_unit_test_setup(totals_and_rejects_are_kept, make_state),
        cmocka_unit_test_setup(leases_are_taken_from_a_level_that_drains, make_state),
        cmocka_unit_test_setup(newer_layouts_are_refused, make_state),
        cmocka_unit_test_setup(privileges_are_named, make_state),
        cmocka_unit_test_setup(creation_is_safe_in_a_race, drop_all),
    };

    if (!cluster_start()) {
        (void)fputs("skipped: no PostgreSQL server is installed\n", stderr);
        return 0;
    }
    return cmocka_run_group_tests_name("sink_pg", tests, open_both, close_both);
}
