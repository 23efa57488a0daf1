/* layers: walk */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/walk/walk.h"

/*
 * A model of the source (rows with a value, listed by (value, id) with keyset cursors) and of the
 * warehouse (the version of each row that was committed last). The walk stands between them.
 */
enum { ROWS_MAX = 400, PAGE = 7, SECOND = 1000000 };

/* How the source lists rows that share a value. Newest first: */
enum ties {
    TIES_FALL,   /* the greater id first, as everything else goes        */
    TIES_RISE,   /* the smaller id first                                 */
    TIES_ANYHOW, /* sorted by value alone, and yet cut by (value, id)    */
};

struct model {
    int64_t v[ROWS_MAX];    /* GR_TIME_NONE: null */
    int64_t made[ROWS_MAX]; /* creation, never changes */
    int version[ROWS_MAX];
    int count;
    int64_t clock;
    int copy[ROWS_MAX]; /* version in the warehouse, 0: not there */
    int64_t bookmark;
    char *memory; /* what the walk remembers */
    unsigned seed;
    int cursors_die; /* 1 in n cursors is refused; 0: none */
    int breaks_order;
    enum ties ties;
    int64_t loses_at; /* the request whose answer has lost its cursor; 0: none */
    int64_t requests;
    int64_t foreseen, unforeseen; /* further pages that could be asked for before theirs was read */
    const char *note;             /* of the last run's walk */
};

static struct gr_pass no_pass;

static struct gr_schema newest_first = {.stream = "tickets",
                                        .walk = GR_WALK_NEWEST_FIRST,
                                        .cursor = "updated_datetime",
                                        .order = "updated_datetime:desc",
                                        .full_order = "created_datetime:asc",
                                        .page_limit = PAGE,
                                        .passes = &no_pass,
                                        .pass_count = 1};
static struct gr_schema oldest_first = {.stream = "events",
                                        .walk = GR_WALK_OLDEST_FIRST,
                                        .cursor = "created_datetime",
                                        .order = "created_datetime:asc",
                                        .full_order = "created_datetime:asc",
                                        .since = "created_datetime[gte]",
                                        .page_limit = PAGE,
                                        .passes = &no_pass,
                                        .pass_count = 1};

static struct gr_plan_stream
stream_of(const struct gr_schema *schema)
{
    return (struct gr_plan_stream){.name = schema->stream,
                                   .schema = schema,
                                   .lookback_ms = 2000,
                                   .range_from_us = GR_TIME_NONE,
                                   .range_to_us = GR_TIME_NONE};
}

static int
draw(struct model *model, int below)
{
    model->seed = model->seed * 1103515245U + 12345U;
    return (int)((model->seed >> 16) % (unsigned)below);
}

static void
touch(struct model *model, int id)
{
    /* Half of the changes share their moment with the one before: ties are the rule. */
    model->clock += draw(model, 2) * SECOND / 2;
    model->v[id] = model->clock;
    model->version[id]++;
}

static void
add(struct model *model)
{
    if (model->count == ROWS_MAX)
        return;
    model->version[model->count] = 0;
    touch(model, model->count);
    model->made[model->count] = model->clock;
    model->count++;
}

static struct model
model_new(unsigned seed, int count)
{
    struct model model = {
        .seed = seed, .clock = INT64_C(1700000000) * SECOND, .bookmark = GR_TIME_NONE};

    for (int i = 0; i < count; i++)
        add(&model);
    return model;
}

/* What the server sorts by; a null sorts above everything, as PostgreSQL does with desc. */
struct entry {
    int64_t value;
    int id;
};

