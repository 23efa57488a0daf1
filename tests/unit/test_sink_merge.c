/* layers: sink */
/* test_sink_merge.c - the laws of merging, against a real PostgreSQL. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pg_cluster.h"
#include "gr/base/alloc.h"
#include "gr/sink/state.h"
#include "sink_streams.h"

#define JAN1  "2024-01-01T00:00:00Z"
#define JAN2  "2024-01-02T00:00:00Z"
#define JAN3  "2024-01-03T00:00:00Z"
#define STATE "_gorgias_replicate"

static struct gr_target admin_target;
static struct gr_pg *pg;    /* the tool's session        */
static struct gr_pg *admin; /* one that looks on         */
static struct gr_table ticket_table;
static struct gr_table message_table;
static struct gr_table event_table;
static struct gr_table tag_table;
static struct gr_error err;
static char answer[4][256];

static void
must(bool is_ok)
{
    if (!is_ok)
        fail_msg("%s: %s (%s)", gr_fault_facts(err.fault)->name, err.message, err.hint);
}

/* The first value of a query, as a text that stays for three more questions. */
static const char *
ask(const char *sql)
{
    static unsigned turn;
    char *text = answer[turn++ % 4];
    struct gr_rows rows = {0};
    const char *value;

    must(gr_pg_query(admin, sql, NULL, 0, &rows, &err));
    value = gr_rows_text(&rows, 0, 0);
    (void)snprintf(text, sizeof(answer[0]), "%s",
                   rows.count == 0 ? "no row" : (value == NULL ? "null" : value));
    gr_rows_free(&rows);
    return text;
}

static void
run_sql(const char *sql)
{
    must(gr_pg_exec(admin, sql, &err));
}

static void
check(const char *sql, const char *expected)
{
    assert_string_equal(ask(sql), expected);
}

static void
check_counts(struct gr_counts got, int inserted, int updated, int unchanged, int deleted)
{
    char have[128];
    char want[128];

    (void)snprintf(have, sizeof(have), "+%ld ~%ld =%ld -%ld", (long)got.inserted, (long)got.updated,
                   (long)got.unchanged, (long)got.deleted);
    (void)snprintf(want, sizeof(want), "+%d ~%d =%d -%d", inserted, updated, unchanged, deleted);
    assert_string_equal(have, want);
}

static struct gr_counts
run_counted(struct gr_script *script, size_t step)
{
    struct gr_counts counts;

    must(gr_script_run(script, pg, &err));
    counts = gr_commit_counts(script, step);
    gr_script_free(script);
    return counts;
}

static void
run_script(struct gr_script *script)
{
    must(gr_script_run(script, pg, &err));
    gr_script_free(script);
}

static void
make_session(void)
{
    struct gr_buf sql = gr_buf_new(0);

    gr_table_session_sql(&ticket_table, &sql);
    gr_table_session_sql(&message_table, &sql);
    gr_table_session_sql(&event_table, &sql);
    gr_table_session_sql(&tag_table, &sql);
    must(gr_pg_exec(pg, gr_buf_text(&sql), &err));
    gr_buf_free(&sql);
}

static int
open_all(void **state)
{
    (void)state;
    admin_target = cluster_target("postgres", "postgres");
    must(gr_pg_open(&admin_target, &pg, &err));
    must(gr_pg_open(&admin_target, &admin, &err));
    must(gr_state_open(pg, STATE, &err));
    must(gr_table_open(pg, &tickets, STATE, &ticket_table, &err));
    must(gr_table_open(pg, &messages, STATE, &message_table, &err));
    must(gr_table_open(pg, &events, STATE, &event_table, &err));
    must(gr_table_open(pg, &tags, STATE, &tag_table, &err));
    make_session();
    return 0;
}

static int
close_all(void **state)
{
    (void)state;
    gr_table_free(&ticket_table);
    gr_table_free(&message_table);
    gr_table_free(&event_table);
    gr_table_free(&tag_table);
    gr_pg_close(pg);
    gr_pg_close(admin);
    return 0;
}

static bool finds_known; /* what is here already is asked for, and not sent */

static int
clean(void **state)
{
    (void)state;
    finds_known = false;
    run_sql("truncate gorgias.tickets, gorgias.ticket_messages, gorgias.events, gorgias.tags,"
            " _gorgias_replicate.queue restart identity cascade");
    return 0;
}

static int
clean_and_find(void **state)
{
    (void)clean(state);
    finds_known = true;
    return 0;
}

static int64_t
read_int(const unsigned char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* What is known of the tuples of tickets in `copy`; returns their number. */
static size_t
describe(const struct gr_buf *copy, struct gr_tuple *tuples, size_t max)
{
    const unsigned char *at = (const unsigned char *)copy->data;
    const unsigned char *end = at + copy->len;
    size_t count = 0;

    while (at < end) {
        const unsigned char *begin = at;
        int64_t fields = read_int(at, 2);

        assert_true(count < max);
        tuples[count].key = read_int(at + 6, 8);
        at += 2;
        for (int64_t i = 0; i < fields; i++) {
            int64_t len = read_int(at, 4);

            if (i == fields - 2)
                tuples[count].hash = read_int(at + 4, 8);
            at += 4 + (len == 0xFFFFFFFF ? 0 : len);
        }
        tuples[count++].bytes = (size_t)(at - begin);
    }
    return count;
}

static const struct gr_feed to_messages = {
    .object = "gorgias.ticket_messages", .kind = GR_FEED_CHILD, .reason = "changed"};

static struct gr_counts
merge_tickets(struct gr_buf *copy, const struct gr_feed *feeds, size_t feed_count)
{
    struct gr_script *script = gr_script_new("tickets: commit");
    struct gr_tuple tuples[256] = {0};
    size_t count = finds_known ? describe(copy, tuples, COUNT_OF(tuples)) : 0;
    size_t step =
        gr_commit_merge(script, &ticket_table, copy, tuples, count, NULL, feeds, feed_count);
    struct gr_counts counts;

    must(gr_script_run(script, pg, &err));
    counts = gr_commit_counts(script, step);
    counts.unchanged += (int64_t)gr_script_left_out(script);
    gr_script_free(script);
    return counts;
}

static struct gr_counts
merge_ticket(int64_t id, const char *subject, const char *updated, int64_t hash)
{
    struct gr_buf copy = gr_buf_new(0);

    put_ticket(&copy, id, subject, 0, JAN1, updated, hash);
    return merge_tickets(&copy, NULL, 0);
}

#define SUBJECT "select subject from gorgias.tickets where id = 1"

static void
inserts_and_casts(void **state)
{
    (void)state;
    check_counts(merge_ticket(1, "a", JAN1, 7), 1, 0, 0, 0);
    check("select (id, subject, meta->'a'->>1, created_datetime = '2024-01-01 00:00Z',"
          " _hash, _deleted_at, _extra, _loaded_at > now() - interval '1 minute')"
          " from gorgias.tickets",
          "(1,a,2,t,7,,,t)");
}

/* Version by version: what the table has, what is staged, what comes of it. */
static void
newest_version_wins(void **state)
{
    /* clang-format off */
    static const struct {
        const char *stored;
        const char *staged;
        int64_t hash;       /* stored is 1 */
        bool is_written;
    } cases[] = {
        {JAN2, JAN3, 2, true},  /* newer                            */
        {JAN2, JAN3, 1, false}, /* newer, yet the same              */
        {JAN2, JAN2, 2, true},  /* as old, but differs              */
        {JAN2, JAN2, 1, false},
        {JAN2, JAN1, 2, false}, /* older                            */
        {JAN2, NULL, 2, true},  /* no time: the fingerprint decides */
        {JAN2, NULL, 1, false},
        {NULL, JAN1, 2, true},
        {NULL, NULL, 2, true},
        {NULL, NULL, 1, false},
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)clean(state);
        (void)merge_ticket(1, "old", cases[i].stored, 1);
        check_counts(merge_ticket(1, "new", cases[i].staged, cases[i].hash), 0, cases[i].is_written,
                     !cases[i].is_written, 0);
        check(SUBJECT, cases[i].is_written ? "new" : "old");
    }
}

