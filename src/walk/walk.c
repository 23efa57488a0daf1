/* walk.c - how a moving list is copied exactly. */
#include "gr/walk/walk.h"

#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/walk/memory.h"

#define EVERYTHING GR_TIME_NONE

/* The Date header tells whole seconds: what happened within its second may have happened before. */
enum { CLOCK_STEP_US = 1000000 };

static int64_t
min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
replace(char **owned, const char *text)
{
    char *copy = text != NULL && *text != '\0' ? gr_strdup(text) : NULL;

    gr_free(*owned);
    *owned = copy;
}

static void
forget_span(struct gr_walk *walk)
{
    replace(&walk->span.cursor, NULL);
    walk->span =
        (struct gr_span){.hi_us = GR_TIME_NONE, .lo_us = GR_TIME_NONE, .clock_us = GR_TIME_NONE};
}

static void
forget_scan(struct gr_walk *walk)
{
    replace(&walk->scan.cursor, NULL);
    walk->scan = (struct gr_scan){.clock_us = GR_TIME_NONE};
}

/* A new chain of pages begins: nothing of an old one is held against it. */
static void
forget_trail(struct gr_walk *walk)
{
    replace(&walk->trail, NULL);
    walk->trail_steps = 0;
    walk->trail_limit = 1;
    walk->last_us = GR_TIME_NONE;
    walk->last_id = 0;
    walk->ids_rise = walk->ids_fall = walk->is_doubted = false;
    walk->empty_pages = 0;
}

static void
begin_scan(struct gr_walk *walk, bool is_fallback)
{
    forget_span(walk);
    forget_scan(walk);
    forget_trail(walk);
    walk->way = GR_WAY_SCAN;
    walk->is_resumed = false;
    walk->scan.is_active = true;
    walk->scan.is_fallback = is_fallback;
}

/* A scan left by an earlier run goes on only where that saves much and what it has staged is fresh.
 */
static bool
may_resume_scan(const struct gr_walk *walk, int64_t now_us)
{
    return walk->scan.is_active && walk->scan.pages >= GR_SCAN_RESUME_PAGES &&
           walk->scan.clock_us != GR_TIME_NONE &&
           walk->scan.pass < walk->stream->schema->pass_count &&
           now_us - walk->scan.clock_us < (int64_t)GR_SCAN_RESUME_S * 1000000;
}

void
gr_walk_begin(struct gr_walk *walk, const struct gr_plan_stream *stream, bool is_scan,
              int64_t anchor_us, int64_t bookmark_us, const char *json, int64_t now_us)
{
    *walk = (struct gr_walk){.stream = stream,
                             .anchor_us = anchor_us,
                             .bookmark_us = bookmark_us,
                             .since_us = GR_TIME_NONE,
                             .floor_us = INT64_MAX,
                             .clock_us = GR_TIME_NONE,
                             .read_since_us = GR_TIME_NONE,
                             .note = ""};
    forget_span(walk);
    forget_scan(walk);
    forget_trail(walk);
    walk->reread = walk->span;
    if (stream->schema->walk == GR_WALK_NONE) {
        walk->way = GR_WAY_DOWN;
        walk->is_done = true;
        walk->is_stopped = stream->limit_rows > 0;
        return;
    }
    gr_walk_recall(walk, json);
    walk->way = stream->schema->walk == GR_WALK_NEWEST_FIRST ? GR_WAY_DOWN : GR_WAY_UP;
    if (is_scan || stream->schema->walk == GR_WALK_FULL)
        walk->way = GR_WAY_SCAN;
    walk->is_backfill = stream->has_range && walk->way != GR_WAY_SCAN;
    walk->from_us = stream->range_from_us;
    walk->to_us = stream->range_to_us;
    if (walk->is_backfill) {
        walk->kept = json != NULL ? gr_strdup(json) : NULL;
        forget_span(walk);
        forget_scan(walk);
        gr_walk_settled(walk);
    }
    walk->is_resumed = walk->span.is_open;
    walk->last_us = walk->span.lo_us;
    walk->last_id = walk->span.lo_id;
    /* An incremental walk that had fallen back to a scan goes on with it, if it may. */
    if (may_resume_scan(walk, now_us) && (walk->way == GR_WAY_SCAN || walk->scan.is_fallback)) {
        walk->is_resumed = true;
        walk->way = GR_WAY_SCAN;
        walk->clock_us = walk->scan.clock_us;
    } else if (walk->way == GR_WAY_SCAN) {
        begin_scan(walk, false);
    } else {
        forget_scan(walk);
    }
}