static int
ascending(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The same, but for ids. */
static int
ascending_ids_falling(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->value != y->value ? ascending(a, b) : ascending(b, a);
}

static int
list(const struct model *model, const struct gr_walk_ask *ask, struct entry *out)
{
    bool by_made = strncmp(ask->order, "created", 7) == 0;
    bool is_desc = strstr(ask->order, ":desc") != NULL;
    int n = 0;

    for (int i = 0; i < model->count; i++) {
        int64_t v = by_made ? model->made[i] : model->v[i];

        if (ask->since_us != GR_TIME_NONE && v < ask->since_us)
            continue;
        out[n++] = (struct entry){v == GR_TIME_NONE ? INT64_MAX : v, i};
    }
    qsort(out, (size_t)n, sizeof(out[0]),
          model->ties == TIES_RISE ? ascending_ids_falling : ascending);
    for (int i = 0; is_desc && i < n / 2; i++) {
        struct entry swap = out[i];

        out[i] = out[n - 1 - i];
        out[n - 1 - i] = swap;
    }
    return n;
}

/* Index of the first entry behind the cursor "value,id". */
static int
behind(const struct model *model, const struct entry *entries, int n, const char *cursor,
       bool is_desc)
{
    struct entry at = {0, 0};
    long long value;
    char *end;

    if (cursor == NULL)
        return 0;
    value = strtoll(cursor, &end, 10);
    at.value = value;
    at.id = (int)strtol(end + 1, NULL, 10);
    for (int i = 0; i < n; i++) {
        int order = model->ties == TIES_RISE ? ascending_ids_falling(&entries[i], &at)
                                             : ascending(&entries[i], &at);

        if (is_desc ? order < 0 : order > 0)
            return i;
    }
    return n;
}

/* Turns neighbours that share a value, at random: the order of a server that sorts by value alone.
 */
static void
jumble(struct model *model, struct entry *entries, int from, int n)
{
    for (int i = from; i + 1 < n; i++) {
        struct entry swap = entries[i];

        if (swap.value != entries[i + 1].value || draw(model, 2) == 0)
            continue;
        entries[i] = entries[i + 1];
        entries[i + 1] = swap;
    }
}

static void
note(struct gr_page_facts *page, const struct entry *entry)
{
    int64_t value = entry->value, id = entry->id + 1;

    if (value == INT64_MAX)
        return;
    if (page->first_us == GR_TIME_NONE) {
        page->first_us = value;
        page->first_id = id;
    } else if (value > page->last_us) {
        page->descends = false;
    } else if (value < page->last_us) {
        page->ascends = false;
    } else {
        page->ids_rise |= id >= page->last_id;
        page->ids_fall |= id <= page->last_id;
    }
    page->last_us = value;
    page->last_id = id;
    if (value > page->max_us)
        page->max_us = value;
}

/* What is asked behind a page that kept its promises is what was foreseen, if anything was. */
static void
expect_foreseen(struct model *model, struct gr_walk *walk, const struct gr_walk_ask *foreseen,
                bool was_foreseen)
{
    struct gr_walk_ask ask;

    if (!gr_walk_next(walk, &ask) || ask.cursor == NULL) {
        assert_false(was_foreseen);
        return;
    }
    model->foreseen += was_foreseen;
    model->unforeseen += !was_foreseen;
    if (!was_foreseen)
        return;
    assert_string_equal(foreseen->cursor, ask.cursor);
    assert_string_equal(foreseen->order, ask.order);
    assert_int_equal(foreseen->limit, ask.limit);
    assert_true(foreseen->since_us == ask.since_us);
    assert_ptr_equal(foreseen->pass, ask.pass);
    assert_false(foreseen->begins_scan);
}

/* One request, answered and committed. False: the cursor was refused. */
static bool
serve(struct model *model, struct gr_walk *walk, const struct gr_walk_ask *ask)
{
    struct entry entries[ROWS_MAX];
    struct gr_page_facts page = {.first_us = GR_TIME_NONE,
                                 .last_us = GR_TIME_NONE,
                                 .max_us = GR_TIME_NONE,
                                 .descends = true,
                                 .ascends = true,
                                 .clock_us = model->clock / SECOND * SECOND};
    bool is_desc = strstr(ask->order, ":desc") != NULL;
    char cursor[64];
    struct gr_walk_ask foreseen = {.cursor = NULL};
    enum gr_way way = walk->way;
    struct gr_error err;
    bool was_foreseen;
    int n, from;

    model->requests++;
    if (ask->cursor != NULL && model->cursors_die > 0 && draw(model, model->cursors_die) == 0)
        return false;
    n = list(model, ask, entries);
    from = behind(model, entries, n, ask->cursor, is_desc);
    if (model->ties == TIES_ANYHOW && is_desc)
        jumble(model, entries, from, n);
    for (int i = from; i < n && i < from + (int)ask->limit; i++) {
        int shown = i;

        if (model->breaks_order && is_desc && i + 1 < n && i + 1 < from + (int)ask->limit)
            shown = i % 2 == 0 ? i + 1 : i - 1 >= from ? i - 1 : i;
        note(&page, &entries[shown]);
        page.rows++;
        model->copy[entries[shown].id] = model->version[entries[shown].id];
    }
    if (from + (int)ask->limit < n) {
        const struct entry *last = &entries[from + (int)ask->limit - 1];

        (void)snprintf(cursor, sizeof(cursor), "%lld,%d", (long long)last->value, last->id);
        page.next_cursor = model->requests == model->loses_at ? NULL : cursor;
    }
    was_foreseen = page.next_cursor != NULL &&
                   gr_walk_foresee(walk, page.last_us, page.next_cursor, &foreseen);
    assert_true(gr_walk_page(walk, &page, &err));
    if (walk->way == way)
        expect_foreseen(model, walk, &foreseen, was_foreseen);
    model->bookmark = walk->bookmark_us;
    gr_free(model->memory);
    model->memory = gr_walk_state_json(walk);
    return true;
}

/* A run of at most `most` requests, with `changes` drawn between any two of them. */
static bool
run(struct model *model, const struct gr_plan_stream *stream, bool is_scan, int most, int changes)
{
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err = {.fault = GR_FAULT_REFUSED};
    bool is_done;

    gr_walk_begin(&walk, stream, is_scan, GR_TIME_NONE, model->bookmark, model->memory,
                  model->clock);
    while (most-- > 0 && gr_walk_next(&walk, &ask)) {
        if (!serve(model, &walk, &ask) && !gr_walk_refused(&walk, &err))
            break;
        for (int i = draw(model, changes + 1); i > 0; i--) {
            if (draw(model, 4) == 0)
                add(model);
            else
                touch(model, draw(model, model->count));
        }
    }
    is_done = walk.is_done;
    model->note = walk.note;
    if (is_done && gr_walk_is_scan(&walk)) {
        gr_walk_finish_scan(&walk);
        model->bookmark = walk.bookmark_us;
        gr_free(model->memory);
        model->memory = gr_walk_state_json(&walk);
    }
    if (is_done) { /* nothing is due to be answered in this model */
        gr_walk_settled(&walk);
        gr_free(model->memory);
        model->memory = gr_walk_state_json(&walk);
    }
    gr_walk_free(&walk);
    return is_done;
}

static void
expect_equal(const struct model *model, unsigned seed)
{
    for (int i = 0; i < model->count; i++) {
        if (model->copy[i] != model->version[i])
            fail_msg("seed %u: row %d is version %d, the copy has %d", seed, i, model->version[i],
                     model->copy[i]);
    }
}

/* Random histories: changes between pages, kills anywhere, cursors that die. When the account comes
   to rest, one whole run makes the copy equal. */
static void
histories(const struct gr_schema *schema, bool rows_change, unsigned seeds)
{
    struct gr_plan_stream stream = stream_of(schema);
    int64_t foreseen = 0, unforeseen = 0;

    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct model model = model_new(seed, 20 + (int)(seed % 180));
        int runs = 1 + draw(&model, 8);

        model.cursors_die = seed % 3 == 0 ? 12 : 0;
        stream.lookback_ms = seed % 2 == 0 ? 2000 : 0;
        for (int i = 0; i < runs; i++) {
            int changes = draw(&model, 5);

            if (!rows_change)
                add(&model);
            (void)run(&model, &stream, false, draw(&model, 2) ? 1 + draw(&model, 9) : 1000,
                      rows_change ? changes : 0);
        }
        model.clock += 3 * SECOND;
        model.cursors_die = 0;
        assert_true(run(&model, &stream, false, 1000, 0));
        expect_equal(&model, seed);
        gr_free(model.memory);
        foreseen += model.foreseen;
        unforeseen += model.unforeseen;
    }
    /* The first page of a walk tells the server's clock: what is behind that one is not foreseen.
     */
    assert_true(foreseen > 2 * unforeseen);
}

