/*
 * merge.h - the one statement that brings staged rows into a table. Private to src/sink.
 *
 * Its CTEs, in order:
 *   latest   of each staged key the newest version: where it lies (ctid), key, cursor, fingerprint.
 *            Narrow, so that sorting and joining never touch the wide rows
 *   changed  those that are new, differ or are to be revived: joined with the table by key and
 *            fingerprint. Unchanged rows end here, unlocked and unwritten
 *   written  these rows, fetched by ctid, cast and inserted; ON CONFLICT updates, and is the guard
 *            against a writer that came in between
 *   gone     rows that are missing from staging, deleted or marked, where that is asked for
 *   fedN     entries for queues
 */
#ifndef GR_SRC_SINK_MERGE_H
#define GR_SRC_SINK_MERGE_H

#include "gr/base/buf.h"
#include "gr/sink/commit.h"

struct merge {
    const struct gr_table *table;
    const char *staging; /* quoted name of the table to read                              */
    const char *parents; /* a placeholder such as $1 for the parents in question, a bigint
                            array, or NULL: all rows                                      */
    const char *keep;    /* a placeholder for the keys to leave alone, or NULL            */
    const char
        *whole_parents; /* the same for those whose sets are whole: only of them rows are gone */
    bool finds_gone;
    const char *parent_table; /* as in gr/sink/commit.h                                        */
    const struct gr_feed *feeds;
    size_t feed_count;
};
void gr_merge_sql(const struct merge *merge, struct gr_buf *sql);

/* Appends all staged rows, the newest of each key, with one _loaded_at. */
void gr_merge_snapshot_sql(const struct merge *merge, struct gr_buf *sql);

/* on conflict (key) do update set ..., of an insert into t. */
void gr_merge_update(const struct merge *merge, struct gr_buf *sql);

/* The (alias's) key as text: what `keep` and gr_commit_scan_missing speak of. */
void gr_merge_key_text(const struct gr_table *table, const char *alias, struct gr_buf *sql);

/* alias."column" */
void gr_merge_column(const char *alias, const char *column, struct gr_buf *sql);

/* True if `feed` is of kind GR_FEED_FORMER and the table takes its column. */
bool gr_merge_has_former(const struct gr_table *table, const struct gr_feed *feed);

/* The id that the (alias's) column names, as text: the value itself, or its member `id`. */
void gr_merge_reference(const struct gr_table *table, const char *alias, size_t column,
                        struct gr_buf *sql);

/* The fed CTEs; `written` and `changed` are those of above. */
void gr_merge_feeds(const struct merge *merge, struct gr_buf *sql);

/* An entry for each row of a fill. */
void gr_queue_feed_filled(struct gr_script *script, const struct gr_table *table,
                          const struct gr_feed *feed, const struct gr_tuple *tuples, size_t count);

/* One entry that stands for all rows of the table. */
void gr_queue_feed_all(struct gr_script *script, const struct gr_table *table,
                       const struct gr_feed *feed);

/* copy STAGING (...) from stdin (format binary) */
void gr_merge_copy_sql(const struct gr_table *table, const char *staging, struct gr_buf *sql);

/* p."column" for a field of the parent p: the column of the opened parent that has it, null where
   `select` has left it out, else as the API calls it. */
void gr_merge_parent_value(const struct gr_table *table, const char *field, struct gr_buf *sql);

/* The same of the parent's key. */
const char *gr_merge_parent_key(const struct gr_table *table);

/* The same of the parent's cursor; NULL where it is not known. */
const char *gr_merge_parent_cursor(const struct gr_table *table);

/* "(key, ...)" of the table. */
void gr_merge_key_list(const struct gr_table *table, struct gr_buf *sql);

#endif
