/*
 * gr/walk/walk.h - how a moving list is copied exactly: which page to ask for next, and what may be
 * claimed once it is committed. Pure: no network, no database, no clock.
 *
 * The claim is about intervals of the cursor column: an interval is covered when every row whose
 * value now lies in it is in the warehouse in its current version. A row that changes moves above
 * all that was covered, so what is covered stays covered, and the next walk begins with the change.
 *
 *   bookmark     all below it is covered, down to the anchor
 *   span         [lo, hi] above the bookmark, covered by a walk that was interrupted: below it lies
 *                a gap down to the bookmark, which its page cursor continues. A run closes the gap
 *                before it walks from the top, so there is never more than one.
 *   scan         a full walk under way: pages are staged, nothing is claimed before the end
 *
 * A walk goes newest first down to the bookmark (first closing the gaps), oldest first from the
 * bookmark through a filter, or through everything. When the server breaks the order that was asked
 * for, the claim is void, and the walk begins again as a scan that reads to the end.
 *
 * The order is of (value, id), for cursors are made of both. Whether ids rise or fall among rows
 * that share a value is not documented, and either will do; but they must go one way throughout the
 * walk: where they go both ways, or an id comes twice, rows may have been lost where a page ended
 * among them.
 *
 * A full page that names no next one is either the end or an answer that has lost its cursor.
 * Before the end is believed, and rows below it given up, that page is asked for once more.
 *
 * Shape   gr_walk_begin, (gr_walk_next, then gr_walk_page | gr_walk_refused)*, gr_walk_free;
 *         gr_walk_state_json at any moment says what to remember with the rows committed so far
 * Units   microseconds since 1970; GR_TIME_NONE where there is no value
 * Errors  GR_FAULT_PAYLOAD when a walk cannot go on; GR_FAULT_REFUSED when cursors never work
 * Owns    the walk owns its cursors; borrows the plan's stream
 * Source  docs/architecture.md, "Walks"
 */
#ifndef GR_WALK_WALK_H
#define GR_WALK_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/error.h"
#include "gr/spec/plan.h"

enum {
    GR_SCAN_RESUME_PAGES = 20,   /* a shorter scan begins anew: cheaper than being stale */
    GR_SCAN_RESUME_S = 6 * 3600, /* and so does one whose first page is older than this  */
    GR_WALK_EMPTY_MAX = 3,       /* empty pages in a row that still name a next one       */
    GR_WALK_REFUSALS_MAX = 5,    /* cursors refused in one run                            */
};

enum gr_way {
    GR_WAY_DOWN, /* newest first, down to the bookmark  */
    GR_WAY_UP,   /* oldest first, up from the bookmark  */
    GR_WAY_SCAN, /* everything, in the stablest order   */
};

struct gr_span {
    bool is_open;
    int64_t hi_us; /* GR_TIME_NONE: no row with a value was seen yet       */
    int64_t lo_us;
    int64_t lo_id;    /* of the row with that value; 0: not known             */
    int64_t clock_us; /* the server's clock at its first page                 */
    char *cursor;     /* owned; of the page below lo; NULL at the top         */
};

struct gr_scan {
    bool is_active;
    bool is_fallback;    /* of an incremental walk whose order was broken        */
    size_t pass;         /* index into schema->passes                            */
    int64_t clock_us;    /* the server's clock at its first page                 */
    int64_t staged_rows; /* that the staging table should hold                   */
    int64_t pages;
    char *cursor; /* owned; of the next page of this pass, or NULL        */
};

struct gr_walk {
    const struct gr_plan_stream *stream;
    enum gr_way way;
    int64_t anchor_us;
    bool is_backfill; /* of a range: leaves what is remembered as it was         */
    int64_t from_us;  /* the range, GR_TIME_NONE: open                           */
    int64_t to_us;
    char *kept; /* owned; what is remembered, in a backfill                */

    /* what is remembered */
    int64_t bookmark_us;
    struct gr_span span;
    struct gr_scan scan;
    struct gr_span reread; /* of a reading once more that was interrupted: where it goes on */
    int64_t floor_us;      /* every row with a value from here up has been read ...         */
    int64_t read_since_us; /* ... at or after this moment; INT64_MAX, GR_TIME_NONE: not yet */

    /* of this run */
    bool is_reread;  /* it goes down once more                                        */
    bool is_resumed; /* the span or scan comes from an earlier run                    */
    bool is_done;
    bool is_stopped;  /* done before its end: the row limit                            */
    char *cursor;     /* owned; GR_WAY_UP: of the next page                            */
    int64_t since_us; /* GR_WAY_UP: the filter that this chain of cursors was made with */
    char *trail;      /* owned; a cursor seen before: meeting it again is a loop       */
    int64_t trail_steps, trail_limit;
    int64_t last_us;  /* last value of the page before, for the order                  */
    int64_t last_id;  /* and the id of that row; 0: not known                          */
    bool ids_rise;    /* of rows with one value, an id was above (or the same as) ...   */
    bool ids_fall;    /* ... below (or the same as) the one before it                  */
    int64_t clock_us; /* the server's clock at the first page of this walk             */
    int64_t rows, pages;
    int64_t asked_rows; /* that the page which was asked for last may hold                */
    bool is_doubted;    /* that page was full and named no next one: it is asked for again */
    int empty_pages;
    int refusals;
    const char *note; /* static; "" or why the walk became a scan                      */
};