static void
newest_first_histories_end_equal(void **state)
{
    (void)state;
    histories(&newest_first, true, 3000);
}

static void
oldest_first_histories_end_equal(void **state)
{
    (void)state;
    histories(&oldest_first, false, 1000);
}

/* The server's clock says 12:00:00 during all of that second: its events belong to this run. */
static void
what_happened_within_the_clock_s_second_is_read(void **state)
{
    struct gr_plan_stream stream = stream_of(&oldest_first);
    struct gr_page_facts page = {.rows = PAGE,
                                 .first_us = 60 * SECOND,
                                 .last_us = 61 * SECOND - 1,
                                 .max_us = 61 * SECOND - 1,
                                 .ascends = true,
                                 .next_cursor = "c",
                                 .clock_us = 60 * SECOND};
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    page.first_us = page.last_us = page.max_us = 61 * SECOND - 1;
    page.next_cursor = "d";
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(gr_walk_next(&walk, &ask));
    page.first_us = page.last_us = page.max_us = 61 * SECOND + 1; /* a tail that moves for ever */
    page.next_cursor = "e";
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    assert_true(walk.bookmark_us == 60 * SECOND);
    gr_walk_free(&walk);
}

static void
nulls_are_loaded_and_count_for_no_bound(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct model model = model_new(5, 40);

    (void)state;
    for (int i = 0; i < 17; i++)
        model.v[i * 2] = GR_TIME_NONE;
    assert_true(run(&model, &stream, false, 1000, 0));
    expect_equal(&model, 5);
    assert_true(model.bookmark != GR_TIME_NONE);
    assert_true(model.bookmark <= model.clock);
    gr_free(model.memory);
}

static void
an_idle_run_asks_once(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct model model = model_new(7, 100);

    (void)state;
    model.clock += 60 * SECOND;
    touch(&model, 3);
    model.clock += 60 * SECOND;
    assert_true(run(&model, &stream, false, 1000, 0));
    model.requests = 0;
    assert_true(run(&model, &stream, false, 1000, 0));
    assert_int_equal(model.requests, 1);
    gr_free(model.memory);
}

/* Adds a row with a value of its own. */
static void
add_at(struct model *model, int64_t value)
{
    add(model);
    model->v[model->count - 1] = model->made[model->count - 1] = value;
}

static void
a_row_that_was_committed_late_is_found_within_the_lookback(void **state)
{
    const struct gr_schema *schemas[] = {&newest_first, &oldest_first};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct gr_plan_stream stream = stream_of(schemas[i]);
        struct model model = model_new(21, 60);
        int64_t top = (model.clock / SECOND + 60) * SECOND;

        model.clock = top;
        add_at(&model, top - SECOND / 2);
        add_at(&model, top);
        assert_true(run(&model, &stream, false, 1000, 0));
        assert_true(model.bookmark == top);
        /* The page that crosses the bookmark ends above the row that came late. */
        add_at(&model, top - SECOND);
        for (int j = 0; j < PAGE - 2; j++)
            add_at(&model, top + SECOND);
        model.clock = top + 2 * (int64_t)SECOND;
        assert_true(run(&model, &stream, false, 1000, 0));
        expect_equal(&model, 21);
        gr_free(model.memory);
    }
}

static void
a_bookmark_is_never_ahead_of_the_server_s_clock(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct model model = model_new(9, 30);
    int64_t now = model.clock;

    (void)state;
    model.v[4] = now + 3600 * (int64_t)SECOND;
    assert_true(run(&model, &stream, false, 1000, 0));
    assert_true(model.bookmark <= now);
    /* A change that lies between now and the value ahead is found all the same. */
    model.clock += 5 * SECOND;
    touch(&model, 11);
    assert_true(run(&model, &stream, false, 1000, 0));
    expect_equal(&model, 9);
    gr_free(model.memory);
}

static void
a_broken_order_becomes_a_walk_through_everything(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct model model = model_new(11, 90);

    (void)state;
    for (int i = 0; i < 60; i++) {
        model.clock += SECOND;
        touch(&model, draw(&model, model.count));
    }
    model.breaks_order = 1;
    assert_true(run(&model, &stream, false, 1000, 0));
    assert_string_equal(model.note, "rows did not come newest first, as asked");
    expect_equal(&model, 11);
    gr_free(model.memory);
}

/* Either way of ordering ids among rows of one moment is an honest one: no false alarm, in
   histories where every other change shares its moment with the one before. */
static void
ties_may_go_either_way(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);

    (void)state;
    for (unsigned seed = 1; seed <= 400; seed++) {
        struct model model = model_new(seed, 20 + (int)(seed % 180));

        model.ties = seed % 2 == 0 ? TIES_RISE : TIES_FALL;
        for (int i = 0; i < 4; i++) {
            (void)run(&model, &stream, false, 1 + draw(&model, 20), draw(&model, 5));
            assert_string_equal(model.note, "");
        }
        model.clock += 3 * SECOND;
        assert_true(run(&model, &stream, false, 1000, 0));
        assert_string_equal(model.note, "");
        expect_equal(&model, seed);
        gr_free(model.memory);
    }
}

/* Sorted by value alone and cut by (value, id): where a page ends among equals, rows are left out.
 */
