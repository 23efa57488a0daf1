/*
 * gr/engine/stream.h - a stream in flight: its phases, its lanes, its batch.
 *
 * A stream goes through the phases of the table in src/engine/stream.c, one step at a time; a row
 * also says what `kill -9` in that phase leaves behind. Within a phase it has lanes: a lane is one
 * chain of requests (the walk has one, and while a page is read a second one that asks ahead; a
 * queue is drained by several). What lanes bring is gathered
 * in batches, and a batch is committed when the warehouse is free. What a kill would repeat is kept
 * to one page, and once a walk has committed GR_STRICT_PAGES to one in GR_LOSS_PAGES of them: so
 * batches are single pages at first, and grow only where pages come faster than commits. Nor does
 * such a commit wait for the disk: what a crash of the server takes back is read again.
 *
 *   lane    idle -> ready (waits for the budget) -> flight -> idle | held (waits for its commit)
 *   batch   rows and the state that is true once they are committed
 *
 * Errors  a fault of a stream's scope ends the stream; one of the run's scope ends the run
 * Owns    the engine owns its streams, a stream its lanes, table, layout and walk
 */
#ifndef GR_ENGINE_STREAM_H
#define GR_ENGINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/codec/row.h"
#include "gr/engine/run.h"
#include "gr/sink/commit.h"
#include "gr/sink/table.h"
#include "gr/source/http.h"
#include "gr/source/ratelimit.h"
#include "gr/source/retry.h"
#include "gr/walk/walk.h"

enum {
    GR_BATCH_BYTES = 2 * 1024 * 1024, /* a fuller batch fetches no further page          */
    GR_AHEAD_BYTES = 512 * 1024,      /* ... nor does an open COPY with so much unsent   */
    GR_ASK_IDS_MAX = 100,             /* ids in one request                              */
    GR_STRICT_PAGES = 64,             /* committed before more than one may be at risk    */
    GR_LOSS_PAGES = 8,                /* committed pages for each further one at risk ... */
    GR_RISK_PAGES = 128,              /* ... of which there are no more than these        */
    GR_RELAX_MS = 10,      /* commits that follow so closely need not each wait for the disk */
    GR_QUEUE_BLOCK = 500,  /* queue entries held in memory                    */
    GR_ANSWERS_MAX = 4096, /* entries of which is remembered what was answered */
    GR_CONFIRM_MAX = 100,  /* rows asked for one by one before they are deleted */
    GR_ROUNDS_MAX = 20,    /* times that a queue is read anew in one run      */
};

/* A change can be committed later than it is dated: later even than the answer that should have
   shown it. The same allowance as the lookback of the lists. */
#define GR_LATE_US (INT64_C(300) * 1000000)

enum gr_phase {
    GR_PHASE_OPEN,   /* the table is made ready, the state is read                   */
    GR_PHASE_MAKE,   /* what is made of another stream's rows is, and waits for its end */
    GR_PHASE_AUDIT,  /* an audit: how the stream is checked, and the next ids to ask  */
    GR_PHASE_WALK,   /* pages are fetched and committed                              */
    GR_PHASE_FINISH, /* the end of a scan: staging becomes the table                 */
    GR_PHASE_SETTLE, /* feeders are waited for, the queue is shortened and read      */
    GR_PHASE_DRAIN,  /* what the queue names is asked for and committed              */
    GR_PHASE_CLOSE,  /* post_sql, totals                                             */
    GR_PHASE_DONE,
    GR_PHASE_COUNT
};
const char *gr_phase_name(enum gr_phase phase);

enum gr_lane_state { GR_LANE_IDLE, GR_LANE_READY, GR_LANE_FLIGHT, GR_LANE_HELD };

struct gr_stream;
struct gr_lane;

/* One step of a phase: *next is the phase it goes to, unchanged while it stays. */
typedef bool gr_phase_step(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err);
typedef bool gr_phase_answer(struct gr_lane *lane, struct gr_http_response *response,
                             const struct gr_error *fault, struct gr_error *err);
typedef bool gr_phase_committed(struct gr_stream *stream, const struct gr_script *script,
                                struct gr_error *err);

struct gr_lane {
    struct gr_stream *stream;
    enum gr_lane_state state;
    char *url;        /* owned; of the request that is ready or in flight    */
    int64_t ready_ms; /* not before                                          */
    int64_t number;   /* of its last request among those of the run          */
    struct gr_retry_state retry;
    int renewals;     /* access tokens that were fetched for this request    */
    int redirects;    /* to the same path with or without a slash            */
    bool begins_scan; /* walk: staging is made anew with this page           */

    /* asks: what the queue named, and what has come of it */
    struct gr_queue_entry entries[GR_ASK_IDS_MAX];
    size_t entry_count;
    char *cursor;  /* owned; a parent's further pages                     */
    int64_t pages; /* that have come, and how many of them were empty     */
    int64_t empty_pages;
    struct gr_buf rows;
    struct gr_rejects rejects;
    int64_t gone[GR_ASK_IDS_MAX];
    size_t gone_count;
    bool found[GR_ASK_IDS_MAX]; /* which of the entries came back                      */
    bool asks_twice;            /* those that did not, in an audit                     */
    int64_t clock_us;           /* the source's when it first answered; GR_TIME_NONE   */
    bool is_complete;           /* all pages are there                                 */
    bool has_refused;           /* ... but objects on them that are no row             */
    bool is_in_script;          /* what it holds is being committed                    */
    bool has_staged;            /* earlier pages wait in the session's staging ...     */
    int64_t session;            /* ... of this session                                 */
};