void
gr_walk_reread(struct gr_walk *walk, int64_t floor_us)
{
    forget_span(walk);
    forget_trail(walk);
    if (walk->reread.is_open) {
        walk->span = walk->reread;
        walk->reread = (struct gr_span){.is_open = false};
        walk->last_us = walk->span.lo_us;
        walk->last_id = walk->span.lo_id;
    }
    walk->is_backfill = walk->is_reread = true;
    walk->from_us = floor_us;
    walk->to_us = GR_TIME_NONE;
    walk->floor_us = INT64_MAX;
    walk->read_since_us = GR_TIME_NONE;
    walk->is_done = false;
}

void
gr_walk_settled(struct gr_walk *walk)
{
    replace(&walk->reread.cursor, NULL);
    walk->reread.is_open = false;
    walk->floor_us = INT64_MAX;
    walk->read_since_us = GR_TIME_NONE;
}

void
gr_walk_free(struct gr_walk *walk)
{
    gr_free(walk->kept);
    gr_free(walk->span.cursor);
    gr_free(walk->reread.cursor);
    gr_free(walk->scan.cursor);
    gr_free(walk->cursor);
    gr_free(walk->trail);
    *walk = (struct gr_walk){.is_done = true};
}

bool
gr_walk_is_scan(const struct gr_walk *walk)
{
    return walk->way == GR_WAY_SCAN;
}

bool
gr_walk_wants(const struct gr_walk *walk, int64_t value_us)
{
    if (walk->is_backfill)
        return value_us != GR_TIME_NONE && value_us >= walk->from_us &&
               (walk->to_us == GR_TIME_NONE || value_us <= walk->to_us);
    if (walk->way == GR_WAY_SCAN && !walk->scan.is_fallback)
        return true;
    return value_us == GR_TIME_NONE || walk->anchor_us == GR_TIME_NONE ||
           value_us >= walk->anchor_us;
}

/* How far down a walk must go, or where one goes up from. */
static int64_t
lower_end(const struct gr_walk *walk)
{
    if (walk->is_backfill)
        return walk->from_us;
    if (walk->bookmark_us == GR_TIME_NONE)
        return walk->anchor_us;
    return max64(walk->anchor_us, walk->bookmark_us - walk->stream->lookback_ms * 1000);
}

/* The page at `cursor`. */
static struct gr_walk_ask
ask_of(const struct gr_walk *walk, const char *cursor)
{
    const struct gr_schema *schema = walk->stream->schema;
    struct gr_walk_ask ask = {
        .order = schema->order,
        .cursor = cursor,
        .since_us = GR_TIME_NONE,
        .limit = schema->page_limit,
        .pass = schema->pass_count > 0 ? &schema->passes[0] : NULL,
    };

    if (walk->way == GR_WAY_SCAN) {
        ask.order = schema->full_order;
        ask.pass = &schema->passes[walk->scan.pass];
        ask.begins_scan = walk->scan.pages == 0 && walk->scan.pass == 0 && cursor == NULL;
    } else if (walk->way == GR_WAY_UP) {
        ask.since_us = walk->since_us;
    }
    return ask;
}

static const char *
cursor_of(const struct gr_walk *walk)
{
    return walk->way == GR_WAY_DOWN ? walk->span.cursor
           : walk->way == GR_WAY_UP ? walk->cursor
                                    : walk->scan.cursor;
}

bool
gr_walk_next(struct gr_walk *walk, struct gr_walk_ask *ask)
{
    int64_t limit = walk->stream->limit_rows;

    if (walk->is_done)
        return false;
    if (walk->way == GR_WAY_UP && walk->cursor == NULL)
        walk->since_us = lower_end(walk);
    *ask = ask_of(walk, cursor_of(walk));
    if (limit > 0)
        ask->limit = min64(ask->limit, max64(1, limit - walk->rows));
    walk->asked_rows = ask->limit;
    return true;
}