static void
ties_in_no_order_void_the_claim(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);

    (void)state;
    for (unsigned seed = 1; seed <= 400; seed++) {
        struct model model = model_new(seed, 150);

        model.ties = TIES_ANYHOW;
        assert_true(run(&model, &stream, false, 1000, 0));
        assert_string_equal(model.note,
                            "rows of one moment did not come in the order of their ids");
        expect_equal(&model, seed);
        gr_free(model.memory);
    }
}

/* An answer that has lost its cursor is not the end of the list, whichever page it is. */
static void
a_full_page_that_names_no_next_one_is_asked_for_again(void **state)
{
    const struct gr_schema *schemas[] = {&newest_first, &oldest_first};

    (void)state;
    for (int way = 0; way < 4; way++) {
        struct gr_plan_stream stream = stream_of(schemas[way % 2]);

        for (int64_t request = 1; request <= 14; request++) {
            struct model model = model_new(31, 100);

            model.loses_at = request;
            assert_true(run(&model, &stream, way / 2 != 0, 1000, 0));
            assert_string_equal(model.note, "");
            assert_int_equal(model.requests, 16); /* of 15 pages */
            expect_equal(&model, 31);
            gr_free(model.memory);
        }
    }
}

/* A scan whose cursor is read in the other direction comes back to what it has read, and would end
   there. A row that moved in the list may come again. */
static void
a_scan_does_not_go_back(void **state)
{
    static const struct {
        int64_t repeats;
        bool is_first, is_back;
    } cases[] = {{0, false, false},       {1, false, false},   {PAGE / 2, false, false},
                 {PAGE - 1, false, true}, {PAGE, false, true}, {PAGE, true, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_plan_stream stream = stream_of(&newest_first);
        struct gr_page_facts page = {.rows = PAGE,
                                     .next_cursor = "c",
                                     .clock_us = 1000,
                                     .first_us = GR_TIME_NONE,
                                     .last_us = GR_TIME_NONE,
                                     .max_us = GR_TIME_NONE};
        struct gr_walk walk;
        struct gr_walk_ask ask;
        struct gr_error err;

        gr_walk_begin(&walk, &stream, true, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
        assert_true(gr_walk_next(&walk, &ask));
        if (!cases[i].is_first)
            assert_true(gr_walk_page(&walk, &page, &err));
        page.next_cursor = "d";
        page.repeats = cases[i].repeats;
        assert_int_equal(gr_walk_page(&walk, &page, &err), !cases[i].is_back);
        gr_walk_free(&walk);
    }
}

/* A list that does end with a full page costs one request more, and ends. */
static void
a_list_may_end_with_a_full_page(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);

    (void)state;
    for (int is_scan = 0; is_scan < 2; is_scan++) {
        struct model model = model_new(32, 4 * PAGE);

        assert_true(run(&model, &stream, is_scan != 0, 1000, 0));
        assert_int_equal(model.requests, 5);
        expect_equal(&model, 32);
        gr_free(model.memory);
    }
}

/* A page as a server would send it, for what no honest model does. */
static struct gr_page_facts
page_of(int64_t first, int64_t last, const char *next)
{
    return (struct gr_page_facts){.rows = first == GR_TIME_NONE ? 0
                                          : next != NULL        ? PAGE
                                                                : PAGE - 1,
                                  .first_us = first,
                                  .last_us = last,
                                  .max_us = first,
                                  .descends = true,
                                  .ascends = false,
                                  .next_cursor = next,
                                  .clock_us = 1000};
}

/* Two pages, each with what it says of its own order. */
static const char *
note_after(struct gr_schema *schema, struct gr_page_facts first, struct gr_page_facts second)
{
    struct gr_plan_stream stream = stream_of(schema);
    struct gr_walk walk;
    struct gr_error err;
    const char *note;

    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_page(&walk, &first, &err));
    assert_string_equal(walk.note, "");
    assert_true(gr_walk_page(&walk, &second, &err));
    note = walk.note;
    gr_walk_free(&walk);
    return note;
}

static struct gr_page_facts
rising(struct gr_page_facts page)
{
    page.max_us = page.last_us;
    page.descends = false;
    page.ascends = true;
    return page;
}

static void
order_is_proved_within_pages_and_from_page_to_page(void **state)
{
    static const char newest[] = "rows did not come newest first, as asked";
    static const char oldest[] = "rows did not come oldest first, as asked";
    struct gr_page_facts down = page_of(900, 400, "b"), up = rising(page_of(400, 900, "b"));

    (void)state;
    assert_string_equal(note_after(&newest_first, down, page_of(400, 300, "c")), "");
    assert_string_equal(note_after(&newest_first, down, page_of(401, 300, "c")), newest);
    assert_string_equal(note_after(&newest_first, down, rising(page_of(300, 350, "c"))), newest);
    assert_string_equal(note_after(&oldest_first, up, rising(page_of(900, 950, "c"))), "");
    assert_string_equal(note_after(&oldest_first, up, rising(page_of(899, 950, "c"))), oldest);
    assert_string_equal(note_after(&oldest_first, up, page_of(950, 920, "c")), oldest);
}

/* What could not be read may be anything: such a page is no end the first time. */
static void
a_page_of_which_nothing_is_read_is_asked_for_again(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(GR_TIME_NONE, GR_TIME_NONE, NULL);
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    page.rows = page.refused = 2;
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(gr_walk_next(&walk, &ask));
    assert_null(ask.cursor);
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    gr_walk_free(&walk);
}

static void
a_cursor_that_comes_again_is_noticed(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;
    int pages = 0;

    (void)state;
    for (int length = 1; length <= 5; length++) {
        gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
        for (pages = 0; pages < 100 && !gr_walk_is_scan(&walk); pages++) {
            char cursor[16];
            struct gr_page_facts page = page_of(500, 500, cursor);

            (void)snprintf(cursor, sizeof(cursor), "c%d", pages % length);
            assert_true(gr_walk_next(&walk, &ask));
            assert_true(gr_walk_page(&walk, &page, &err));
        }
        assert_true(pages <= 4 * length + 2);
        assert_string_not_equal(walk.note, "");
        gr_walk_free(&walk);
    }
}

