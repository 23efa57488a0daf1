/* layers: sink */
/* test_sql.c - SQL text: names and values, and the statements against their golden files.
   UPDATE=1 in the environment writes the golden files anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/sink/budget.h"
#include "gr/sink/audit.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"
#include "sink_streams.h"

#ifndef GR_SOURCE_DIR
#define GR_SOURCE_DIR "."
#endif

typedef void put(struct gr_buf *sql, const char *text);

static void
check_put(put *function, const char *text, const char *expected)
{
    struct gr_buf sql = gr_buf_new(0);

    function(&sql, text);
    assert_string_equal(gr_buf_text(&sql), expected);
    gr_buf_free(&sql);
}

static void
quotes_identifiers(void **state)
{
    (void)state;
    check_put(gr_sql_ident, "id", "\"id\"");
    check_put(gr_sql_ident, "", "\"\"");
    check_put(gr_sql_ident, "a\"; drop table x; --", "\"a\"\"; drop table x; --\"");
    check_put(gr_sql_ident, "Straße 'x' \\", "\"Straße 'x' \\\"");
}

static void
quotes_literals(void **state)
{
    (void)state;
    check_put(gr_sql_literal, "it's", "'it''s'");
    check_put(gr_sql_literal, "a\\'b", "E'a\\\\''b'");
    check_put(gr_sql_literal, "", "''");
}

static void
joins_names(void **state)
{
    struct gr_buf sql = gr_buf_new(0);

    (void)state;
    gr_sql_name(&sql, "a.b", "c\"d");
    assert_string_equal(gr_buf_text(&sql), "\"a.b\".\"c\"\"d\"");
    gr_buf_free(&sql);
}

static void
writes_arrays(void **state)
{
    struct gr_buf sql = gr_buf_new(0);
    const int64_t numbers[] = {1, INT64_MIN, 3};
    const char *const texts[] = {"a", NULL, "", "q\"\\,{}", "NULL"};

    (void)state;
    gr_sql_int_array(&sql, numbers, 3);
    assert_string_equal(gr_buf_text(&sql), "{1,-9223372036854775808,3}");
    gr_buf_reset(&sql);
    gr_sql_int_array(&sql, NULL, 0);
    assert_string_equal(gr_buf_text(&sql), "{}");
    gr_buf_reset(&sql);
    gr_sql_text_array(&sql, texts, COUNT_OF(texts));
    assert_string_equal(gr_buf_text(&sql), "{\"a\",NULL,\"\",\"q\\\"\\\\,{}\",\"NULL\"}");
    gr_buf_free(&sql);
}

/* Law: whatever the name, at most 63 bytes, whole characters, and different for different names. */
static void
derives_names(void **state)
{
    char a[GR_SQL_NAME_BYTES + 1];
    char b[GR_SQL_NAME_BYTES + 1];
    char name[301];

    (void)state;
    gr_sql_derived("stage_", "gorgias.tags", "", a);
    assert_string_equal(a, "stage_gorgias.tags");
    for (size_t len = 1; len <= 300; len++) {
        memset(name, 'x', len);
        name[len] = '\0';
        gr_sql_derived("scan_", name, "_idx", a);
        assert_true(strlen(a) <= GR_SQL_NAME_BYTES);
        assert_memory_equal(a, "scan_", 5);
        assert_string_equal(a + strlen(a) - 4, "_idx");
        name[len - 1] = 'y';
        gr_sql_derived("scan_", name, "_idx", b);
        assert_string_not_equal(a, b);
    }
    for (size_t i = 0; i < 300; i += 2)
        memcpy(name + i, "é", 2);
    for (size_t from = 0; from < 2; from++) { /* the cut falls on either byte */
        memset(name, 'x', from);
        gr_sql_derived(from == 0 ? "" : "p", name, "", a);
        for (size_t i = 0; a[i] != '\0'; i++)
            if ((unsigned char)a[i] == 0xc3)
                assert_int_equal((unsigned char)a[++i], 0xa9);
    }
}

static void
hashes_stably(void **state)
{
    (void)state;
    /* Locks of a running older version must be seen: these numbers may never change. */
    assert_int_equal(gr_sql_hash(""), UINT64_C(0xefd01f60ba992926));
    assert_int_equal(gr_sql_hash("a"), UINT64_C(0x82a2a958a9bece5b));
    assert_int_not_equal(gr_pg_lock_key("a"), gr_pg_lock_key("b"));
}