/* Where a walk up ends: at what there was when it began. */
static int64_t
upper_end(const struct gr_walk *walk)
{
    bool is_bounded = walk->is_backfill && walk->to_us != GR_TIME_NONE;

    return is_bounded ? walk->to_us : walk->clock_us + CLOCK_STEP_US;
}

bool
gr_walk_foresee(const struct gr_walk *walk, int64_t last_us, const char *next_cursor,
                struct gr_walk_ask *ask)
{
    const char *used = cursor_of(walk);
    bool is_beyond = walk->way == GR_WAY_DOWN ? last_us < lower_end(walk)
                     : walk->way == GR_WAY_UP ? last_us > upper_end(walk)
                                              : false;

    if (walk->is_done || walk->stream->limit_rows > 0 || walk->clock_us == GR_TIME_NONE ||
        (used != NULL && strcmp(used, next_cursor) == 0))
        return false;
    if (walk->way != GR_WAY_SCAN && (last_us == GR_TIME_NONE || is_beyond))
        return false;
    *ask = ask_of(walk, next_cursor);
    return true;
}

/*
 * True if `next` cannot be new: it is the cursor that was just used, or one met before. One cursor
 * is kept, and replaced after 1, 2, 4, 8, ... steps: a loop of any length is met in time that is
 * proportional to it, in the memory of one cursor.
 */
static bool
is_loop(struct gr_walk *walk, const char *used, const char *next)
{
    if (used != NULL && strcmp(used, next) == 0)
        return true;
    if (walk->trail != NULL && strcmp(walk->trail, next) == 0)
        return true;
    if (++walk->trail_steps >= walk->trail_limit) {
        replace(&walk->trail, next);
        walk->trail_steps = 0;
        walk->trail_limit *= 2;
    }
    return false;
}

/*
 * True if rows that share a value have come with rising ids and with falling ones. A server that
 * pages by (value, id) sends them in one direction throughout, whichever it is. In no direction
 * they are sorted by value alone, and where a page ends among them its cursor leaves some out.
 */
static bool
are_ties_disordered(struct gr_walk *walk, const struct gr_page_facts *page)
{
    bool goes_on =
        page->first_us != GR_TIME_NONE && page->first_us == walk->last_us && walk->last_id != 0;

    walk->ids_rise |= page->ids_rise || (goes_on && page->first_id >= walk->last_id);
    walk->ids_fall |= page->ids_fall || (goes_on && page->first_id <= walk->last_id);
    return walk->ids_rise && walk->ids_fall;
}

/* True if most of a page was on the page before: a cursor that is read in the other direction leads
   back, and never to the rest. A row or two may come again in a list that changes its order. */
static bool
goes_back(const struct gr_page_facts *page)
{
    return page->repeats > 1 && page->repeats * 2 > page->rows;
}

/* What is wrong with the page, in words, or NULL. */
static const char *
broken_promise(struct gr_walk *walk, const struct gr_page_facts *page, const char *used,
               const char *next)
{
    bool has_values = page->first_us != GR_TIME_NONE;
    bool has_last = walk->last_us != GR_TIME_NONE;

    if (next != NULL && is_loop(walk, used, next))
        return "the source named the same page twice";
    walk->empty_pages = page->rows == 0 && next != NULL ? walk->empty_pages + 1 : 0;
    if (walk->empty_pages >= GR_WALK_EMPTY_MAX)
        return "the source sent one empty page after another";
    if (walk->way == GR_WAY_DOWN && has_values &&
        (!page->descends || (has_last && page->first_us > walk->last_us)))
        return "rows did not come newest first, as asked";
    if (walk->way == GR_WAY_UP && has_values &&
        (!page->ascends || (has_last && page->first_us < walk->last_us)))
        return "rows did not come oldest first, as asked";
    if (walk->way != GR_WAY_SCAN && are_ties_disordered(walk, page))
        return "rows of one moment did not come in the order of their ids";
    if (walk->way == GR_WAY_SCAN && used != NULL && !walk->is_doubted && goes_back(page))
        return "the source went back to rows that it had sent";
    return NULL;
}

static int64_t
clock_of(const struct gr_page_facts *page)
{
    return page->clock_us != GR_TIME_NONE ? page->clock_us : page->local_clock_us;
}