/* Law: merging a batch of versions of a key is merging the newest alone. */
static void
batch_keeps_the_newest(void **state)
{
    struct gr_buf copy = gr_buf_new(0);

    (void)state;
    put_ticket(&copy, 1, "second", 0, JAN1, JAN2, 2);
    put_ticket(&copy, 1, "third", 0, JAN1, JAN3, 3);
    put_ticket(&copy, 1, "first", 0, JAN1, JAN1, 1);
    put_ticket(&copy, 1, "timeless", 0, JAN1, NULL, 4);
    put_ticket(&copy, 2, "early", 0, JAN1, JAN1, 5);
    put_ticket(&copy, 2, "late", 0, JAN1, JAN1, 6);
    check_counts(merge_tickets(&copy, NULL, 0), 2, 0, 0, 0);
    check(SUBJECT, "third");
    check("select subject from gorgias.tickets where id = 2", "late");
    /* The newest is here already: an older duplicate must not slip past it. */
    put_ticket(&copy, 2, "other", 0, JAN1, JAN1, 8);
    put_ticket(&copy, 2, "late", 0, JAN1, JAN1, 6);
    check_counts(merge_tickets(&copy, NULL, 0), 0, 0, 1, 0);
    check("select subject from gorgias.tickets where id = 2", "late");
}

/* The row itself, not only its values: same version, same place, never locked. */
#define TRACE                                                                                      \
    "select string_agg(concat_ws(' ', xmin, xmax, ctid, _loaded_at), ',' order by id)"             \
    " from gorgias.tickets where id > 1"

static void
unchanged_rows_stay_untouched(void **state)
{
    struct gr_buf copy = gr_buf_new(0);
    char before[256];
    char writes[64];

    (void)state;
    for (int64_t id = 1; id <= 3; id++)
        put_ticket(&copy, id, "a", 0, JAN1, JAN2, id);
    check_counts(merge_tickets(&copy, &to_messages, 1), 3, 0, 0, 0);
    (void)snprintf(before, sizeof(before), "%s", ask(TRACE));
    put_ticket(&copy, 1, "b", 0, JAN1, JAN3, 99);
    put_ticket(&copy, 2, "a", 0, JAN1, JAN2, 2);
    put_ticket(&copy, 3, "old", 0, JAN1, JAN1, 98);
    check_counts(merge_tickets(&copy, &to_messages, 1), 0, 1, 2, 0);
    assert_string_equal(ask(TRACE), before);

    /* Nothing changed at all: not even a page of the table is written, as a lock would. After a
       checkpoint that page would go to the log as a whole; what remains is the session's own.
       Vacuumed, because whoever reads a page may tidy it up. */
    for (int64_t id = 2; id <= 200; id++)
        put_ticket(&copy, id, "a", 0, JAN1, JAN2, id);
    (void)merge_tickets(&copy, NULL, 0);
    for (int64_t id = 2; id <= 200; id++)
        put_ticket(&copy, id, "a", 0, JAN1, JAN2, id);
    run_sql("vacuum gorgias.tickets");
    run_sql("checkpoint");
    (void)snprintf(writes, sizeof(writes), "%.40s", ask("select pg_current_wal_insert_lsn()"));
    check_counts(merge_tickets(&copy, NULL, 0), 0, 0, 199, 0);
    (void)snprintf(before, sizeof(before),
                   "select pg_current_wal_insert_lsn() - '%s'::pg_lsn < 4000", writes);
    check(before, "t");
}

static void
deleted_rows_come_back(void **state)
{
    (void)state;
    (void)merge_ticket(1, "a", JAN2, 1);
    run_sql("update gorgias.tickets set _deleted_at = now()");
    check_counts(merge_ticket(1, "a", JAN1, 1), 0, 0, 1, 0); /* older: says nothing */
    check("select _deleted_at is not null from gorgias.tickets", "t");
    check_counts(merge_ticket(1, "a", JAN2, 1), 0, 1, 0, 0);
    check("select _deleted_at is null from gorgias.tickets", "t");
}

static struct gr_counts
merge_message(int64_t id, int64_t ticket, int64_t hash)
{
    struct gr_script *script = gr_script_new("ticket_messages: commit");
    struct gr_buf copy = gr_buf_new(0);
    size_t step;

    put_message(&copy, id, ticket, "b", JAN1, hash);
    step = gr_commit_merge(script, &message_table, &copy, NULL, 0, ticket_table.name, NULL, 0);
    return run_counted(script, step);
}

#define MARKED                                                                                     \
    "select t._deleted_at = m._deleted_at from gorgias.tickets as t,"                              \
    " gorgias.ticket_messages as m where t.id = 1"

static void
children_follow_a_deleted_parent(void **state)
{
    (void)state;
    (void)merge_ticket(1, "a", JAN2, 1);
    (void)merge_ticket(2, "a", JAN2, 1);
    run_sql("update gorgias.tickets set _deleted_at = '2024-05-01' where id = 1");
    check_counts(merge_message(10, 1, 1), 1, 0, 0, 0);
    check(MARKED, "t");
    check_counts(merge_message(10, 1, 1), 0, 0, 1, 0); /* not revived */
    check_counts(merge_message(10, 1, 2), 0, 1, 0, 0); /* changed, still marked */
    check(MARKED, "t");
    check_counts(merge_message(10, 2, 3), 0, 1, 0, 0); /* moved to a ticket that lives */
    check("select _deleted_at is null from gorgias.ticket_messages", "t");
    check_counts(merge_message(11, 77, 3), 1, 0, 0, 0); /* of a ticket that is not here */
    check("select _deleted_at is null from gorgias.ticket_messages where id = 11", "t");
}

#define QUEUE                                                                                      \
    "select string_agg(concat_ws(':', key, coalesce(to_char(v, 'DD'), '-'), reason), ' '"          \
    " order by seq) from _gorgias_replicate.queue"

static void
feeds_what_was_written(void **state)
{
    struct gr_buf copy = gr_buf_new(0);

    (void)state;
    put_ticket(&copy, 2, "a", 0, JAN1, JAN1, 1);
    put_ticket(&copy, 1, "a", 0, JAN1, JAN2, 1);
    put_ticket(&copy, 1, "b", 0, JAN1, JAN1, 2);
    (void)merge_tickets(&copy, &to_messages, 1);
    check("select count(*) from _gorgias_replicate.queue", "2");
    check("select v = '2024-01-02 00:00Z' from _gorgias_replicate.queue where key = 1", "t");
    run_sql("delete from _gorgias_replicate.queue");
    put_ticket(&copy, 1, "a", 0, JAN1, JAN2, 1); /* unchanged: no entry */
    put_ticket(&copy, 2, "a", 0, JAN1, JAN3, 2);
    (void)merge_tickets(&copy, &to_messages, 1);
    check(QUEUE, "2:03:changed");
    run_sql("update gorgias.tickets set _deleted_at = now() where id = 1");
    put_ticket(&copy, 1, "a", 0, JAN1, JAN2, 1); /* revived */
    (void)merge_tickets(&copy, &to_messages, 1);
    check(QUEUE, "2:03:changed 1:02:changed");
}

/* An entry moves to the end of the queue where there is news for it. */
static void
feeds_an_entry_again(void **state)
{
    /* clang-format off */
    static const struct { const char *waiting; const char *fed; const char *after; bool moves; }
    cases[] = {
        {"'2024-01-01'", JAN2, "02", true},
        {"'2024-01-02'", JAN2, "02", true},
        {"'2024-01-03'", JAN2, "03", false},
        {"null",         JAN2, "02", true},
        {"'2024-01-03'", NULL, "-",  true},
    };
    /* clang-format on */

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct gr_buf copy = gr_buf_new(0);
        char sql[256];

        (void)clean(state);
        (void)snprintf(sql, sizeof(sql),
                       "insert into _gorgias_replicate.queue (object, key, v, reason) values"
                       " ('gorgias.ticket_messages', 1, %s::timestamp at time zone 'UTC', 'x')",
                       cases[i].waiting);
        run_sql(sql);
        put_ticket(&copy, 1, "a", 0, JAN1, cases[i].fed, 1);
        (void)merge_tickets(&copy, &to_messages, 1);
        check("select coalesce(to_char(v, 'DD'), '-') from _gorgias_replicate.queue",
              cases[i].after);
        check("select seq > 1 from _gorgias_replicate.queue", cases[i].moves ? "t" : "f");
    }
}