static void
identifies_replications(void **state)
{
    const char *const objects[] = {"a.b", "c.d"};
    struct gr_plan plan = {.source = {.base_url = "https://x.gorgias.com"},
                           .all_objects = objects,
                           .all_object_count = 2};
    char a[17];
    char b[17];

    (void)state;
    gr_state_identity(&plan, a);
    gr_state_identity(&plan, b);
    assert_int_equal(strlen(a), 16);
    assert_string_equal(a, b);
    plan.all_object_count = 1;
    gr_state_identity(&plan, b);
    assert_string_not_equal(a, b);
    plan.all_object_count = 2;
    plan.source.base_url = "https://y.gorgias.com";
    gr_state_identity(&plan, b);
    assert_string_not_equal(a, b);
}

/* Compares with tests/golden/NAME. */
static void
check_golden(const char *name, const struct gr_buf *text)
{
    char path[512];
    const char *update = getenv("UPDATE");
    bool is_update = update != NULL && strcmp(update, "1") == 0;
    struct gr_buf old = gr_buf_new(0);
    FILE *file;
    int c;

    (void)snprintf(path, sizeof(path), "%s/tests/golden/%s", GR_SOURCE_DIR, name);
    file = fopen(path, is_update ? "w" : "r");
    if (file == NULL)
        fail_msg("cannot open %s; UPDATE=1 writes it", path);
    if (is_update)
        assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
    while (!is_update && (c = fgetc(file)) != EOF)
        gr_buf_putc(&old, (char)c);
    assert_int_equal(fclose(file), 0);
    if (!is_update)
        assert_string_equal(gr_buf_text(text), gr_buf_text(&old));
    gr_buf_free(&old);
}

/* A script as a golden file: two spaces, which stand for a line break, become one again. */
static void
check_script(const char *name, const struct gr_script *script)
{
    struct gr_buf text = gr_buf_new(0);
    struct gr_buf lines = gr_buf_new(0);

    gr_script_print(script, &text);
    for (const char *at = gr_buf_text(&text); *at != '\0'; at++) {
        if (at[0] == ' ' && at[1] == ' ') {
            gr_buf_puts(&lines, "\n    ");
            at++;
        } else {
            gr_buf_putc(&lines, *at);
        }
    }
    check_golden(name, &lines);
    gr_buf_free(&text);
    gr_buf_free(&lines);
}

static const char *const fed_types[] = {"ticket-message-updated", "it's"};

static void
table_golden(void **state)
{
    static const char *const asked[] = {"subject", "updated_datetime"};
    static const char *const own[] = {"id"};
    static const struct gr_table_key keys[] = {{asked, 2, false}, {asked, 1, true}, {own, 1, true}};
    struct gr_plan_stream stream = tickets;
    struct gr_buf sql = gr_buf_new(0);
    struct gr_table table;

    (void)state;
    stream.table_keys = keys;
    stream.table_key_count = COUNT_OF(keys);
    gr_table_sql(&stream, &sql);
    gr_buf_puts(&sql, "\n-- child\n");
    gr_table_sql(&messages, &sql);
    gr_buf_puts(&sql, "\n-- snapshot\n");
    stream = tags;
    stream.mode = GR_MODE_SNAPSHOT;
    gr_table_sql(&stream, &sql);
    gr_buf_puts(&sql, "\n-- session\n");
    gr_table_describe(&messages, "_gorgias_replicate", &table);
    gr_table_session_sql(&table, &sql);
    check_golden("sink_table.sql", &sql);
    gr_table_free(&table);
    gr_buf_free(&sql);
}

static void
merge_golden(void **state)
{
    const struct gr_feed feeds[] = {
        {.object = "gorgias.ticket_messages", .kind = GR_FEED_CHILD, .reason = "changed"},
    };
    struct gr_commit_state commit = {.run_id = 7,
                                     .bookmark_us = 0,
                                     .walk = "{}",
                                     .source = "https://x.gorgias.com",
                                     .mode = "incremental",
                                     .source_clock_us = GR_TIME_NONE,
                                     .is_complete = true};
    const struct gr_commit_reject reject = {"1", "subject", "holds U+0000", "\"a\\u0000\""};
    struct gr_stream_totals totals = {.status = "running", .rows_read = 1};
    struct gr_script *script = gr_script_new("golden");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_table table;

    (void)state;
    gr_table_describe(&tickets, "_gorgias_replicate", &table);
    put_ticket(&copy, 1, "s", 1, NULL, NULL, 1);
    gr_commit_state(script, &table, &commit);
    assert_int_equal(gr_commit_merge(script, &table, &copy, NULL, 0, NULL, feeds, 1), 3);
    assert_int_equal(copy.len, 0);
    assert_int_equal(gr_script_steps(script), 4);
    gr_commit_rejects(script, &table, 7, &reject, 1);
    gr_commit_stream_run(script, &table, 7, &totals);
    check_script("sink_merge.sql", script);
    gr_script_free(script);
    gr_table_free(&table);
}

