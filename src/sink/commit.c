/* commit.c - the state that changes with the rows: bookmark, rejects, totals. */
#include "gr/sink/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "merge.h"

enum { NUMBER_BYTES = 24 };

static const char *
number(int64_t value, char text[NUMBER_BYTES])
{
    (void)snprintf(text, NUMBER_BYTES, "%" PRId64, value);
    return text;
}

/* NULL for no instant. */
static const char *
instant(int64_t us, char text[GR_TIME_TEXT])
{
    if (us == GR_TIME_NONE)
        return NULL;
    gr_time_format(us, text);
    return text;
}

void
gr_commit_state(struct gr_script *script, const struct gr_table *table,
                const struct gr_commit_state *state)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[NUMBER_BYTES];
    char bookmark[GR_TIME_TEXT];
    char clock[GR_TIME_TEXT];
    const char *params[] = {
        table->object,
        number(state->run_id, run),
        table->stream->name,
        instant(state->bookmark_us, bookmark),
        state->walk,
        state->source,
        state->mode,
        instant(state->source_clock_us, clock),
        state->is_complete ? "t" : "f",
    };

    gr_buf_printf(&sql,
                  "update %s.streams set run_id = $2::bigint, stream = $3,"
                  " bookmark = $4::timestamptz, walk = $5::jsonb, source = $6, mode = $7,"
                  " source_clock = coalesce($8::timestamptz, source_clock),"
                  " completed_at = case when $9::boolean then now() else completed_at end,"
                  " updated_at = now() where object = $1 and fence = $2::bigint",
                  table->state);
    (void)gr_script_fence(script, gr_buf_text(&sql), params, sizeof(params) / sizeof(params[0]));
    if (state->is_relaxed)
        gr_script_relax(script);
    (void)gr_script_sql(script,
                        state->is_relaxed ? "set local synchronous_commit = off"
                                          : "set local synchronous_commit = default",
                        NULL, 0);
}

void
gr_commit_anchor(struct gr_script *script, const struct gr_table *table, int64_t anchor_us)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char anchor[GR_TIME_TEXT];
    const char *params[] = {table->object, instant(anchor_us, anchor)};

    gr_buf_printf(&sql, "update %s.streams set anchor = $2::timestamptz where object = $1",
                  table->state);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 2);
}

/* Rows that come twice are all wanted: which of them counts is for the merge to say. Each key is
   looked up by itself: an `exists` may be answered by reading the table from end to end. */
static void
choose_news(struct gr_script *script, const struct gr_table *table, const struct gr_tuple *tuples,
            size_t count)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf hashes GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[2];

    for (size_t i = 0; i < count; i++) {
        gr_buf_printf(&keys, "%c%" PRId64, i == 0 ? '{' : ',', tuples[i].key);
        gr_buf_printf(&hashes, "%c%" PRId64, i == 0 ? '{' : ',', tuples[i].hash);
    }
    gr_buf_putc(&keys, '}');
    gr_buf_putc(&hashes, '}');
    params[0] = gr_buf_text(&keys);
    params[1] = gr_buf_text(&hashes);
    gr_buf_puts(&sql, "select f.n from (select k, h, n, count(*) over (partition by k) as times"
                      " from unnest($1::bigint[], $2::bigint[]) with ordinality as u (k, h, n))"
                      " as f where f.times > 1 or f.h is distinct from (select t._hash from ");
    gr_buf_printf(&sql, "%s as t where ", table->name);
    gr_merge_column("t", table->stream->columns[0].name, &sql);
    gr_buf_puts(&sql, " = f.k and t._deleted_at is null limit 1) order by f.n");
    (void)gr_script_choice(script, gr_buf_text(&sql), params, 2);
}

/* A key that is one bigint, in the table too. */
static bool
has_plain_key(const struct gr_table *table)
{
    return table->stream->key_count == 1 && table->types[0] != NULL &&
           strcmp(table->types[0], "bigint") == 0;
}

size_t
gr_commit_merge(struct gr_script *script, const struct gr_table *table, struct gr_buf *copy,
                const struct gr_tuple *tuples, size_t count, const char *parent_table,
                const struct gr_feed *feeds, size_t feed_count)
{
    struct merge merge = {
        .table = table,
        .staging = table->staging,
        .parent_table = parent_table,
        .feeds = feeds,
        .feed_count = feed_count,
    };
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    bool is_chosen = count > 0 && has_plain_key(table);
    size_t step;

    if (is_chosen)
        choose_news(script, table, tuples, count);
    if (copy->len > 0) {
        gr_merge_copy_sql(table, table->staging, &sql);
        step = gr_script_copy(script, gr_buf_text(&sql), copy);
        gr_buf_reset(&sql);
        for (size_t i = 0; is_chosen && i < count; i++)
            gr_script_copy_tuple(script, step, tuples[i].bytes);
    }
    gr_merge_sql(&merge, &sql);
    step = gr_script_sql(script, gr_buf_text(&sql), NULL, 0);
    if (is_chosen)
        gr_script_gate_end(script);
    return step;
}