static struct gr_counts
merge_events(struct gr_buf *copy)
{
    static const char *const ticket_types[] = {"ticket-deleted", "ticket-merged"};
    static const char *const message_types[] = {"ticket-message-updated"};
    const struct gr_feed feeds[] = {
        {.object = "gorgias.tickets",
         .kind = GR_FEED_EVENT,
         .event_object = "Ticket",
         .types = ticket_types,
         .type_count = 2,
         .reason = "event"},
        {.object = "gorgias.ticket_messages" GR_QUEUE_OF_ROWS,
         .kind = GR_FEED_EVENT,
         .event_object = "TicketMessage",
         .types = message_types,
         .type_count = 1,
         .reason = "event"},
    };
    struct gr_script *script = gr_script_new("events: commit");
    size_t step =
        gr_commit_merge(script, &event_table, copy, NULL, 0, NULL, feeds, COUNT_OF(feeds));

    return run_counted(script, step);
}

#define QUEUE_OF                                                                                   \
    "select string_agg(concat_ws(':', object, key, to_char(v, 'DD')), ' ' order by object, key)"   \
    " from _gorgias_replicate.queue"

/* Messages that events have named become tickets to ask for. */
static void
resolve(void)
{
    struct gr_script *script = gr_script_new("resolve");

    gr_commit_queue_resolve(script, &message_table);
    run_script(script);
}

/* Whichever side of a merge an event names, the others are in its data. */
static void
merges_name_both_sides(void **state)
{
    static const char *const types[] = {"ticket-deleted", "ticket-merged"};
    const struct gr_feed feeds[] = {
        {.object = "gorgias.tickets",
         .kind = GR_FEED_EVENT,
         .event_object = "Ticket",
         .types = types,
         .type_count = 2,
         .merges = types + 1,
         .merge_count = 1,
         .reason = "event"},
        {.object = "gorgias.ticket_messages",
         .kind = GR_FEED_EVENT,
         .event_object = "Ticket",
         .types = types + 1,
         .type_count = 1,
         .merges = types + 1,
         .merge_count = 1,
         .only_in = ticket_table.name,
         .only_in_key = "id",
         .reason = "event"},
    };
    struct gr_script *script = gr_script_new("events: commit");
    struct gr_buf copy = gr_buf_new(0);
    size_t step;

    (void)state;
    (void)merge_ticket(1, "a", JAN1, 1);
    (void)merge_ticket(2, "a", JAN1, 1);
    put_event_with(&copy, 1, "Ticket", 1, "ticket-merged", JAN2,
                   "{\"from\": {\"id\": 2}, \"ids\": [\"3\", -4, 5.5, true, \"x6\"], \"at\":"
                   " 99999999999999999999}");
    put_event_with(&copy, 2, "Ticket", 7, "ticket-deleted", JAN2, "{\"id\": 8}");
    step = gr_commit_merge(script, &event_table, &copy, NULL, 0, NULL, feeds, COUNT_OF(feeds));
    check_counts(run_counted(script, step), 2, 0, 0, 0);
    check(QUEUE_OF, "gorgias.ticket_messages:1:02 gorgias.ticket_messages:2:02"
                    " gorgias.tickets:1:02 gorgias.tickets:2:02 gorgias.tickets:3:02"
                    " gorgias.tickets:7:02");
}

static void
events_feed_once(void **state)
{
    struct gr_buf copy = gr_buf_new(0);

    (void)state;
    (void)merge_message(10, 5, 1);
    put_event(&copy, 1, "Ticket", 7, "ticket-deleted", JAN1);
    put_event(&copy, 2, "Ticket", 7, "ticket-merged", JAN2);
    put_event(&copy, 3, "Ticket", 8, "ticket-created", JAN2);
    put_event(&copy, 4, "Customer", 9, "ticket-deleted", JAN2);
    put_event(&copy, 5, "TicketMessage", 10, "ticket-message-updated", JAN3);
    put_event(&copy, 6, "TicketMessage", 11, "ticket-message-updated", JAN3); /* not known here */
    check_counts(merge_events(&copy), 6, 0, 0, 0);
    check(QUEUE_OF, "gorgias.ticket_messages#rows:10:03 gorgias.ticket_messages#rows:11:03"
                    " gorgias.tickets:7:02");
    resolve();
    check(QUEUE_OF, "gorgias.ticket_messages:5:03 gorgias.tickets:7:02");
    run_sql("delete from _gorgias_replicate.queue");
    put_event(&copy, 1, "Ticket", 7, "ticket-deleted", JAN1);
    put_event(&copy, 5, "TicketMessage", 10, "ticket-message-updated", JAN3);
    check_counts(merge_events(&copy), 0, 0, 2, 0); /* the lookback reads them again */
    check("select count(*) from _gorgias_replicate.queue", "0");
}

/* A full walk of tags with these ids; hashes are the ids but for `changed`. */
static struct gr_counts
refresh(const struct gr_table *table, const int64_t *ids, size_t count, int64_t changed,
        enum gr_finish finish, const char *const *keep, size_t keep_count)
{
    struct gr_script *script = gr_script_new("tags: begin");
    struct gr_buf copy = gr_buf_new(0);
    size_t step;

    gr_commit_scan_begin(script, table);
    run_script(script);
    for (size_t i = 0; i < count; i++) { /* two rows a page */
        put_tag(&copy, ids[i], ids[i] == changed ? "changed" : "tag",
                ids[i] == changed ? -ids[i] : ids[i]);
        if (i % 2 == 0 && i + 1 < count)
            continue;
        script = gr_script_new("tags: page");
        gr_commit_scan_page(script, table, &copy);
        run_script(script);
    }
    script = gr_script_new("tags: count");
    step = gr_commit_scan_count(script, table);
    must(gr_script_run(script, pg, &err));
    assert_int_equal(gr_rows_int(gr_script_rows(script, step), 0, 0), count);
    gr_script_free(script);
    script = gr_script_new("tags: finish");
    step = gr_commit_scan_finish(script, table, finish, keep, keep_count, NULL, NULL, 0);
    return run_counted(script, step);
}

#define TAGS                                                                                       \
    "select string_agg(id || case when _deleted_at is null then '' else 'x' end, ' '"              \
    " order by id) from gorgias.tags"

static int64_t
at(const char *text)
{
    int64_t us = 0;

    assert_true(gr_time_parse(text, strlen(text), &us));
    return us;
}

/* Ticket, number of its messages, when it was created and changed. */
static void
fill_tickets(const struct gr_feed *feeds, size_t feed_count)
{
    const struct gr_tuple tuples[] = {{.key = 1, .value_us = at(JAN2)},
                                      {.key = 2, .value_us = at(JAN2)},
                                      {.key = 3, .value_us = at(JAN2)},
                                      {.key = 4, .value_us = at(JAN3)},
                                      {.key = 5, .value_us = GR_TIME_NONE}};
    struct gr_script *script = gr_script_new("tickets: fill");
    struct gr_buf copy = gr_buf_new(0);
    size_t step;

    put_typed_ticket(&copy, 1, 1, JAN2, JAN2);
    put_typed_ticket(&copy, 2, 2, JAN2, JAN2);
    put_typed_ticket(&copy, 3, 1, JAN1, JAN2); /* its message lies below the floor */
    put_typed_ticket(&copy, 4, 0, JAN2, JAN3); /* changed after the walk began */
    put_typed_ticket(&copy, 5, 0, JAN2, JAN2);
    step = gr_commit_fill(script, &ticket_table);
    gr_script_append(script, &copy);
    gr_buf_free(&copy);
    gr_commit_filled(script, &ticket_table, tuples, COUNT_OF(tuples), feeds, feed_count);
    gr_script_copy_close(script);
    must(gr_script_run(script, pg, &err));
    assert_int_equal(gr_script_touched(script, step), 5);
    gr_script_free(script);
}