static void
empty_pages_that_name_a_next_one_are_not_the_end(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(GR_TIME_NONE, GR_TIME_NONE, NULL);
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    for (int i = 0; i < GR_WALK_EMPTY_MAX; i++) {
        char cursor[16];

        (void)snprintf(cursor, sizeof(cursor), "c%d", i);
        page.next_cursor = cursor;
        assert_false(gr_walk_is_scan(&walk));
        assert_true(gr_walk_next(&walk, &ask));
        assert_true(gr_walk_page(&walk, &page, &err));
    }
    assert_true(gr_walk_is_scan(&walk));
    /* Through everything, too, they are no end: there the walk fails. */
    for (int i = 0; i < GR_WALK_EMPTY_MAX; i++) {
        char cursor[16];
        bool ok;

        (void)snprintf(cursor, sizeof(cursor), "d%d", i);
        page.next_cursor = cursor;
        assert_true(gr_walk_next(&walk, &ask));
        ok = gr_walk_page(&walk, &page, &err);
        assert_int_equal(ok, i + 1 < GR_WALK_EMPTY_MAX);
    }
    assert_int_equal(err.fault, GR_FAULT_PAYLOAD);
    gr_walk_free(&walk);
}

static void
an_empty_list_is_done_and_claims_nothing(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(GR_TIME_NONE, GR_TIME_NONE, NULL);
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_null(ask.cursor);
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    assert_true(walk.bookmark_us == GR_TIME_NONE);
    gr_walk_free(&walk);
}

static void
a_row_limit_leaves_a_gap_and_no_bookmark(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct model model = model_new(13, 100);

    (void)state;
    stream.limit_rows = 20;
    for (int i = 0; i < 3; i++) {
        assert_true(run(&model, &stream, false, 1000, 0));
        assert_true(model.bookmark == GR_TIME_NONE);
        assert_non_null(model.memory);
    }
    stream.limit_rows = 0;
    assert_true(run(&model, &stream, false, 1000, 0));
    expect_equal(&model, 13);
    assert_true(model.bookmark != GR_TIME_NONE);
    assert_null(model.memory);
}

static void
the_anchor_ends_a_first_walk(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(900, 400, "c");
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    gr_walk_begin(&walk, &stream, false, 500, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_wants(&walk, 500));
    assert_true(gr_walk_wants(&walk, GR_TIME_NONE));
    assert_false(gr_walk_wants(&walk, 499));
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    assert_true(walk.bookmark_us == 900);
    gr_walk_free(&walk);
}

static int64_t
anchor_after(enum gr_mode mode, int64_t from_us, int64_t to_us, int64_t anchor_us, int64_t known_us)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_walk walk;
    int64_t after_us;

    stream.mode = mode;
    stream.has_range = from_us != to_us;
    stream.range_from_us = from_us;
    stream.range_to_us = to_us;
    gr_walk_begin(&walk, &stream, mode == GR_MODE_FULL_REFRESH, anchor_us, known_us, NULL, 0);
    after_us = gr_walk_anchor(&walk, known_us);
    gr_walk_free(&walk);
    return after_us;
}

static void
a_later_anchor_moves_nothing(void **state)
{
    const int64_t none = GR_TIME_NONE;

    (void)state;
    assert_int_equal(anchor_after(GR_MODE_INCREMENTAL, 0, 0, 500, none), 500);
    assert_int_equal(anchor_after(GR_MODE_INCREMENTAL, 0, 0, none, none), 0);
    assert_int_equal(anchor_after(GR_MODE_INCREMENTAL, 0, 0, 400, 500), 500);
    assert_int_equal(anchor_after(GR_MODE_INCREMENTAL, 0, 0, 600, 500), 500);
    assert_int_equal(anchor_after(GR_MODE_FULL_REFRESH, 0, 0, 400, 500), 0);
    assert_int_equal(anchor_after(GR_MODE_BACKFILL, 300, 500, 400, 500), 300);
    assert_int_equal(anchor_after(GR_MODE_BACKFILL, none, 700, 400, 500), 0);
    assert_int_equal(anchor_after(GR_MODE_BACKFILL, 300, none, 400, 500), 300);
    assert_int_equal(anchor_after(GR_MODE_BACKFILL, 300, 499, 400, 500), 500);
    assert_int_equal(anchor_after(GR_MODE_BACKFILL, 501, 700, 400, 500), 500);
    assert_int_equal(anchor_after(GR_MODE_BACKFILL, 300, 500, 400, none), none);
}

static void
rows_that_share_the_last_value_are_not_claimed_as_read(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(900, 400, "c");
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    stream.lookback_ms = 0;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, 500, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(walk.floor_us == 401);
    assert_true(walk.read_since_us == 1000);
    gr_walk_free(&walk);
    /* The last page has no page behind. */
    page.next_cursor = NULL;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, 500, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(walk.floor_us == GR_TIME_NONE);
    gr_walk_free(&walk);
}