static void
events_golden(void **state)
{
    const struct gr_feed feeds[] = {
        {.object = "gorgias.tickets",
         .kind = GR_FEED_EVENT,
         .event_object = "Ticket",
         .types = fed_types,
         .type_count = 1,
         .merges = fed_types,
         .merge_count = 1,
         .only_in = "\"gorgias\".\"tickets\"",
         .only_in_key = "id",
         .reason = "event"},
        {.object = "gorgias.ticket_messages" GR_QUEUE_OF_ROWS,
         .kind = GR_FEED_EVENT,
         .event_object = "TicketMessage",
         .types = fed_types,
         .type_count = 2,
         .reason = "event"},
    };
    struct gr_script *script = gr_script_new("golden");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_table table;

    (void)state;
    gr_table_describe(&events, "_gorgias_replicate", &table);
    (void)gr_commit_merge(script, &table, &copy, NULL, 0, NULL, feeds, COUNT_OF(feeds));
    check_script("sink_events.sql", script);
    gr_script_free(script);
    gr_table_free(&table);
}

static void
scan_golden(void **state)
{
    const char *const keep[] = {"5", "a\"b"};
    struct gr_script *script = gr_script_new("golden");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_table table;

    (void)state;
    gr_table_describe(&tags, "_gorgias_replicate", &table);
    put_tag(&copy, 1, "a", 1);
    gr_commit_scan_begin(script, &table);
    gr_commit_scan_page(script, &table, &copy);
    (void)gr_commit_scan_count(script, &table);
    (void)gr_commit_scan_missing(script, &table, 100);
    (void)gr_commit_scan_finish(script, &table, GR_FINISH_DIFFERENCE, keep, 2, NULL, NULL, 0);
    (void)gr_commit_scan_finish(script, &table, GR_FINISH_TRUNCATE, NULL, 0, NULL, NULL, 0);
    (void)gr_commit_scan_finish(script, &table, GR_FINISH_SNAPSHOT, NULL, 0, NULL, NULL, 0);
    check_script("sink_scan.sql", script);
    gr_script_free(script);
    gr_table_free(&table);
}

static void
set_golden(void **state)
{
    const int64_t parents[] = {4, 5};
    const struct gr_queue_entry entry = {4, GR_TIME_NONE, 9};
    const struct gr_queue_answer answer = {4, 1000000};
    const struct gr_feed left = {
        .object = "gorgias.tickets", .kind = GR_FEED_FORMER, .column = 1, .reason = "left"};
    struct gr_script *script = gr_script_new("golden");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_table parent;
    struct gr_table table;

    (void)state;
    gr_table_describe(&tickets, "_gorgias_replicate", &parent);
    gr_table_describe(&messages, "_gorgias_replicate", &table);
    put_message(&copy, 1, 4, "b", NULL, 1);
    gr_commit_set_page(script, &table, &copy);
    (void)gr_commit_set_finish(script, &table, parents, 2, parents, 1, parent.name, &left, 1);
    (void)gr_commit_gone(script, &parent, parents, 2, &table, NULL, 0);
    (void)gr_commit_queue_next(script, &table, 3, 100);
    gr_commit_queue_done(script, &table, &entry, 1);
    gr_commit_queue_answered(script, &table, &answer, 1);
    gr_commit_queue_prune(script, &parent, NULL);
    gr_commit_queue_settle(script, &table, parent.name, 1000000, GR_TIME_NONE);
    gr_commit_queue_settle(script, &parent, NULL, 1000000, 0);
    check_script("sink_set.sql", script);
    gr_script_free(script);
    gr_table_free(&parent);
    gr_table_free(&table);
}