static void
a_fill_feeds_a_child_that_is_run(void **state)
{
    struct gr_feed feed = to_messages;

    (void)state;
    feed.is_run = true;
    fill_tickets(&feed, 1);
    check("select string_agg(concat_ws(':', key, coalesce(to_char(v, 'DD'), '-'), reason), ' '"
          " order by key) from _gorgias_replicate.queue",
          "1:02:changed 2:02:changed 3:02:changed 4:03:changed 5:-:changed");
}

static void
fills_an_empty_table(void **state)
{
    struct gr_script *script = gr_script_new("tickets: fill");
    struct gr_buf copy = gr_buf_new(0);

    (void)state;
    fill_tickets(NULL, 0);
    check("select (subject, meta->'a'->>1, _hash, _deleted_at, _extra->>'x',"
          " _loaded_at > now() - interval '1 minute') from gorgias.tickets where id = 2",
          "(s,2,2,,1,t)");
    check("select count(*) from _gorgias_replicate.queue", "0");
    /* A key that is there fails all of it: then the rows are to be merged. */
    put_typed_ticket(&copy, 9, 1, JAN1, JAN1);
    put_typed_ticket(&copy, 2, 1, JAN1, JAN1);
    (void)gr_commit_fill(script, &ticket_table);
    gr_script_append(script, &copy);
    gr_buf_free(&copy);
    gr_script_copy_close(script);
    assert_false(gr_script_run(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_DATA);
    gr_script_free(script);
    check("select count(*) from gorgias.tickets", "5");
}

/* Of what is here already nothing is sent; what is sent is merged as ever. Done again, no more. */
static void
known_rows_are_not_sent(void **state)
{
    struct gr_script *script = gr_script_new("tickets: commit");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_tuple tuples[8] = {0};
    size_t count, step;

    (void)state;
    for (int64_t id = 1; id <= 5; id++)
        put_ticket(&copy, id, "a", 0, JAN1, JAN2, id);
    check_counts(merge_tickets(&copy, NULL, 0), 5, 0, 0, 0);
    run_sql("update gorgias.tickets set _deleted_at = now() where id = 4");
    put_ticket(&copy, 1, "same", 0, JAN1, JAN2, 1);
    put_ticket(&copy, 2, "new", 0, JAN1, JAN3, 99);
    put_ticket(&copy, 3, "same", 0, JAN1, JAN2, 3);
    put_ticket(&copy, 4, "back", 0, JAN1, JAN2, 4);
    put_ticket(&copy, 5, "same", 0, JAN1, JAN2, 5);
    put_ticket(&copy, 6, "first", 0, JAN1, JAN2, 6);
    count = describe(&copy, tuples, COUNT_OF(tuples));
    step = gr_commit_merge(script, &ticket_table, &copy, tuples, count, NULL, NULL, 0);
    must(gr_script_run(script, pg, &err));
    check_counts(gr_commit_counts(script, step), 1, 2, 0, 0);
    assert_int_equal(gr_script_left_out(script), 3);
    check("select string_agg(subject, ' ' order by id) from gorgias.tickets where _deleted_at is "
          "null",
          "a new a back a first");
    must(gr_script_run(script, pg, &err));
    check_counts(gr_commit_counts(script, step), 0, 0, 0, 0);
    assert_int_equal(gr_script_left_out(script), 3);
    /* Once more, when one of them has changed back meanwhile. */
    run_sql("update gorgias.tickets set _hash = 0 where id = 2");
    must(gr_script_run(script, pg, &err));
    check_counts(gr_commit_counts(script, step), 0, 1, 2, 0);
    gr_script_free(script);
}

static void
census(int64_t walk_clock_us, int64_t floor_us)
{
    struct gr_script *script = gr_script_new("census");

    gr_commit_queue_census(script, &message_table, ticket_table.name, walk_clock_us, floor_us);
    run_script(script);
}

static void
one_entry_stands_for_all_parents(void **state)
{
    (void)state;
    message_table.parent = &ticket_table;
    fill_tickets(&to_messages, 1);
    check(QUEUE_OF, "gorgias.ticket_messages:0");
    (void)merge_message(10, 1, 1);
    (void)merge_message(20, 2, 1);
    (void)merge_message(30, 3, 1);
    run_sql("update gorgias.ticket_messages set created_datetime = '2023-01-01Z' where id = 30");
    census(at(JAN3), at(JAN1));
    check(QUEUE_OF, "gorgias.ticket_messages:2:02 gorgias.ticket_messages:3:02"
                    " gorgias.ticket_messages:4:03");
    run_sql("delete from _gorgias_replicate.queue");
    census(at(JAN3), at(JAN1)); /* without that entry there is nothing to count */
    check("select count(*) from _gorgias_replicate.queue", "0");
    run_sql("insert into _gorgias_replicate.queue (object, key, reason)"
            " values ('gorgias.ticket_messages', 0, 'all')");
    census(GR_TIME_NONE, INT64_MAX); /* a walk that has answered nothing */
    check("select string_agg(key::text, ' ' order by key) from _gorgias_replicate.queue",
          "1 2 3 4 5");
    message_table.parent = NULL;
}

/* A fill does not look at the parents: afterwards their deletions are passed on. */
static void
orphans_are_marked(void **state)
{
    struct gr_script *script = gr_script_new("orphans");

    (void)state;
    fill_tickets(NULL, 0);
    (void)merge_message(10, 1, 1);
    (void)merge_message(20, 2, 1);
    run_sql("update gorgias.tickets set _deleted_at = '2024-01-05Z' where id = 1");
    gr_commit_orphans(script, &message_table, ticket_table.name);
    run_script(script);
    check("select string_agg(concat(id, ':', to_char(_deleted_at, 'DD')), ' ' order by id)"
          " from gorgias.ticket_messages",
          "10:05 20:");
}

static void
difference_makes_equal(void **state)
{
    static const int64_t first[] = {1, 2, 3, 4};
    static const int64_t second[] = {5, 2, 3};
    static const char *const keep[] = {"4"};
    char before[256];

    (void)state;
    check_counts(refresh(&tag_table, first, 4, 0, GR_FINISH_DIFFERENCE, NULL, 0), 4, 0, 0, 0);
    (void)snprintf(before, sizeof(before), "%s",
                   ask("select concat_ws(' ', xmin, xmax, ctid) from gorgias.tags where id = 2"));
    check_counts(refresh(&tag_table, second, 3, 3, GR_FINISH_DIFFERENCE, keep, 1), 1, 1, 1, 1);
    check(TAGS, "2 3 4 5");
    check("select concat_ws(' ', xmin, xmax, ctid) from gorgias.tags where id = 2", before);
    check("select name from gorgias.tags where id = 3", "changed");
    check_counts(refresh(&tag_table, NULL, 0, 0, GR_FINISH_DIFFERENCE, NULL, 0), 0, 0, 0, 4);
    check("select count(*) from gorgias.tags", "0");
    check("select count(*) from pg_class where relname like 'scan\\_%'", "0");
}

static void
difference_may_mark(void **state)
{
    static const int64_t first[] = {1, 2};
    static const int64_t second[] = {2};
    struct gr_plan_stream soft = tags;
    struct gr_table table;

    (void)state;
    soft.missing = GR_MISSING_SOFT;
    must(gr_table_open(pg, &soft, STATE, &table, &err));
    (void)refresh(&table, first, 2, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    check_counts(refresh(&table, second, 1, 0, GR_FINISH_DIFFERENCE, NULL, 0), 0, 0, 1, 1);
    check(TAGS, "1x 2");
    check_counts(refresh(&table, second, 1, 0, GR_FINISH_DIFFERENCE, NULL, 0), 0, 0, 1, 0);
    check_counts(refresh(&table, first, 2, 0, GR_FINISH_DIFFERENCE, NULL, 0), 0, 1, 1, 0);
    check(TAGS, "1 2");
    check_counts(refresh(&table, second, 1, 0, GR_FINISH_MERGE, NULL, 0), 0, 0, 1, 0);
    check(TAGS, "1 2");
    gr_table_free(&table);
}

static void
what_depends_on_the_table_survives(void **state)
{
    static const int64_t ids[] = {1, 2};

    (void)state;
    (void)refresh(&tag_table, ids, 2, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    run_sql("create view gorgias.tag_names as select id, name from gorgias.tags;"
            "create table gorgias.uses (tag bigint references gorgias.tags);"
            "insert into gorgias.uses values (1); create role reader;"
            "grant select on gorgias.tags to reader; create index mine on gorgias.tags (name)");
    (void)refresh(&tag_table, ids, 1, 1, GR_FINISH_DIFFERENCE, NULL, 0);
    check("select string_agg(id || name, ' ') from gorgias.tag_names", "1changed");
    check("select has_table_privilege('reader', 'gorgias.tags', 'select')", "t");
    check("select count(*) from gorgias.uses join gorgias.tags on tag = id", "1");
    check("select count(*) from pg_class where relname = 'mine'", "1");
    run_sql("drop view gorgias.tag_names; drop table gorgias.uses;"
            "revoke select on gorgias.tags from reader; drop role reader; drop index gorgias.mine");
}

static void
truncate_replaces(void **state)
{
    static const int64_t first[] = {1, 2};
    static const int64_t second[] = {3, 2, 3};

    (void)state;
    (void)refresh(&tag_table, first, 2, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    check_counts(refresh(&tag_table, second, 3, 0, GR_FINISH_TRUNCATE, NULL, 0), 2, 0, 0, 0);
    check(TAGS, "2 3");
}

static void
snapshots_are_appended(void **state)
{
    static const int64_t ids[] = {1, 2, 1};
    struct gr_plan_stream stream = tags;
    struct gr_table table;

    (void)state;
    stream.mode = GR_MODE_SNAPSHOT;
    stream.table_name = "tag_snapshots";
    must(gr_table_open(pg, &stream, STATE, &table, &err));
    check_counts(refresh(&table, ids, 3, 0, GR_FINISH_SNAPSHOT, NULL, 0), 2, 0, 0, 0);
    check_counts(refresh(&table, ids, 2, 0, GR_FINISH_SNAPSHOT, NULL, 0), 2, 0, 0, 0);
    check("select count(*) || ' ' || count(distinct _loaded_at) from gorgias.tag_snapshots", "4 2");
    gr_table_free(&table);
}

/* The answer to the commit was lost: it runs again, and the staging is gone. */
static void
finishing_twice_is_harmless(void **state)
{
    static const int64_t ids[] = {1, 2};
    struct gr_script *script = gr_script_new("tags: finish");
    size_t step;

    (void)state;
    (void)refresh(&tag_table, ids, 2, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    step = gr_commit_scan_finish(script, &tag_table, GR_FINISH_DIFFERENCE, NULL, 0, NULL, NULL, 0);
    check_counts(run_counted(script, step), 0, 0, 0, 0);
    check(TAGS, "1 2");
}

/* A crash of the server empties unlogged tables: an empty list must not be read out of that. */
static void
an_emptied_staging_deletes_nothing(void **state)
{
    static const int64_t ids[] = {1, 2};
    struct gr_script *script = gr_script_new("tags: begin");
    struct gr_buf copy = gr_buf_new(0);
    char sql[512];
    size_t step;

    (void)state;
    (void)refresh(&tag_table, ids, 2, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    gr_commit_scan_begin(script, &tag_table);
    run_script(script);
    (void)snprintf(sql, sizeof(sql), "truncate %s", tag_table.scan_staging);
    run_sql(sql);
    script = gr_script_new("tags: finish");
    (void)gr_commit_scan_finish(script, &tag_table, GR_FINISH_DIFFERENCE, NULL, 0, NULL, NULL, 0);
    assert_false(gr_script_run(script, pg, &err));
    assert_int_equal(err.fault, GR_FAULT_UNSTAGED);
    gr_script_free(script);
    put_tag(&copy, 1, "a", 1);
    script = gr_script_new("tags: page");
    gr_commit_scan_page(script, &tag_table, &copy);
    assert_false(gr_script_run(script, pg, &err));
    gr_script_free(script);
    check(TAGS, "1 2");
    script = gr_script_new("tags: count");
    step = gr_commit_scan_count(script, &tag_table);
    must(gr_script_run(script, pg, &err));
    assert_int_equal(gr_rows_int(gr_script_rows(script, step), 0, 0), 0);
    gr_script_free(script);
    check_counts(refresh(&tag_table, ids, 1, 0, GR_FINISH_DIFFERENCE, NULL, 0), 0, 0, 1, 1);
}

static void
leftovers_of_another_layout_go(void **state)
{
    static const int64_t ids[] = {1};
    struct gr_plan_stream narrow = tags;
    struct gr_script *script = gr_script_new("tags: begin");
    struct gr_table table;

    (void)state;
    narrow.column_count = 1;
    gr_table_describe(&narrow, STATE, &table);
    assert_string_not_equal(table.scan_staging, tag_table.scan_staging);
    gr_commit_scan_begin(script, &table);
    run_script(script);
    run_sql("create table _gorgias_replicate.\"scan_gorgias.tags_more_0123456789abcdef\" ()");
    (void)refresh(&tag_table, ids, 1, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    check("select relname from pg_class where relname like 'scan\\_%'",
          "scan_gorgias.tags_more_0123456789abcdef"); /* of another object */
    run_sql("drop table _gorgias_replicate.\"scan_gorgias.tags_more_0123456789abcdef\"");
    gr_table_free(&table);
}

static void
missing_rows_are_named(void **state)
{
    static const int64_t ids[] = {1, 2, 3};
    struct gr_script *script;
    struct gr_buf copy = gr_buf_new(0);
    size_t step;

    (void)state;
    (void)refresh(&tag_table, ids, 3, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    run_sql("update gorgias.tags set _deleted_at = now() where id = 3");
    put_tag(&copy, 2, "tag", 2);
    script = gr_script_new("tags: missing");
    gr_commit_scan_begin(script, &tag_table);
    gr_commit_scan_page(script, &tag_table, &copy);
    step = gr_commit_scan_missing(script, &tag_table, 10);
    must(gr_script_run(script, pg, &err));
    assert_int_equal(gr_script_touched(script, step), 1);
    assert_string_equal(gr_rows_text(gr_script_rows(script, step), 0, 0), "1");
    gr_script_free(script);
}

static void
stage_set(const int64_t (*rows)[2], size_t count)
{
    struct gr_script *script = gr_script_new("ticket_messages: set");
    struct gr_buf copy = gr_buf_new(0);

    for (size_t i = 0; i < count; i++)
        put_message(&copy, rows[i][0], rows[i][1], "b", JAN1, rows[i][0]);
    gr_commit_set_page(script, &message_table, &copy);
    run_script(script);
}

static const struct gr_feed left = {
    .object = "gorgias.tickets", .kind = GR_FEED_FORMER, .column = 1, .reason = "left"};

static struct gr_counts
finish_set(const int64_t *parents, size_t count)
{
    struct gr_script *script = gr_script_new("ticket_messages: finish");
    size_t step = gr_commit_set_finish(script, &message_table, parents, count, parents, count,
                                       ticket_table.name, &left, 1);

    return run_counted(script, step);
}

#define MESSAGES                                                                                   \
    "select string_agg(concat(ticket_id, '/', id, case when _deleted_at is not null then 'x' "     \
    "end),"                                                                                        \
    " ' ' order by ticket_id, id) from gorgias.ticket_messages"

static void
sets_replace_sets(void **state)
{
    static const int64_t first[][2] = {{10, 1}, {11, 1}, {20, 2}, {30, 3}};
    static const int64_t page1[][2] = {{10, 1}, {20, 2}};
    static const int64_t page2[][2] = {{12, 1}};
    static const int64_t all[] = {1, 2, 3};
    static const int64_t moved[][2] = {{11, 2}};
    static const int64_t two[] = {2};

    (void)state;
    stage_set(first, 4);
    check_counts(finish_set(all, 3), 4, 0, 0, 0);
    stage_set(page1, 2);
    stage_set(page2, 1);
    check_counts(finish_set(all, 1), 1, 0, 1, 1); /* ticket 1 alone; 2 stays staged */
    check(MESSAGES, "1/10 1/11x 1/12 2/20 3/30");
    /* A message that has moved is in the set of its new ticket, whichever comes first. */
    (void)merge_ticket(2, "a", JAN1, 1);
    stage_set(moved, 1);
    check_counts(finish_set(two, 1), 0, 1, 1, 0);
    check(MESSAGES, "1/10 1/12 2/11 2/20 3/30");
    /* ... and the ticket that it has left is to be asked for: no event may name it. */
    check("select string_agg(concat_ws(':', object, key, coalesce(v::text, '-'), reason), ' ')"
          " from _gorgias_replicate.queue",
          "gorgias.tickets:1:-:left");
    check_counts(finish_set(all, 3), 0, 0, 0, 5); /* nothing staged: their sets are empty */
    stage_set(first, 4);
    {
        struct gr_script *script = gr_script_new("forget");
        gr_commit_set_forget(script, &message_table, all, 2);
        run_script(script);
    }
    (void)merge_ticket(3, "a", JAN1, 1);
    check_counts(finish_set(all + 2, 1), 0, 1, 0, 0); /* 30 is left of the staging */
}

/* Messages of a ticket that came and went unseen may be listed on: once marked they stay so until
   their ticket comes. */
static void
the_marked_come_back_with_their_parent(void **state)
{
    static const int64_t rows[][2] = {{10, 1}};
    static const int64_t one[] = {1};

    (void)state;
    stage_set(rows, 1);
    check_counts(finish_set(one, 1), 1, 0, 0, 0);
    check_counts(finish_set(one, 1), 0, 0, 0, 1);
    stage_set(rows, 1);
    check_counts(finish_set(one, 1), 0, 0, 1, 0);
    (void)merge_ticket(1, "a", JAN1, 1);
    stage_set(rows, 1);
    check_counts(finish_set(one, 1), 0, 1, 0, 0);
}

static void
gone_takes_children_along(void **state)
{
    static const int64_t first[][2] = {{10, 1}, {11, 1}, {20, 2}};
    static const int64_t all[] = {1, 2};
    static const int64_t keys[] = {1, 99};
    struct gr_script *script = gr_script_new("gone");
    size_t step;

    (void)state;
    (void)merge_ticket(1, "a", JAN1, 1);
    (void)merge_ticket(2, "a", JAN1, 1);
    stage_set(first, 3);
    (void)finish_set(all, 2);
    step = gr_commit_gone(script, &ticket_table, keys, 2, &message_table, NULL, 0);
    must(gr_script_run(script, pg, &err));
    check_counts(gr_commit_counts(script, step), 0, 0, 0, 1);
    assert_int_equal(gr_rows_int(gr_script_rows(script, step), 0, 4), 2);
    check(MESSAGES, "1/10x 1/11x 2/20");
    check("select count(distinct d) from (select _deleted_at as d from gorgias.tickets where id = 1"
          " union all select _deleted_at from gorgias.ticket_messages where ticket_id = 1) as x",
          "1");
    must(gr_script_run(script, pg, &err)); /* again: nothing more to do */
    check_counts(gr_commit_counts(script, step), 0, 0, 0, 0);
    gr_script_free(script);
    script = gr_script_new("gone, deleted");
    {
        struct gr_plan_stream hard = tickets;
        struct gr_table table;

        hard.missing = GR_MISSING_HARD;
        gr_table_describe(&hard, STATE, &table);
        step = gr_commit_gone(script, &table, keys, 2, NULL, NULL, 0);
        check_counts(run_counted(script, step), 0, 0, 0, 1);
        gr_table_free(&table);
    }
    check("select count(*) from gorgias.tickets", "1");
}

#define WAITING                                                                                    \
    "select string_agg(concat_ws(':', object, key, coalesce(to_char(v, 'DD'), '-'), reason), ' '"  \
    " order by key) from _gorgias_replicate.queue"

/* Nobody has the children's table open: their stream is told instead, and no other queue is. */
static void
gone_without_a_child_is_told_to_its_queue(void **state)
{
    static const int64_t keys[] = {1, 3};
    const struct gr_feed feeds[] = {
        to_messages, {.object = "gorgias.others", .kind = GR_FEED_EVENT, .reason = "event"}};
    struct gr_script *script = gr_script_new("gone");
    size_t step;

    (void)state;
    for (int64_t id = 1; id <= 3; id++)
        (void)merge_ticket(id, "a", JAN1, id);
    (void)merge_message(10, 1, 1);
    /* Ticket 1 waits for a version that a walk could settle, ticket 2 for one of its own. */
    run_sql("insert into _gorgias_replicate.queue (object, key, v, reason) values"
            " ('gorgias.ticket_messages', 1, '2024-01-02 00:00Z', 'changed'),"
            " ('gorgias.ticket_messages', 2, '2024-01-02 00:00Z', 'changed')");
    step = gr_commit_gone(script, &ticket_table, keys, 2, NULL, feeds, COUNT_OF(feeds));
    must(gr_script_run(script, pg, &err));
    check_counts(gr_commit_counts(script, step), 0, 0, 0, 2);
    assert_int_equal(gr_rows_int(gr_script_rows(script, step), 0, 4), 0);
    check(WAITING, "gorgias.ticket_messages:1:-:gone gorgias.ticket_messages:2:02:changed"
                   " gorgias.ticket_messages:3:-:gone");
    check("select min(seq) = (select seq from _gorgias_replicate.queue where key = 2)"
          " from _gorgias_replicate.queue",
          "t");                            /* what was fed again has moved to the end */
    must(gr_script_run(script, pg, &err)); /* again: nothing is marked, nothing queued twice */
    check_counts(gr_commit_counts(script, step), 0, 0, 0, 0);
    check("select count(*) from _gorgias_replicate.queue", "3");
    gr_script_free(script);
    check("select _deleted_at is null from gorgias.ticket_messages", "t"); /* their stream's task */
    run_sql("delete from _gorgias_replicate.queue");
    script = gr_script_new("gone, with the child");
    (void)gr_commit_gone(script, &ticket_table, keys, 2, &message_table, feeds, COUNT_OF(feeds));
    run_script(script);
    check("select count(*) from _gorgias_replicate.queue", "0");
    check("select _deleted_at is not null from gorgias.ticket_messages", "t");
}

/* A full walk of tickets with these ids, that tells the queue of their messages. */
static struct gr_counts
refresh_tickets(const struct gr_table *table, const int64_t *ids, size_t count,
                enum gr_finish finish)
{
    struct gr_script *script = gr_script_new("tickets: scan");
    struct gr_buf copy = gr_buf_new(0);
    size_t step;

    gr_commit_scan_begin(script, table);
    for (size_t i = 0; i < count; i++)
        put_ticket(&copy, ids[i], "a", 0, JAN1, JAN2, ids[i]);
    if (count > 0)
        gr_commit_scan_page(script, table, &copy);
    step = gr_commit_scan_finish(script, table, finish, NULL, 0, NULL, &to_messages, 1);
    return run_counted(script, step);
}

static void
difference_tells_the_queue_of_children(void **state)
{
    static const int64_t first[] = {1, 2, 3};
    static const int64_t second[] = {2, 4};

    for (int hard = 0; hard < 2; hard++) {
        struct gr_plan_stream stream = tickets;
        struct gr_table table;

        (void)clean(state);
        stream.missing = hard ? GR_MISSING_HARD : GR_MISSING_SOFT;
        must(gr_table_open(pg, &stream, STATE, &table, &err));
        check_counts(refresh_tickets(&table, first, 3, GR_FINISH_DIFFERENCE), 3, 0, 0, 0);
        run_sql("delete from _gorgias_replicate.queue where key <> 3");
        check(WAITING, "gorgias.ticket_messages:3:02:changed");
        check_counts(refresh_tickets(&table, second, 2, GR_FINISH_DIFFERENCE), 1, 0, 1, 2);
        check(WAITING, "gorgias.ticket_messages:1:-:changed gorgias.ticket_messages:3:-:changed"
                       " gorgias.ticket_messages:4:02:changed");
        run_sql("delete from _gorgias_replicate.queue");
        check_counts(refresh_tickets(&table, second, 2, GR_FINISH_DIFFERENCE), 0, 0, 2, 0);
        check("select count(*) from _gorgias_replicate.queue", "0"); /* marked once, told once */
        check_counts(refresh_tickets(&table, first + 1, 1, GR_FINISH_MERGE), 0, 0, 1, 0);
        check("select count(*) from _gorgias_replicate.queue", "0"); /* where nothing is deleted */
        gr_table_free(&table);
    }
}

/* Two readings of a list, staged beside each other: what either brought is there. */
static void
a_second_reading_is_staged_beside_the_first(void **state)
{
    static const int64_t ids[] = {1, 2, 3, 4};
    static const int64_t readings[2][2] = {{1, 2}, {2, 3}};
    struct gr_script *script = gr_script_new("tags: begin");
    struct gr_buf copy = gr_buf_new(0);
    size_t count_step, missing_step, step;

    (void)state;
    (void)refresh(&tag_table, ids, 4, 0, GR_FINISH_DIFFERENCE, NULL, 0);
    gr_commit_scan_begin(script, &tag_table);
    run_script(script);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++)
            put_tag(&copy, readings[i][j], "tag", readings[i][j]);
        script = gr_script_new("tags: page");
        gr_commit_scan_page(script, &tag_table, &copy);
        run_script(script);
    }
    script = gr_script_new("tags: check");
    count_step = gr_commit_scan_count(script, &tag_table);
    missing_step = gr_commit_scan_missing(script, &tag_table, 10);
    must(gr_script_run(script, pg, &err));
    assert_int_equal(gr_rows_int(gr_script_rows(script, count_step), 0, 0), 4);
    assert_int_equal(gr_script_touched(script, missing_step), 1);
    assert_string_equal(gr_rows_text(gr_script_rows(script, missing_step), 0, 0), "4");
    gr_script_free(script);
    script = gr_script_new("tags: finish");
    step = gr_commit_scan_finish(script, &tag_table, GR_FINISH_DIFFERENCE, NULL, 0, NULL, NULL, 0);
    check_counts(run_counted(script, step), 0, 0, 3, 1);
    check(TAGS, "1 2 3");
}

static void
gone_parents_take_children_along(void **state)
{
    static const int64_t first[][2] = {{10, 1}, {20, 2}, {30, 3}};
    static const int64_t all[] = {1, 2, 3};
    struct gr_script *script = gr_script_new("gone");

    (void)state;
    (void)merge_ticket(1, "a", JAN1, 1);
    (void)merge_ticket(2, "a", JAN1, 1);
    stage_set(first, 3);
    (void)finish_set(all, 3);
    gr_commit_parents_gone(script, &message_table, ticket_table.name, all + 1, 2);
    run_script(script);
    check(MESSAGES, "1/10 2/20x 3/30x");
    check("select string_agg(id::text, ' ') from gorgias.tickets where _deleted_at is null", "1");
}

static void
enqueue(const struct gr_table *table, const char *values)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql),
                   "insert into _gorgias_replicate.queue (object, key, v) select '%s', key,"
                   " v::timestamptz from (values %s) as x (key, v)",
                   table->object, values);
    run_sql(sql);
}

static void
queue_is_taken_in_order(void **state)
{
    struct gr_script *script = gr_script_new("next");
    struct gr_queue_entry entries[2];
    const struct gr_rows *rows;
    size_t step;

    (void)state;
    enqueue(&ticket_table, "(9, '2024-01-01 00:00:00.000001Z')");
    enqueue(&message_table, "(5, '2024-01-02 00:00:00.123456Z'), (4, null), (3, '2024-01-01Z')");
    step = gr_commit_queue_next(script, &message_table, 0, 2);
    must(gr_script_run(script, pg, &err));
    rows = gr_script_rows(script, step);
    assert_int_equal(rows->count, 2);
    assert_int_equal(gr_rows_int(rows, 0, 0), 5);
    assert_int_equal(gr_rows_int(rows, 0, 1), INT64_C(1704153600123456));
    assert_int_equal(gr_rows_int(rows, 1, 0), 4);
    assert_null(gr_rows_text(rows, 1, 1));
    for (size_t i = 0; i < 2; i++)
        entries[i] =
            (struct gr_queue_entry){gr_rows_int(rows, i, 0), GR_TIME_NONE, gr_rows_int(rows, i, 2)};
    gr_script_free(script);
    /* Ticket 5 changes while its messages are being read. */
    {
        struct gr_buf copy = gr_buf_new(0);

        put_ticket(&copy, 5, "a", 0, JAN1, JAN3, 1);
        (void)merge_tickets(&copy, &to_messages, 1);
    }
    script = gr_script_new("done");
    gr_commit_queue_done(script, &message_table, entries, 2);
    run_script(script);
    check(QUEUE, "9:01 3:01 5:03:changed");
    script = gr_script_new("next");
    step = gr_commit_queue_next(script, &message_table, entries[1].seq, 10);
    must(gr_script_run(script, pg, &err));
    assert_int_equal(gr_script_touched(script, step), 2);
    gr_script_free(script);
}

/* A change that the answer cannot have seen, or nobody can date, is asked for all the same. */
static void
queue_forgets_what_was_answered(void **state)
{
    const struct gr_queue_answer answers[] = {{1, INT64_C(1704153600000001)},
                                              {2, INT64_C(1704153600000000)},
                                              {3, INT64_C(1704153600000001)}};
    struct gr_script *script = gr_script_new("answered");

    (void)state;
    enqueue(&ticket_table, "(1, '2024-01-01Z')");
    enqueue(&message_table,
            "(1, '2024-01-02Z'), (2, '2024-01-02Z'), (3, null), (4, '2024-01-01Z')");
    gr_commit_queue_answered(script, &message_table, answers, 3);
    run_script(script);
    check(QUEUE, "1:01 2:02 3:- 4:01");
}

/* Events name messages; their tickets are asked for. */
static void
queue_of_rows_is_resolved(void **state)
{
    static const int64_t first[][2] = {{10, 1}, {11, 1}, {20, 2}, {30, 3}};
    static const int64_t all[] = {1, 2, 3};
    struct gr_script *script = gr_script_new("resolve");

    (void)state;
    stage_set(first, 4);
    (void)finish_set(all, 3);
    enqueue(&message_table, "(3, '2024-01-05Z')");
    run_sql("insert into _gorgias_replicate.queue (object, key, v) values"
            " ('gorgias.ticket_messages#rows', 10, '2024-01-01Z'),"
            " ('gorgias.ticket_messages#rows', 11, '2024-01-02Z'),"
            " ('gorgias.ticket_messages#rows', 20, null),"
            " ('gorgias.ticket_messages#rows', 30, '2024-01-01Z'),"
            " ('gorgias.ticket_messages#rows', 99, '2024-01-01Z')");
    gr_commit_queue_resolve(script, &message_table);
    run_script(script);
    check("select string_agg(concat_ws(':', object, key, coalesce(to_char(v, 'DD'), '-')), ' '"
          " order by key) from _gorgias_replicate.queue",
          "gorgias.ticket_messages:1:02 gorgias.ticket_messages:2:-"
          " gorgias.ticket_messages:3:05");
}

static void
queue_is_pruned(void **state)
{
    struct gr_script *script = gr_script_new("prune");

    (void)state;
    (void)merge_ticket(1, "a", JAN1, 1);
    (void)merge_ticket(2, "a", JAN1, 1);
    run_sql("update gorgias.tickets set _deleted_at = now() where id = 2");
    enqueue(&ticket_table, "(1, null), (2, null), (3, null)");
    enqueue(&message_table, "(2, null)");
    gr_commit_queue_prune(script, &ticket_table, NULL);
    run_script(script);
    check(QUEUE_OF, "gorgias.ticket_messages:2 gorgias.tickets:1");
}

/* A ticket that came and went between two walks is not in the table, but its messages may be. */
static void
queue_keeps_what_has_children(void **state)
{
    struct gr_script *script = gr_script_new("prune");

    (void)state;
    run_sql(
        "insert into gorgias.ticket_messages (id, ticket_id, _loaded_at) values (10, 3, now())");
    run_sql("insert into gorgias.ticket_messages (id, ticket_id, _loaded_at, _deleted_at)"
            " values (11, 4, now(), now())");
    enqueue(&ticket_table, "(3, null), (4, null), (5, null)");
    gr_commit_queue_prune(script, &ticket_table, &message_table);
    run_script(script);
    check(QUEUE_OF, "gorgias.tickets:3");
}

/* Tickets 1 to 7 are due; the walk has read all messages since January 2nd. */
static void
queue_of_children_is_settled(void **state)
{
    static const int64_t rows[][2] = {{10, 1}, {11, 1}, {20, 2}, {30, 3},
                                      {40, 4}, {50, 5}, {70, 7}, {71, 7}};
    static const int64_t all[] = {1, 2, 3, 4, 5, 7};
    struct gr_buf copy = gr_buf_new(0);
    struct gr_script *script;

    (void)state;
    put_ticket(&copy, 1, "complete", 2, JAN2, JAN2, 1);
    put_ticket(&copy, 2, "one is not here", 2, JAN2, JAN2, 1);
    put_ticket(&copy, 3, "has a message that is older than itself", 1, JAN2, JAN2, 1);
    put_ticket(&copy, 4, "changed after the walk began", 1, JAN2, JAN2, 1);
    put_ticket(&copy, 5, "due for a reason without time", 1, JAN2, JAN2, 1);
    put_ticket(&copy, 7, "has lost one below the walk", 1, JAN1, JAN2, 1);
    (void)merge_tickets(&copy, NULL, 0);
    stage_set(rows, COUNT_OF(rows));
    (void)finish_set(all, COUNT_OF(all));
    run_sql("update gorgias.ticket_messages set created_datetime = '2024-01-02Z'"
            " where id not in (30, 70)");
    enqueue(&message_table,
            "(1, '2024-01-02Z'), (2, '2024-01-02Z'), (3, '2024-01-02Z'),"
            " (4, '2024-01-03Z'), (5, null), (6, '2024-01-02Z'), (7, '2024-01-02Z')");
    script = gr_script_new("settle");
    gr_commit_queue_settle(script, &message_table, ticket_table.name, INT64_C(1704240000000000),
                           INT64_C(1704153600000000));
    run_script(script);
    check("select string_agg(key::text, ' ' order by key) from _gorgias_replicate.queue",
          "2 3 4 5 6 7");
}

/* An event that is newer than the ticket may tell of a deletion that is not yet counted. */
static void
an_event_is_settled_by_a_ticket_as_new_as_it(void **state)
{
    static const int64_t rows[][2] = {{10, 1}, {20, 2}};
    static const int64_t all[] = {1, 2};
    struct gr_buf copy = gr_buf_new(0);
    struct gr_script *script;

    (void)state;
    put_ticket(&copy, 1, "touched by what the event tells", 1, JAN1, JAN2, 1);
    put_ticket(&copy, 2, "not touched", 1, JAN1, JAN1, 1);
    (void)merge_tickets(&copy, NULL, 0);
    stage_set(rows, COUNT_OF(rows));
    (void)finish_set(all, COUNT_OF(all));
    enqueue(&message_table, "(1, '2024-01-02Z'), (2, '2024-01-02Z')");
    run_sql("update _gorgias_replicate.queue set reason = 'event'");
    script = gr_script_new("settle");
    gr_commit_queue_settle(script, &message_table, ticket_table.name, INT64_C(1704240000000000),
                           INT64_C(1704067200000000));
    run_script(script);
    check("select string_agg(key::text, ' ' order by key) from _gorgias_replicate.queue", "2");
}

static void
queue_of_rows_is_settled(void **state)
{
    struct gr_script *script = gr_script_new("settle");

    (void)state;
    (void)merge_ticket(1, "a", JAN2, 1);
    (void)merge_ticket(2, "a", JAN1, 1);
    enqueue(&ticket_table, "(1, '2024-01-02Z'), (2, '2024-01-02Z'), (3, '2024-01-02Z')");
    gr_commit_queue_settle(script, &ticket_table, NULL, INT64_C(1704240000000000),
                           INT64_C(1704153600000000));
    run_script(script);
    check("select string_agg(key::text, ' ' order by key) from _gorgias_replicate.queue", "2 3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(inserts_and_casts, clean),
        cmocka_unit_test_setup(inserts_and_casts, clean_and_find),
        cmocka_unit_test_setup(newest_version_wins, clean),
        cmocka_unit_test_setup(newest_version_wins, clean_and_find),
        cmocka_unit_test_setup(batch_keeps_the_newest, clean),
        cmocka_unit_test_setup(batch_keeps_the_newest, clean_and_find),
        cmocka_unit_test_setup(unchanged_rows_stay_untouched, clean),
        cmocka_unit_test_setup(unchanged_rows_stay_untouched, clean_and_find),
        cmocka_unit_test_setup(known_rows_are_not_sent, clean),
        cmocka_unit_test_setup(deleted_rows_come_back, clean),
        cmocka_unit_test_setup(children_follow_a_deleted_parent, clean),
        cmocka_unit_test_setup(feeds_what_was_written, clean),
        cmocka_unit_test_setup(feeds_an_entry_again, clean),
        cmocka_unit_test_setup(merges_name_both_sides, clean),
        cmocka_unit_test_setup(fills_an_empty_table, clean),
        cmocka_unit_test_setup(a_fill_feeds_a_child_that_is_run, clean),
        cmocka_unit_test_setup(one_entry_stands_for_all_parents, clean),
        cmocka_unit_test_setup(orphans_are_marked, clean),
        cmocka_unit_test_setup(events_feed_once, clean),
        cmocka_unit_test_setup(difference_makes_equal, clean),
        cmocka_unit_test_setup(difference_may_mark, clean),
        cmocka_unit_test_setup(what_depends_on_the_table_survives, clean),
        cmocka_unit_test_setup(truncate_replaces, clean),
        cmocka_unit_test_setup(snapshots_are_appended, clean),
        cmocka_unit_test_setup(finishing_twice_is_harmless, clean),
        cmocka_unit_test_setup(an_emptied_staging_deletes_nothing, clean),
        cmocka_unit_test_setup(leftovers_of_another_layout_go, clean),
        cmocka_unit_test_setup(missing_rows_are_named, clean),
        cmocka_unit_test_setup(sets_replace_sets, clean),
        cmocka_unit_test_setup(the_marked_come_back_with_their_parent, clean),
        cmocka_unit_test_setup(gone_takes_children_along, clean),
        cmocka_unit_test_setup(gone_without_a_child_is_told_to_its_queue, clean),
        cmocka_unit_test_setup(difference_tells_the_queue_of_children, clean),
        cmocka_unit_test_setup(a_second_reading_is_staged_beside_the_first, clean),
        cmocka_unit_test_setup(gone_parents_take_children_along, clean),
        cmocka_unit_test_setup(queue_is_taken_in_order, clean),
        cmocka_unit_test_setup(queue_forgets_what_was_answered, clean),
        cmocka_unit_test_setup(queue_of_rows_is_resolved, clean),
        cmocka_unit_test_setup(queue_is_pruned, clean),
        cmocka_unit_test_setup(queue_keeps_what_has_children, clean),
        cmocka_unit_test_setup(queue_of_children_is_settled, clean),
        cmocka_unit_test_setup(an_event_is_settled_by_a_ticket_as_new_as_it, clean),
        cmocka_unit_test_setup(queue_of_rows_is_settled, clean),
    };

    if (!cluster_start()) {
        (void)fputs("skipped: no PostgreSQL server is installed\n", stderr);
        return 0;
    }
    return cmocka_run_group_tests_name("sink_merge", tests, open_all, close_all);
}
