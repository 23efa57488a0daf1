/*
 * gr/sink/commit.h - the building blocks of a stream's transactions: each function adds steps to a
 * script. Pure: nothing runs here.
 *
 * A commit is written as: gr_commit_state first (it is the fence, and takes the row lock that
 * orders two writers), then what the page does, then rejects. A fill does not know its state when
 * it begins: there the state comes behind the rows. Rows, bookmark and queue change in this one
 * transaction or not at all.
 *
 * Conventions of the SQL
 *   - staging holds jsonb as text; values are cast to the real column type only for rows written
 *   - within a batch the newest version of a key wins: greatest cursor column (nulls last), then
 * the last one staged (ctid)
 *   - a row is written if it is new, or its _hash differs, or it was marked deleted; never if its
 *     cursor column is older than the stored one's; _loaded_at becomes now(), _deleted_at null
 *   - an unchanged row is not touched (no row lock, no WAL)
 *   - a child whose parent row is marked deleted is written with the parent's _deleted_at
 *
 * Every gr_commit_* that writes rows returns the number of a step whose single result row is
 * (inserted, updated, unchanged, deleted), readable with gr_commit_counts after the script is DONE.
 */
#ifndef GR_SINK_COMMIT_H
#define GR_SINK_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/sink/script.h"
#include "gr/sink/table.h"

/* What a stream's row in `streams` becomes. */
struct gr_commit_state {
    int64_t run_id;      /* the fence: no row with this fence, no commit                 */
    int64_t bookmark_us; /* GR_TIME_NONE: null                                           */
    const char *walk;    /* JSON, or NULL                                                */
    const char *source;  /* base URL                                                     */
    const char *mode;
    int64_t source_clock_us; /* GR_TIME_NONE: left as it is                                  */
    bool is_complete;        /* sets completed_at                                            */
    bool is_relaxed;         /* the script is: a crash of the server may take back what it does,
                                and all that came after it                                   */
};
void gr_commit_state(struct gr_script *script, const struct gr_table *table,
                     const struct gr_commit_state *state);

/* What is known of a tuple of COPY data. */
struct gr_tuple {
    int64_t key;
    int64_t value_us; /* of its cursor; GR_TIME_NONE: null */
    int64_t hash;
    size_t bytes;
};

/* Who is told of a row that was written: queue entries for `object`. */
struct gr_feed {
    const char *object; /* of the stream that will ask                                   */
    enum {
        GR_FEED_CHILD, /* each row written: its key, its cursor as v                    */
        GR_FEED_EVENT, /* each event inserted whose type is in `types`: object_id,
                          created_datetime                                             */
        GR_FEED_FORMER /* each row written in which `column` names another row than
                          before: the one that it named before, v unknown              */
    } kind;
    const char *event_object;
    const char *const *types;
    size_t type_count;
    const char *const *merges; /* of events of these types all ids in their data as well       */
    size_t merge_count;
    const char *only_in;     /* quoted table that has to have the row, by ...                 */
    const char *only_in_key; /* ... this column; NULL: any row                                */
    size_t column;
    bool is_run;        /* of a child: it is a stream of the replication, and asks         */
    const char *reason; /* "changed", "event"                                            */
};

/* Behind an object: the queue of rows named by their own key, whose parents are to be asked. */
#define GR_QUEUE_OF_ROWS "#rows"

/*
 * A page (or several): COPY into staging, merge into the table, feed the queues. `copy` is taken:
 * tuples of binary COPY in the layout of staging, of as many pages as one likes, without header and
 * trailer. Where `count` says that they are given, `tuples` are asked for first, and those that are
 * here as they are (key and _hash, alive) are not sent: gr_script_left_out says how many. That pays
 * where they are most. `parent_table` is the quoted name of the parent stream's table if that table
 * exists, else NULL; its columns have the names that table->parent says.
 *
 * Counts are of keys: a row staged twice counts once; a row that was not written, be it the same,
 * older or left deleted, is unchanged. An entry that waits in a queue already is moved to its end
 * where the new v is not below its own or either is null; then the new v is taken.
 */
size_t gr_commit_merge(struct gr_script *script, const struct gr_table *table, struct gr_buf *copy,
                       const struct gr_tuple *tuples, size_t count, const char *parent_table,
                       const struct gr_feed *feeds, size_t feed_count);