/* What is asked of the API next. */
struct gr_walk_ask {
    const char *order;  /* or NULL                                 */
    const char *cursor; /* borrowed until the next call; or NULL   */
    int64_t since_us;   /* GR_TIME_NONE: no filter                 */
    int64_t limit;
    const struct gr_pass *pass;
    bool begins_scan; /* staging must be made anew first         */
};

/* What a page was. Filled by whoever decodes it. */
struct gr_page_facts {
    int64_t rows;     /* objects on the page                                      */
    int64_t refused;  /* those of them that are no row                            */
    int64_t first_us; /* of the first and last row that have a value              */
    int64_t last_us;
    int64_t max_us;
    bool descends; /* no value is greater than the one before it               */
    bool ascends;
    int64_t first_id; /* ids of the first and last row that have a value              */
    int64_t last_id;
    bool ids_rise;           /* of two neighbours with one value the second had the greater  */
    bool ids_fall;           /* ... the smaller id; the same id twice: both                  */
    int64_t repeats;         /* of its rows, so many were on the page before                 */
    const char *next_cursor; /* NULL or "": this was the last page                       */
    int64_t clock_us;        /* the server's clock, GR_TIME_NONE where it said nothing   */
    int64_t local_clock_us;  /* ours, only where the server said nothing                 */
};

/*
 * Begins. `json` is what gr_walk_state_json gave at an earlier commit, or NULL; what cannot be read
 * is forgotten, which is always safe. `is_scan` asks for a full walk. `now_us` only tells how old
 * an unfinished scan is.
 */
void gr_walk_begin(struct gr_walk *walk, const struct gr_plan_stream *stream, bool is_scan,
                   int64_t anchor_us, int64_t bookmark_us, const char *json, int64_t now_us);
void gr_walk_free(struct gr_walk *walk);

/*
 * A finished walk from the top goes down once more, to `floor_us`, and claims nothing but what it
 * reads from now on: the cheaper way to answer a long queue. One that was interrupted in an earlier
 * run goes on where it was.
 */
void gr_walk_reread(struct gr_walk *walk, int64_t floor_us);

/* The queue has been answered: what this walk has read is of no more use to anybody. */
void gr_walk_settled(struct gr_walk *walk);

/* The next request; false: the walk is done. */
bool gr_walk_next(struct gr_walk *walk, struct gr_walk_ask *ask);

/*
 * What gr_walk_next will say behind a page that is as it should be and of which no more is known
 * than its last value (GR_TIME_NONE: none) and its next cursor. False: nothing, or too little is
 * known; whoever has asked ahead compares, and lets go of what was not wanted.
 */
bool gr_walk_foresee(const struct gr_walk *walk, int64_t last_us, const char *next_cursor,
                     struct gr_walk_ask *ask);

/* True if a row with this value belongs to the walk (at or above the anchor, within the range). */
bool gr_walk_wants(const struct gr_walk *walk, int64_t value_us);

/* The page that was asked for has come, and will be committed with the state as it is after this.
 */
bool gr_walk_page(struct gr_walk *walk, const struct gr_page_facts *page, struct gr_error *err);

/* The source refused the request (400): its cursor has expired, or `err` stands. */
bool gr_walk_refused(struct gr_walk *walk, struct gr_error *err);

/* Staging does not hold what it should: the scan begins again. */
void gr_walk_restage(struct gr_walk *walk);

/* The scan reads everything a second time, into the same staging. */
void gr_walk_rescan(struct gr_walk *walk);

/* The bookmark that is true once the end of the scan is committed: where the scan began. */
int64_t gr_walk_scan_bookmark(const struct gr_walk *walk);

/* The end of the scan has been committed. */
void gr_walk_finish_scan(struct gr_walk *walk);

/*
 * From when on rows have been asked for once the walk is done, where they had been from `known_us`
 * on (GR_TIME_NONE: unknown); 0 for all of them. A walk that has a bookmark goes down to it and no
 * further, wherever the anchor is now.
 */
int64_t gr_walk_anchor(const struct gr_walk *walk, int64_t known_us);

/* What to remember, as JSON; gives. NULL when there is nothing beyond the bookmark. */
char *gr_walk_state_json(const struct gr_walk *walk);

/* True while the rows of a scan wait in staging for its end. */
bool gr_walk_is_scan(const struct gr_walk *walk);

#endif