static void
reading_again_claims_only_what_it_reads(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(900, 400, "c");
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    gr_walk_begin(&walk, &stream, false, 500, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    gr_walk_reread(&walk, 300);
    assert_true(walk.read_since_us == GR_TIME_NONE);
    page.clock_us = 2000;
    assert_true(gr_walk_next(&walk, &ask));
    assert_null(ask.cursor);
    assert_true(gr_walk_page(&walk, &page, &err));
    page = page_of(390, 200, "d");
    assert_true(gr_walk_next(&walk, &ask));
    assert_string_equal(ask.cursor, "c");
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    assert_true(walk.read_since_us == 2000);
    assert_true(walk.floor_us == 300); /* what lies below was on the page, and is not taken */
    assert_true(walk.bookmark_us == 900);
    gr_walk_free(&walk);
}

static void
a_backfill_leaves_what_is_remembered_alone(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(900, 100, "c");
    const char *memory = "{\"span\": {\"hi\": \"2026-01-02T00:00:00Z\", "
                         "\"lo\": \"2026-01-01T00:00:00Z\", \"cursor\": \"abc\"}}";
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;
    char *kept;

    (void)state;
    stream.has_range = true;
    stream.range_from_us = 200;
    stream.range_to_us = 800;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, 77, memory, 0);
    assert_false(gr_walk_wants(&walk, 801));
    assert_false(gr_walk_wants(&walk, GR_TIME_NONE));
    assert_true(gr_walk_wants(&walk, 200));
    assert_true(gr_walk_next(&walk, &ask));
    assert_null(ask.cursor);
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_false(gr_walk_next(&walk, &ask));
    assert_true(walk.bookmark_us == 77);
    kept = gr_walk_state_json(&walk);
    assert_string_equal(kept, memory);
    gr_free(kept);
    gr_walk_free(&walk);
}

/* Two pages of one walk, the second of which begins with the value that the first ends with. */
static const char *
note_of_split_tie(struct gr_page_facts first, struct gr_page_facts second, bool is_up,
                  bool is_killed)
{
    struct gr_plan_stream stream = stream_of(is_up ? &oldest_first : &newest_first);
    struct gr_walk walk;
    struct gr_error err;
    const char *note;

    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_page(&walk, &first, &err));
    assert_string_equal(walk.note, "");
    if (is_killed) {
        char *memory = gr_walk_state_json(&walk);

        gr_walk_free(&walk);
        gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, memory, 0);
        gr_free(memory);
    }
    assert_true(gr_walk_page(&walk, &second, &err));
    note = walk.note;
    gr_walk_free(&walk);
    return note;
}

static void
a_tie_that_a_page_ends_in_is_proved_across_the_pages(void **state)
{
    static const struct {
        bool rise, fall;     /* among the first page's rows of one value        */
        int64_t last, first; /* ids at the end of that page, and of the next    */
        bool is_broken;
    } cases[] = {
        {false, false, 7, 6, false}, {false, false, 7, 8, false}, /* the first tie shows the way  */
        {false, false, 7, 7, true},                               /* the page before once more    */
        {false, true, 7, 6, false},  {false, true, 7, 8, true},   {true, false, 7, 8, false},
        {true, false, 7, 6, true},   {false, true, 7, 7, true},   {true, false, 7, 7, true},
        {false, true, 0, 8, false}, /* where the id is not known, nothing is proved */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int way = 0; way < 4; way++) {
            bool is_up = way % 2 != 0, is_killed = way / 2 != 0;
            struct gr_page_facts first = page_of(is_up ? 300 : 700, 500, "a");
            struct gr_page_facts second = page_of(500, is_up ? 700 : 300, "b");
            const char *note;

            first.ascends = second.ascends = is_up;
            first.descends = second.descends = !is_up;
            first.ids_rise = cases[i].rise;
            first.ids_fall = cases[i].fall;
            first.last_id = cases[i].last;
            second.first_id = cases[i].first;
            second.last_id = 1;
            if (is_killed && is_up)
                continue; /* begins again at its bookmark */
            note = note_of_split_tie(first, second, is_up, is_killed);
            /* A new run knows where the one before ended, but not which way its ties went. */
            assert_int_equal(note[0] != '\0',
                             is_killed ? cases[i].last != 0 && cases[i].last == cases[i].first
                                       : cases[i].is_broken);
        }
    }
}

/* A backfill of [200, 800] whose order is broken reads everything, and is a backfill still. */
static void
a_backfill_that_falls_back_leaves_what_is_remembered_alone(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(900, 700, "c");
    const char *memory = "{\"span\": {\"hi\": \"2026-01-02T00:00:00Z\", "
                         "\"lo\": \"2026-01-01T00:00:00Z\", \"cursor\": \"abc\"}}";
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;
    char *kept;

    (void)state;
    stream.has_range = true;
    stream.range_from_us = 200;
    stream.range_to_us = 800;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, 77, memory, 0);
    page.descends = false;
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(gr_walk_is_scan(&walk));
    assert_string_not_equal(walk.note, "");
    for (int i = 0; i < 2; i++) {
        assert_false(gr_walk_wants(&walk, 199));
        assert_true(gr_walk_wants(&walk, 200));
        assert_true(gr_walk_wants(&walk, 800));
        assert_false(gr_walk_wants(&walk, 801));
        assert_false(gr_walk_wants(&walk, GR_TIME_NONE));
        assert_true(gr_walk_next(&walk, &ask));
        assert_string_equal(ask.order, "created_datetime:asc");
        page = page_of(100, 950, i == 0 ? "d" : NULL);
        assert_true(gr_walk_page(&walk, &page, &err));
        kept = gr_walk_state_json(&walk);
        assert_string_equal(kept, memory);
        gr_free(kept);
        assert_true(walk.bookmark_us == 77);
    }
    assert_true(walk.is_done);
    assert_true(gr_walk_scan_bookmark(&walk) == 77);
    gr_walk_finish_scan(&walk);
    assert_true(walk.bookmark_us == 77);
    assert_true(walk.read_since_us == GR_TIME_NONE); /* nothing outside of the range is settled */
    kept = gr_walk_state_json(&walk);
    assert_string_equal(kept, memory);
    gr_free(kept);
    gr_walk_free(&walk);
}

/* The scan that another run has left behind is neither continued by a backfill nor forgotten. */
static void
a_backfill_does_not_go_on_with_a_scan(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    const char *memory = "{\"scan\": {\"fallback\": true, \"pass\": 0, \"rows\": 2500, "
                         "\"pages\": 25, \"clock\": \"2026-01-01T00:00:00Z\", \"cursor\": \"x\"}}";
    struct gr_walk walk;
    struct gr_walk_ask ask;
    int64_t began;
    char *kept;

    (void)state;
    assert_true(gr_time_parse("2026-01-01T00:00:00Z", 20, &began));
    stream.has_range = true;
    stream.range_from_us = 200;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, 77, memory, began + SECOND);
    assert_false(gr_walk_is_scan(&walk));
    assert_false(walk.is_resumed);
    assert_true(gr_walk_next(&walk, &ask));
    assert_null(ask.cursor);
    kept = gr_walk_state_json(&walk);
    assert_string_equal(kept, memory);
    gr_free(kept);
    gr_walk_free(&walk);
}