/*
 * The same for rows that are all new, straight into the table: an open COPY (gr_script_append) of
 * tuples in the table's own types (gr_row_set_typed). A key that is there already fails the script
 * (GR_FAULT_DATA), and nothing is changed: then the rows are to be merged. Returns the COPY's step:
 * it touches the rows. Of feeds only those of kind GR_FEED_CHILD are told, by gr_commit_filled:
 * with an entry for each of `tuples` where the child is run, else with one for all of them
 * (gr_commit_queue_census).
 */
size_t gr_commit_fill(struct gr_script *script, const struct gr_table *table);
void gr_commit_filled(struct gr_script *script, const struct gr_table *table,
                      const struct gr_tuple *tuples, size_t count, const struct gr_feed *feeds,
                      size_t feed_count);

/*
 * Full walks: staging that survives the run. A crash of the server empties an unlogged table:
 * begin leaves a marker in it, without which page, missing and finish fail (GR_FAULT_UNSTAGED) and
 * count says 0, so a walk that is taken up again is begun anew if count says less than was staged.
 */
void gr_commit_scan_begin(struct gr_script *script,
                          const struct gr_table *table); /* made, emptied */
/* Whatever a full walk has left, of whatever layout, goes. */
void gr_commit_scan_drop(struct gr_script *script, const struct gr_table *table);
void gr_commit_scan_page(struct gr_script *script, const struct gr_table *table,
                         struct gr_buf *copy);
/* Step whose row is (count) of staged rows (more than rows were read if a commit ran twice); 0
   where there is no table of this layout. */
size_t gr_commit_scan_count(struct gr_script *script, const struct gr_table *table);
/* Step whose rows are (key text) of alive rows of the table that are not staged, at most `limit`.
 */
size_t gr_commit_scan_missing(struct gr_script *script, const struct gr_table *table,
                              int64_t limit);
/*
 * The end of a full walk, by the stream's mode: full-refresh by difference (rows missing from
 * staging are deleted or marked, as stream->missing says; `keep` are keys to leave alone),
 * truncate, snapshot, or merge (a fallback walk of an incremental stream: nothing is deleted).
 * Empties and drops the staging table; where there is none, because this commit has run already,
 * nothing is done. Feeds as above. With missing hard, rows marked deleted before go too if they are
 * missing.
 */
enum gr_finish { GR_FINISH_DIFFERENCE, GR_FINISH_TRUNCATE, GR_FINISH_SNAPSHOT, GR_FINISH_MERGE };
size_t gr_commit_scan_finish(struct gr_script *script, const struct gr_table *table,
                             enum gr_finish finish, const char *const *keep, size_t keep_count,
                             const char *parent_table, const struct gr_feed *feeds,
                             size_t feed_count);

/* Rows that are made of those of another stream (schema->made_of), whose table is `from` (quoted),
   as this script leaves it: of the rows with these keys, or (NULL) of all. They are marked deleted
   as those are, and what no row has any more is gone as stream->missing says. An entry that is not
   named by a whole number is no row. */
size_t gr_commit_made(struct gr_script *script, const struct gr_table *table, const char *from,
                      const int64_t *keys, size_t count);

/* A page of a parent's set, to be merged later in the same session. */
void gr_commit_set_page(struct gr_script *script, const struct gr_table *table,
                        struct gr_buf *copy);
/* Forgets what is staged of these parents. */
void gr_commit_set_forget(struct gr_script *script, const struct gr_table *table,
                          const int64_t *parents, size_t count);
/* The caller sees to it that the pages of these parents were staged in this session (gr_pg_session;
   gr_script_bind makes a script insist on it): a parent of which nothing is staged has an empty
   set. The sets of these parents are complete: merge them, mark alive rows of these parents that
   are not in their set as deleted (stream->missing hard: delete), forget the staged rows. Those of
   `whole` are all of them but the ones of which something could not be read: of these nothing is
   gone. */
size_t gr_commit_set_finish(struct gr_script *script, const struct gr_table *table,
                            const int64_t *parents, size_t count, const int64_t *whole,
                            size_t whole_count, const char *parent_table,
                            const struct gr_feed *feeds, size_t feed_count);

/* Rows whose parent is marked deleted are marked so, too: after a fill, which does not look. */
void gr_commit_orphans(struct gr_script *script, const struct gr_table *table,
                       const char *parent_table);

/* These keys (first key column) are gone at the source: mark or delete them, and the rows of
   `child` (opened, or NULL) whose parent they are, as the child's stream->missing says; without a
   child, feeds of kind GR_FEED_CHILD are told. The step's row has the number of children as a fifth
   column. */
size_t gr_commit_gone(struct gr_script *script, const struct gr_table *table, const int64_t *keys,
                      size_t count, const struct gr_table *child, const struct gr_feed *feeds,
                      size_t feed_count);