size_t
gr_commit_fill(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_merge_copy_sql(table, table->name, &sql);
    return gr_script_copy_open(script, gr_buf_text(&sql));
}

void
gr_commit_filled(struct gr_script *script, const struct gr_table *table,
                 const struct gr_tuple *tuples, size_t count, const struct gr_feed *feeds,
                 size_t feed_count)
{
    for (size_t i = 0; i < feed_count; i++)
        if (feeds[i].kind == GR_FEED_CHILD && feeds[i].is_run)
            gr_queue_feed_filled(script, table, &feeds[i], tuples, count);
        else if (feeds[i].kind == GR_FEED_CHILD)
            gr_queue_feed_all(script, table, &feeds[i]);
}

/* One column of the rejects as an array. */
static void
put_texts(struct gr_buf *text, const struct gr_commit_reject *rejects, size_t count, size_t member)
{
    const char **items = gr_alloc(count, sizeof(*items));

    for (size_t i = 0; i < count; i++) {
        const char *const members[] = {rejects[i].key, rejects[i].column, rejects[i].reason,
                                       rejects[i].original};

        items[i] = members[member];
    }
    gr_sql_text_array(text, items, count);
    gr_free(items);
}

void
gr_commit_rejects(struct gr_script *script, const struct gr_table *table, int64_t run_id,
                  const struct gr_commit_reject *rejects, size_t count)
{
    enum { MEMBERS = 4 };
    struct gr_buf texts[MEMBERS];
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[NUMBER_BYTES];
    const char *params[3 + MEMBERS] = {number(run_id, run), table->stream->name, table->object};

    if (count == 0)
        return;
    for (size_t i = 0; i < MEMBERS; i++) {
        texts[i] = gr_buf_new(0);
        put_texts(&texts[i], rejects, count, i);
        params[3 + i] = gr_buf_text(&texts[i]);
    }
    /* sha256, because md5() fails on servers in FIPS mode. */
    gr_buf_printf(&sql,
                  "insert into %s.rejected"
                  " (digest, run_id, stream, object, key, column_name, reason, original)\n"
                  "select sha256(convert_to(jsonb_build_array($3::text, key, column_name, reason,"
                  " original)::text, 'UTF8')), $1::bigint, $2, $3, key, column_name, reason,"
                  " original\nfrom unnest($4::text[], $5::text[], $6::text[], $7::text[])"
                  " as r (key, column_name, reason, original)\non conflict do nothing",
                  table->state);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 3 + MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        gr_buf_free(&texts[i]);
}

void
gr_commit_stream_run(struct gr_script *script, const struct gr_table *table, int64_t run_id,
                     const struct gr_stream_totals *totals)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const int64_t values[] = {
        run_id,          totals->rows_read, totals->inserted, totals->updated, totals->unchanged,
        totals->deleted, totals->rejected,  totals->requests, totals->pages,   totals->bytes,
    };
    enum { NUMBERS = sizeof(values) / sizeof(values[0]), TEXTS = 6 };
    char text[NUMBERS][NUMBER_BYTES];
    const char *params[NUMBERS + TEXTS];

    for (size_t i = 0; i < NUMBERS; i++)
        params[i] = number(values[i], text[i]);
    params[NUMBERS] = table->object;
    params[NUMBERS + 1] = table->stream->name;
    params[NUMBERS + 2] = gr_mode_name(table->stream->mode);
    params[NUMBERS + 3] = totals->status;
    params[NUMBERS + 4] = totals->error;
    params[NUMBERS + 5] = totals->hint;
    gr_buf_printf(
        &sql,
        "insert into %s.stream_runs as r (run_id, rows_read, inserted, updated, unchanged,"
        " deleted, rejected, requests, pages, bytes, object, stream, mode, status, error,"
        " hint, ended_at)\nvalues ($1::bigint, $2::bigint, $3::bigint, $4::bigint,"
        " $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint, $11,"
        " $12, $13, $14, $15, $16, case when $14 <> 'running' then now() end)\n"
        "on conflict (run_id, object) do update set rows_read = excluded.rows_read,"
        " inserted = excluded.inserted, updated = excluded.updated,"
        " unchanged = excluded.unchanged, deleted = excluded.deleted,"
        " rejected = excluded.rejected, requests = excluded.requests,"
        " pages = excluded.pages, bytes = excluded.bytes, mode = excluded.mode,"
        " status = excluded.status, error = excluded.error, hint = excluded.hint,"
        " ended_at = excluded.ended_at",
        table->state);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, NUMBERS + TEXTS);
}

struct gr_counts
gr_commit_counts(const struct gr_script *script, size_t step)
{
    const struct gr_rows *rows = gr_script_rows(script, step);

    return (struct gr_counts){
        .inserted = gr_rows_int(rows, 0, 0),
        .updated = gr_rows_int(rows, 0, 1),
        .unchanged = gr_rows_int(rows, 0, 2),
        .deleted = gr_rows_int(rows, 0, 3),
    };
}