static void
restaging_begins_a_limited_scan_anew(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(500, 900, "c");
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    stream.limit_rows = PAGE;
    gr_walk_begin(&walk, &stream, true, GR_TIME_NONE, 77, NULL, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(ask.begins_scan);
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(walk.is_stopped);
    assert_false(gr_walk_next(&walk, &ask));
    gr_walk_restage(&walk);
    assert_false(walk.is_stopped);
    assert_int_equal(walk.rows, 0);
    assert_int_equal(walk.scan.staged_rows, 0);
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(ask.begins_scan);
    assert_null(ask.cursor);
    assert_int_equal(ask.limit, PAGE); /* the whole limit, not what the first attempt left of it */
    page.next_cursor = NULL;
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(walk.is_done);
    assert_false(walk.is_stopped);
    assert_true(gr_walk_scan_bookmark(&walk) == 1000);
    gr_walk_free(&walk);
}

static void
rescanning_reads_everything_into_the_same_staging(void **state)
{
    static struct gr_pass passes[2];
    struct gr_schema schema = newest_first;
    struct gr_plan_stream stream = stream_of(&schema);
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    schema.passes = passes;
    schema.pass_count = 2;
    gr_walk_begin(&walk, &stream, true, GR_TIME_NONE, 77, NULL, 0);
    for (int reading = 0; reading < 2; reading++) {
        for (int i = 0; i < 4; i++) { /* two pages of each pass, with the same cursors each time */
            struct gr_page_facts page = page_of(500, 900, i % 2 == 0 ? "c" : NULL);

            page.clock_us = 1000 * (reading + 1);
            assert_true(gr_walk_next(&walk, &ask));
            assert_int_equal(ask.begins_scan, reading == 0 && i == 0);
            assert_ptr_equal(ask.pass, &passes[i / 2]);
            if (i % 2 == 0)
                assert_null(ask.cursor);
            else
                assert_string_equal(ask.cursor, "c");
            assert_true(gr_walk_page(&walk, &page, &err));
            walk.scan.staged_rows += page.rows;
        }
        assert_false(gr_walk_next(&walk, &ask));
        assert_true(gr_walk_is_scan(&walk));
        assert_true(walk.scan.is_active);
        assert_int_equal(walk.scan.staged_rows, (reading + 1) * (4 * PAGE - 2));
        /* What the first reading brought may be older than the second. */
        assert_true(gr_walk_scan_bookmark(&walk) == 1000);
        if (reading == 0)
            gr_walk_rescan(&walk);
    }
    gr_walk_free(&walk);
}

static void
a_walk_goes_the_lookback_below_the_bookmark(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts above = page_of(9000, 4500, "c");
    struct gr_page_facts below = page_of(4400, 3999, "d");
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    stream.lookback_ms = 1;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, 5000, NULL, 0);
    assert_true(gr_walk_page(&walk, &above, &err));
    assert_true(gr_walk_next(&walk, &ask));
    assert_true(gr_walk_page(&walk, &below, &err));
    assert_false(gr_walk_next(&walk, &ask));
    gr_walk_free(&walk);
}

/* Ends the walk, as a kill would, and begins it again with what it remembers. */
static void
begin_again(struct gr_walk *walk, const struct gr_plan_stream *stream)
{
    int64_t bookmark_us = walk->bookmark_us;
    char *memory = gr_walk_state_json(walk);

    gr_walk_free(walk);
    gr_walk_begin(walk, stream, false, GR_TIME_NONE, bookmark_us, memory, 0);
    gr_free(memory);
}

static void
what_was_read_is_remembered_until_it_is_settled(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts page = page_of(900, 100, NULL);
    struct gr_walk walk;
    struct gr_error err;
    char *memory;

    (void)state;
    page.clock_us = 1000;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_page(&walk, &page, &err));
    begin_again(&walk, &stream);
    assert_true(walk.floor_us == GR_TIME_NONE);
    assert_true(walk.read_since_us == 1000);
    /* The walk that follows is younger: together they are as old as the older one. */
    page.clock_us = 2000;
    assert_true(gr_walk_page(&walk, &page, &err));
    assert_true(walk.read_since_us == 1000);
    gr_walk_settled(&walk);
    memory = gr_walk_state_json(&walk);
    assert_null(memory);
    gr_walk_free(&walk);
}

static void
reading_once_more_goes_on_where_it_was(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_page_facts whole = page_of(900, 100, NULL);
    struct gr_page_facts first = page_of(900, 700, "c1");
    struct gr_page_facts rest = page_of(600, 100, "c2");
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err;

    (void)state;
    whole.clock_us = first.clock_us = rest.clock_us = 1000;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_true(gr_walk_page(&walk, &whole, &err));
    gr_walk_reread(&walk, 300);
    assert_true(gr_walk_page(&walk, &first, &err));
    begin_again(&walk, &stream);
    assert_true(walk.read_since_us == GR_TIME_NONE);
    assert_true(gr_walk_next(&walk, &ask));
    assert_null(ask.cursor); /* the walk from the top comes first */
    whole.clock_us = rest.clock_us = 2000;
    assert_true(gr_walk_page(&walk, &whole, &err));
    begin_again(&walk, &stream);
    assert_true(gr_walk_page(&walk, &whole, &err));
    gr_walk_reread(&walk, 300);
    assert_true(gr_walk_next(&walk, &ask));
    assert_string_equal(ask.cursor, "c1");
    assert_true(gr_walk_page(&walk, &rest, &err));
    assert_false(gr_walk_next(&walk, &ask));
    assert_true(walk.read_since_us == 1000); /* the first of its pages is that old */
    assert_true(walk.floor_us == 300);
    gr_walk_free(&walk);
}