static void
made_golden(void **state)
{
    const int64_t keys[] = {4, 5};
    struct gr_plan_stream marked = made_values;
    struct gr_script *script = gr_script_new("golden");
    struct gr_table parent, table;

    (void)state;
    marked.missing = GR_MISSING_SOFT;
    gr_table_describe(&tickets, "_gorgias_replicate", &parent);
    gr_table_describe(&made_values, "_gorgias_replicate", &table);
    table.parent = &parent;
    (void)gr_commit_made(script, &table, parent.name, keys, 2);
    table.stream = &marked;
    (void)gr_commit_made(script, &table, parent.name, NULL, 0);
    check_script("sink_made.sql", script);
    gr_script_free(script);
    gr_table_free(&parent);
    gr_table_free(&table);
}

static void
audit_golden(void **state)
{
    const int64_t keys[] = {4, 5};
    struct gr_plan_stream stream = tickets;
    struct gr_plan_stream children = messages;
    struct gr_plan_stream few = tags;
    struct gr_schema asks = message_schema;
    struct gr_script *script = gr_script_new("golden");
    struct gr_buf copy = gr_buf_new(0);
    struct gr_table parent, table, list;
    struct gr_audit audit = {.table = &parent,
                             .run_id = 7,
                             .bookmark_us = 3000000,
                             .clock_us = 4000000,
                             .anchor_us = 1000000};

    (void)state;
    stream.mode = children.mode = few.mode = GR_MODE_AUDIT;
    asks.ask = GR_ASK_PARENT;
    children.schema = &asks;
    gr_table_describe(&stream, "_gorgias_replicate", &parent);
    gr_table_describe(&children, "_gorgias_replicate", &table);
    gr_table_describe(&few, "_gorgias_replicate", &list);
    table.parent = &parent;
    gr_audit_commit_state(script, &audit, "{\"after\":5}");
    (void)gr_audit_count(script, &audit);
    (void)gr_audit_keys(script, &audit, 5, 100);
    (void)gr_audit_named(script, &audit, &(struct gr_audit_namer){&table, 1, NULL}, 1, 5, 100);
    put_ticket(&copy, 4, "a", 1, NULL, "2024-01-01T00:00:00Z", 1);
    gr_audit_record_rows(script, &audit, "id 4..5", &copy, keys, 1, 2);
    gr_audit_record_list(script, &audit, false, keys, 2);
    audit = (struct gr_audit){.table = &list,
                              .run_id = 7,
                              .bookmark_us = GR_TIME_NONE,
                              .clock_us = GR_TIME_NONE,
                              .anchor_us = GR_TIME_NONE};
    gr_audit_record_list(script, &audit, true, NULL, 0);
    audit.table = &table;
    audit.parent_table = parent.name;
    (void)gr_audit_count(script, &audit);
    (void)gr_audit_uneven(script, &audit, 5, 100);
    (void)gr_audit_parents(script, &audit, 100);
    gr_audit_record_sets(script, &audit, "tickets 4..5", keys, 2, keys, 1);
    check_script("sink_audit.sql", script);
    gr_script_free(script);
    gr_table_free(&parent);
    gr_table_free(&table);
    gr_table_free(&list);
}

static void
budget_golden(void **state)
{
    struct gr_script *script = gr_script_new("golden");

    (void)state;
    gr_budget_take(script, "_gorgias_replicate",
                   &(struct gr_budget_ask){.account = "https://it's.gorgias.com",
                                           .run_id = 7,
                                           .requests = 40,
                                           .per_ms = 20000,
                                           .burst = 39,
                                           .spacing_us = 500000,
                                           .seen = 12.5,
                                           .wanted = 1});
    check_script("sink_budget.sql", script);
    gr_script_free(script);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_identifiers),
        cmocka_unit_test(quotes_literals),
        cmocka_unit_test(joins_names),
        cmocka_unit_test(writes_arrays),
        cmocka_unit_test(derives_names),
        cmocka_unit_test(hashes_stably),
        cmocka_unit_test(identifies_replications),
        cmocka_unit_test(table_golden),
        cmocka_unit_test(merge_golden),
        cmocka_unit_test(events_golden),
        cmocka_unit_test(scan_golden),
        cmocka_unit_test(set_golden),
        cmocka_unit_test(made_golden),
        cmocka_unit_test(audit_golden),
        cmocka_unit_test(budget_golden),
    };

    return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