/* The same, seen from the child stream `table`: these parents are gone. `parent_table` as above. */
void gr_commit_parents_gone(struct gr_script *script, const struct gr_table *table,
                            const char *parent_table, const int64_t *parents, size_t count);

/* The queue of a stream. */
struct gr_queue_entry {
    int64_t key;
    int64_t v_us; /* GR_TIME_NONE: null */
    int64_t seq;
};
/* Entries behind `after_seq`, oldest first, at most `limit`. Rows: key, v in microseconds, seq. */
size_t gr_commit_queue_next(struct gr_script *script, const struct gr_table *table,
                            int64_t after_seq, int64_t limit);
/*
 * For a child stream: how far down a walk through all rows had best go instead of asking for each
 * parent in the queue. Step whose row, if any, is (floor in microseconds, requests saved, requests
 * of the walk): the floor that saves most, by what the parents say of their numbers of rows and by
 * the rows that are here. Only entries with v < walk_clock count: a walk could not answer for the
 * others. No row: asking is cheaper.
 */
size_t gr_commit_queue_reach(struct gr_script *script, const struct gr_table *table,
                             const char *parent_table, int64_t walk_clock_us);
/* Removes entries, each unless it was fed again meanwhile: its v has grown, or its seq is another.
 */
void gr_commit_queue_done(struct gr_script *script, const struct gr_table *table,
                          const struct gr_queue_entry *entries, size_t count);
/* An entry that was answered: by what the source had then, and so with all changes before
 * `until_us`.
 */
struct gr_queue_answer {
    int64_t key;
    int64_t until_us;
};
/* Removes entries whose v their key's answer has seen: whoever fed them did so too late. */
void gr_commit_queue_answered(struct gr_script *script, const struct gr_table *table,
                              const struct gr_queue_answer *answers, size_t count);
/* Entries that name rows of a child stream (GR_QUEUE_OF_ROWS) become entries for their parents; a
   row that is not in the table, though its walk is over, needs no asking. */
void gr_commit_queue_resolve(struct gr_script *script, const struct gr_table *table);
/* An entry that stands for all parents. */
void gr_commit_queue_all(struct gr_script *script, const struct gr_table *table);
/* The entry that stands for all parents, if there is one, becomes an entry for each that the walk
   (as in gr_commit_queue_settle; read_since GR_TIME_NONE: it has answered nothing) has not
   answered. */
void gr_commit_queue_census(struct gr_script *script, const struct gr_table *table,
                            const char *parent_table, int64_t walk_clock_us, int64_t floor_us);
/* Removes entries about which there is nothing to ask: their row is not in the table or is marked
   deleted, and no row of `child` (opened, or NULL) is there either. A ticket can come and go
   between two walks and leave messages that its own walk has never shown. */
void gr_commit_queue_prune(struct gr_script *script, const struct gr_table *table,
                           const struct gr_table *child);
/*
 * After a walk that began at `walk_clock_us` and read every row with cursor >= `floor_us`: removes
 * entries with v < walk_clock that the walk has answered. For a child stream: entries whose parent
 * row has created_datetime >= floor and parent_count = number of its alive rows here. Otherwise:
 * entries whose own row has cursor >= floor.
 */
void gr_commit_queue_settle(struct gr_script *script, const struct gr_table *table,
                            const char *parent_table, int64_t walk_clock_us, int64_t floor_us);

/* Rejected values; texts are copied. */
struct gr_commit_reject {
    const char *key;
    const char *column; /* or NULL */
    const char *reason;
    const char *original;
};
void gr_commit_rejects(struct gr_script *script, const struct gr_table *table, int64_t run_id,
                       const struct gr_commit_reject *rejects, size_t count);

/* stream_runs, upserted by (run_id, object). */
struct gr_stream_totals {
    const char *status; /* running, succeeded, failed, stopped */
    int64_t rows_read, inserted, updated, unchanged, deleted, rejected, requests, pages, bytes;
    const char *error; /* or NULL */
    const char *hint;
};
void gr_commit_stream_run(struct gr_script *script, const struct gr_table *table, int64_t run_id,
                          const struct gr_stream_totals *totals);

/* Rows from `anchor_us` on have been asked for. */
void gr_commit_anchor(struct gr_script *script, const struct gr_table *table, int64_t anchor_us);

/* Reads the counts of a step that a function above returned. */
struct gr_counts {
    int64_t inserted, updated, unchanged, deleted;
};
struct gr_counts gr_commit_counts(const struct gr_script *script, size_t step);

#endif