static void
cursors_that_never_work_end_in_an_error(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_error err = {.fault = GR_FAULT_REFUSED};
    bool goes_on = true;
    int refused = 0;

    (void)state;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    while (goes_on && refused < 100) {
        struct gr_page_facts page = page_of(900, 800, "c");

        assert_true(gr_walk_next(&walk, &ask));
        assert_null(ask.cursor);
        assert_true(gr_walk_page(&walk, &page, &err));
        assert_true(gr_walk_next(&walk, &ask));
        assert_non_null(ask.cursor);
        goes_on = gr_walk_refused(&walk, &err);
        refused++;
    }
    assert_int_equal(refused, GR_WALK_REFUSALS_MAX + 1);
    gr_walk_free(&walk);
}

static void
a_refusal_without_a_cursor_is_an_error(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    struct gr_walk walk;
    struct gr_error err = {.fault = GR_FAULT_REFUSED};

    (void)state;
    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, NULL, 0);
    assert_false(gr_walk_refused(&walk, &err));
    gr_walk_free(&walk);
}

static void
memory_that_cannot_be_read_is_forgotten(void **state)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "null",
                                        "{\"span\": 7}",
                                        "{\"span\": {}}",
                                        "{\"scan\": {\"pass\": 99}}",
                                        "{\"span\": {\"cursor\": 5}}",
                                        "{\"scan\": \"x\"}"};
    struct gr_plan_stream stream = stream_of(&newest_first);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct gr_walk walk;
        struct gr_walk_ask ask;

        gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, texts[i], 0);
        assert_true(gr_walk_next(&walk, &ask));
        assert_null(ask.cursor);
        gr_walk_free(&walk);
    }
}

static void
a_scan_resumes_only_where_it_is_long_and_fresh(void **state)
{
    struct gr_plan_stream stream = stream_of(&newest_first);
    const char *memory = "{\"scan\": {\"fallback\": false, \"pass\": 0, \"rows\": 2500, "
                         "\"pages\": 25, \"clock\": \"2026-01-01T00:00:00Z\", \"cursor\": \"x\"}}";
    int64_t began;
    struct gr_walk walk;

    (void)state;
    assert_true(gr_time_parse("2026-01-01T00:00:00Z", 20, &began));
    gr_walk_begin(&walk, &stream, true, GR_TIME_NONE, GR_TIME_NONE, memory, began + SECOND);
    assert_true(walk.is_resumed);
    assert_string_equal(walk.scan.cursor, "x");
    assert_int_equal(walk.scan.staged_rows, 2500);
    gr_walk_free(&walk);
    gr_walk_begin(&walk, &stream, true, GR_TIME_NONE, GR_TIME_NONE, memory,
                  began + INT64_C(7) * 3600 * SECOND);
    assert_false(walk.is_resumed);
    assert_null(walk.scan.cursor);
    gr_walk_free(&walk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first_histories_end_equal),
        cmocka_unit_test(oldest_first_histories_end_equal),
        cmocka_unit_test(what_happened_within_the_clock_s_second_is_read),
        cmocka_unit_test(nulls_are_loaded_and_count_for_no_bound),
        cmocka_unit_test(an_idle_run_asks_once),
        cmocka_unit_test(a_row_that_was_committed_late_is_found_within_the_lookback),
        cmocka_unit_test(a_bookmark_is_never_ahead_of_the_server_s_clock),
        cmocka_unit_test(a_broken_order_becomes_a_walk_through_everything),
        cmocka_unit_test(ties_may_go_either_way),
        cmocka_unit_test(a_full_page_that_names_no_next_one_is_asked_for_again),
        cmocka_unit_test(a_list_may_end_with_a_full_page),
        cmocka_unit_test(a_scan_does_not_go_back),
        cmocka_unit_test(ties_in_no_order_void_the_claim),
        cmocka_unit_test(a_tie_that_a_page_ends_in_is_proved_across_the_pages),
        cmocka_unit_test(order_is_proved_within_pages_and_from_page_to_page),
        cmocka_unit_test(a_page_of_which_nothing_is_read_is_asked_for_again),
        cmocka_unit_test(a_cursor_that_comes_again_is_noticed),
        cmocka_unit_test(empty_pages_that_name_a_next_one_are_not_the_end),
        cmocka_unit_test(an_empty_list_is_done_and_claims_nothing),
        cmocka_unit_test(a_row_limit_leaves_a_gap_and_no_bookmark),
        cmocka_unit_test(the_anchor_ends_a_first_walk),
        cmocka_unit_test(a_later_anchor_moves_nothing),
        cmocka_unit_test(rows_that_share_the_last_value_are_not_claimed_as_read),
        cmocka_unit_test(reading_again_claims_only_what_it_reads),
        cmocka_unit_test(a_backfill_leaves_what_is_remembered_alone),
        cmocka_unit_test(a_backfill_that_falls_back_leaves_what_is_remembered_alone),
        cmocka_unit_test(a_backfill_does_not_go_on_with_a_scan),
        cmocka_unit_test(restaging_begins_a_limited_scan_anew),
        cmocka_unit_test(rescanning_reads_everything_into_the_same_staging),
        cmocka_unit_test(cursors_that_never_work_end_in_an_error),
        cmocka_unit_test(a_refusal_without_a_cursor_is_an_error),
        cmocka_unit_test(memory_that_cannot_be_read_is_forgotten),
        cmocka_unit_test(a_walk_goes_the_lookback_below_the_bookmark),
        cmocka_unit_test(what_was_read_is_remembered_until_it_is_settled),
        cmocka_unit_test(reading_once_more_goes_on_where_it_was),
        cmocka_unit_test(a_scan_resumes_only_where_it_is_long_and_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