/* Pages that are committed together. */
struct gr_batch {
    struct gr_buf rows;
    struct gr_rejects rejects;
    int64_t pages;
    bool is_scan;
    bool begins_scan;
    bool is_fill;            /* rows are all new, and go straight into the table   */
    bool is_open;            /* ... by a COPY that runs already: see filling.c     */
    size_t copy_step;        /* of the script that runs it                         */
    struct gr_tuple *tuples; /* owned; but of a scan                               */
    size_t tuple_count;
    char *walk; /* owned; the walk's state once this is committed      */
    int64_t bookmark_us;
    int64_t clock_us;
};

/* The end of a scan, step by step. */
struct gr_finishing {
    bool is_checked;  /* staging holds all rows, and what is missing is known */
    int64_t *missing; /* owned; keys in the table that the scan did not bring */
    size_t missing_count;
    size_t next;     /* the next of them to ask for                         */
    size_t answered; /* so many are known to be gone or there               */
    int64_t *gone;   /* owned; those that are known to be gone              */
    size_t gone_count;
    char **keep; /* owned; keys that are still there                    */
    size_t keep_count;
    bool is_second_scan;
};

/* An audit of the stream. */
struct gr_auditing {
    int64_t bookmark_us; /* what the copy claims: see gr/sink/audit.h           */
    int64_t clock_us;
    char *kept;      /* owned; JSON of an earlier, unfinished one           */
    bool is_counted; /* its rows, or there is nothing to count              */
    bool is_listed;  /* the list was compared                               */
    bool is_cut;     /* ... but not all that may be gone was asked for      */
    bool is_named;   /* the window is of ids that only other tables name    */
    int64_t after;   /* the last id of the window before                    */
    size_t answered; /* entries of the window, and committed                */
    char window[96];
};

/* A stream that is made of another's rows. */
struct gr_making {
    char *from;      /* owned; object of that one, or NULL                  */
    bool is_current; /* every run that has written there since kept it along */
    bool has_all;    /* the running script makes all rows                   */
    bool is_sure;    /* all are, or will be by the script that is about to run */
    bool is_begun;   /* from now on it goes along                           */
    size_t step;     /* of the other stream's running script; SIZE_MAX: none */
};

struct gr_engine;

struct gr_stream {
    struct gr_engine *engine;
    const struct gr_plan_stream *plan;
    struct gr_stream_report *report;
    enum gr_phase phase;
    bool is_open; /* table, layout and walk are there                    */
    struct gr_table table;
    struct gr_row_layout *layout;
    struct gr_walk walk;
    struct gr_lane *lanes;        /* owned; engine->lane_count of them                   */
    size_t walk_lane;             /* the one of the walk, 0 or 1                         */
    struct gr_tuple *page_tuples; /* owned; of the walk's last page                    */
    int64_t page_tuple_count;
    struct gr_batch batch;
    int64_t pages_in_script; /* of a batch that is being committed                  */
    int64_t rows_in_script;
    bool finds_known; /* the batch asks which of its rows are here already  */
    int64_t pages_committed;
    size_t count_step; /* steps of the running script whose rows are wanted   */
    size_t rows_step;
    size_t field_step; /* first of the steps that store new field names       */
    size_t field_count;
    struct gr_finishing finishing;
    struct gr_auditing auditing;
    struct gr_making making;
    struct gr_table other; /* owned; of the parent or maker, as the file has it, where
                              this run does not open that one; else empty        */
    char *parent_table;    /* owned; quoted name of the parent's table, or NULL   */
    struct gr_feed *feeds; /* owned */
    size_t feed_count;
    bool has_absent_child;        /* a table of children is there that no stream of the run opens */
    struct gr_queue_entry *queue; /* owned; a block of entries                         */
    size_t queue_count, queue_next;
    int64_t queue_seq;               /* behind which the next block begins                  */
    struct gr_queue_answer *answers; /* owned; of this run, the last GR_ANSWERS_MAX     */
    size_t answer_count, next_answer;
    size_t reach_step;         /* of the script that settles; SIZE_MAX: not asked     */
    int64_t reach_us;          /* down to where a walk answers more; GR_TIME_NONE     */
    bool has_reread;           /* that walk has been made                             */
    bool is_settled;           /* a block of the queue has just been read, and not all
                                  of it is answered                                   */
    int rounds;                /* times that the queue was begun to be read           */
    bool is_fed;               /* a feeder has written rows since the last of them    */
    bool has_emptied;          /* nothing was left to ask when nobody fed any more    */
    bool has_counts, has_gone; /* what the running script of answers counts           */
    size_t gone_step;
    bool walk_is_over;
    bool is_filling;      /* its table is empty, and the walk fills it          */
    bool was_filled;      /* the running script fills                           */
    bool is_unsure;       /* its last commit may not be on disk yet             */
    bool must_reopen;     /* what it had fetched is lost: goes on from its last commit */
    bool may_not_fill;    /* a row that was to be new was there: merges from now on   */
    bool goes_on_filling; /* the rows in its table are its own                  */
    bool has_prepared;    /* pre_sql was run                                    */
    int64_t starved_ms;   /* since when an open COPY has had nothing to send    */
    int64_t held_ms;      /* since when it should end and cannot; 0: it need not */
    int64_t anchor_us;    /* rows from here on are here; GR_TIME_NONE: unknown  */
    int64_t committed_ms; /* when its batch was last committed                  */
    bool has_refused;     /* the scan met objects that are no row: it may delete nothing */
    bool is_fresh;        /* complete within its min_interval: not asked again   */
    bool has_closed;      /* its totals have been written, or are being          */
    bool is_whole;        /* the walk had come to its end                        */
    int64_t ask_failures; /* entries that could not be answered                  */
    char **new_fields;    /* owned; met in the batch                             */
    size_t new_field_count;
};

#endif