/* The bookmark never goes back, and nothing moves it in a backfill. */
static void
raise_bookmark(struct gr_walk *walk, int64_t value_us)
{
    if (value_us == GR_TIME_NONE || walk->is_backfill)
        return;
    walk->bookmark_us = max64(walk->bookmark_us, value_us);
}

/* All rows from `floor_us` up have been read since `since_us`: joined to what was read before. */
static void
note_read(struct gr_walk *walk, int64_t floor_us, int64_t since_us)
{
    bool is_first = walk->read_since_us == GR_TIME_NONE;

    walk->floor_us = min64(walk->floor_us, floor_us);
    walk->read_since_us = is_first ? since_us : min64(walk->read_since_us, since_us);
}

/* What the walk leaves out lies below this. */
static int64_t
least_wanted(const struct gr_walk *walk)
{
    return walk->is_backfill ? walk->from_us : walk->anchor_us;
}

static void
take_down(struct gr_walk *walk, const struct gr_page_facts *page, const char *next)
{
    struct gr_span *span = &walk->span;
    int64_t end = lower_end(walk);

    if (!span->is_open)
        span->clock_us = clock_of(page);
    span->is_open = true;
    /* A value ahead of the server's clock would make the next walk stop above later changes. */
    if (span->hi_us == GR_TIME_NONE && page->first_us != GR_TIME_NONE)
        span->hi_us = min64(page->first_us, clock_of(page));
    if (page->last_us != GR_TIME_NONE) {
        span->lo_us = page->last_us;
        span->lo_id = page->last_id;
    }
    replace(&span->cursor, next);
    if (next != NULL && (span->lo_us == GR_TIME_NONE || end == GR_TIME_NONE || span->lo_us >= end))
        return;
    raise_bookmark(walk, span->hi_us);
    /* Of the rows that share the last value some may stand on the page behind, and those below what
       is wanted were on the page, but not taken. */
    note_read(walk, max64(next == NULL ? EVERYTHING : span->lo_us + 1, least_wanted(walk)),
              span->clock_us);
    /* A gap is closed; what changed since that walk began comes from the top. */
    walk->is_done = !walk->is_resumed;
    walk->is_resumed = false;
    forget_span(walk);
    forget_trail(walk);
}

static void
take_up(struct gr_walk *walk, const struct gr_page_facts *page, const char *next)
{
    if (page->max_us != GR_TIME_NONE)
        raise_bookmark(walk, min64(page->max_us, clock_of(page)));
    replace(&walk->cursor, next);
    walk->is_done =
        next == NULL || (page->first_us != GR_TIME_NONE && page->first_us > upper_end(walk));
}

static void
note_scan_page(struct gr_walk *walk, const struct gr_page_facts *page)
{
    if (walk->scan.clock_us == GR_TIME_NONE)
        walk->scan.clock_us = clock_of(page);
    walk->scan.pages++;
}

static void
take_scan(struct gr_walk *walk, const struct gr_page_facts *page, const char *next)
{
    struct gr_scan *scan = &walk->scan;

    note_scan_page(walk, page);
    replace(&scan->cursor, next);
    if (next != NULL)
        return;
    scan->pass++;
    forget_trail(walk);
    walk->is_done = scan->pass >= walk->stream->schema->pass_count;
}

/* True the first time that a list seems to end with a full page, or one without a single row that
   can be read, and what may lie behind it matters: the page will be asked for again. */
static bool
is_doubtful_end(struct gr_walk *walk, const struct gr_page_facts *page, const char *next)
{
    bool is_full = page->rows > 0 && page->rows == walk->asked_rows;
    bool is_down_there = walk->way == GR_WAY_DOWN && page->last_us != GR_TIME_NONE &&
                         page->last_us < lower_end(walk);

    bool is_unread = page->rows > 0 && page->refused == page->rows;

    walk->is_doubted = next == NULL && (is_full || is_unread) && !walk->is_doubted &&
                       !is_down_there && walk->stream->limit_rows == 0;
    return walk->is_doubted;
}

bool
gr_walk_page(struct gr_walk *walk, const struct gr_page_facts *page, struct gr_error *err)
{
    const char *used = cursor_of(walk);
    const char *next =
        page->next_cursor != NULL && *page->next_cursor != '\0' ? page->next_cursor : NULL;
    const char *broken = broken_promise(walk, page, used, next);

    if (broken != NULL && walk->way == GR_WAY_SCAN)
        return gr_fail(err, GR_FAULT_PAYLOAD, "%s, in a walk through everything", broken);
    if (broken != NULL) {
        walk->note = broken;
        walk->clock_us = GR_TIME_NONE;
        begin_scan(walk, true);
        return true;
    }
    if (walk->clock_us == GR_TIME_NONE)
        walk->clock_us = clock_of(page);
    if (is_doubtful_end(walk, page, next)) {
        /* Its rows are kept, but the place is the one where it begins. */
        if (walk->way == GR_WAY_SCAN)
            note_scan_page(walk, page);
        return true;
    }
    if (page->last_us != GR_TIME_NONE) {
        walk->last_us = page->last_us;
        walk->last_id = page->last_id;
    }
    walk->rows += page->rows;
    walk->pages++;
    if (walk->way == GR_WAY_DOWN)
        take_down(walk, page, next);
    else if (walk->way == GR_WAY_UP)
        take_up(walk, page, next);
    else
        take_scan(walk, page, next);
    if (!walk->is_done && walk->stream->limit_rows > 0 && walk->rows >= walk->stream->limit_rows)
        walk->is_done = walk->is_stopped = true;
    return true;
}

bool
gr_walk_refused(struct gr_walk *walk, struct gr_error *err)
{
    const char *used = cursor_of(walk);

    if (used == NULL)
        return false;
    if (++walk->refusals > GR_WALK_REFUSALS_MAX) {
        (void)gr_fail_in(err, "the source refused %d page cursors that it had just made",
                         GR_WALK_REFUSALS_MAX);
        return false;
    }
    /* Cursors are short-lived. From the top again: what is covered is unchanged and costs nothing
       but its requests. */
    forget_span(walk);
    forget_trail(walk);
    replace(&walk->cursor, NULL);
    walk->is_resumed = false;
    walk->clock_us = GR_TIME_NONE;
    if (walk->way == GR_WAY_SCAN)
        begin_scan(walk, walk->scan.is_fallback);
    return true;
}

void
gr_walk_restage(struct gr_walk *walk)
{
    begin_scan(walk, walk->scan.is_fallback);
    walk->is_done = false;
    walk->is_stopped = false;
    walk->rows = 0;
    walk->clock_us = GR_TIME_NONE;
}

void
gr_walk_rescan(struct gr_walk *walk)
{
    forget_trail(walk);
    replace(&walk->scan.cursor, NULL);
    walk->scan.pass = 0;
    walk->is_done = false;
}

int64_t
gr_walk_scan_bookmark(const struct gr_walk *walk)
{
    if (walk->stream->schema->cursor == NULL || walk->is_stopped || walk->is_backfill)
        return walk->bookmark_us;
    return max64(walk->bookmark_us, walk->scan.clock_us);
}

int64_t
gr_walk_anchor(const struct gr_walk *walk, int64_t known_us)
{
    const struct gr_plan_stream *stream = walk->stream;
    bool is_full = walk->way == GR_WAY_SCAN && stream->mode != GR_MODE_INCREMENTAL;
    int64_t ours_us = is_full ? 0 : max64(walk->anchor_us, 0);

    if (stream->has_range) {
        bool is_joined = known_us != GR_TIME_NONE && stream->range_from_us <= known_us &&
                         (stream->range_to_us == GR_TIME_NONE || stream->range_to_us >= known_us);

        return is_joined ? max64(stream->range_from_us, 0) : known_us;
    }
    if (known_us == GR_TIME_NONE)
        return ours_us;
    return walk->way == GR_WAY_SCAN ? min64(known_us, ours_us) : known_us;
}

void
gr_walk_finish_scan(struct gr_walk *walk)
{
    walk->bookmark_us = gr_walk_scan_bookmark(walk);
    if (walk->stream->schema->cursor != NULL && !walk->is_stopped && !walk->is_backfill)
        note_read(walk, walk->scan.is_fallback ? walk->anchor_us : EVERYTHING, walk->scan.clock_us);
    forget_scan(walk);
}
