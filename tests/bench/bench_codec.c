/*
 * bench_codec.c - nanoseconds a row of scanning a page and encoding its rows; not part of ctest.
 *
 *   cc -std=c17 -D_POSIX_C_SOURCE=200809L -O2 -Iinclude -o bench_codec tests/bench/bench_codec.c
 *      and the .c files of src/codec and src/base
 *   bench_codec tickets PAGE.json     (or: messages; PAGE is {"data": [...], ...} as the API sends)
 *   bench_codec tickets PAGE.json staged|typed ROUNDS    so many rounds and no clock: what
 *      scripts/bench --instructions counts the instructions of
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/codec/row.h"

enum { RUN_MS = 700, COLUMNS_MAX = 64 };

/* Columns as NAME:T, T being b(igint) d(ouble) o(boolean) t(ext) z(timestamptz) j(sonb). */
static const char tickets[] =
    "id:b uri:t external_id:t language:t status:t priority:t channel:t via:t from_agent:o spam:o "
    "customer:j assignee_user:j assignee_team:j subject:t summary:j excerpt:t integrations:j "
    "meta:j "
    "tags:j messages_count:b is_unread:o created_datetime:z opened_datetime:z "
    "last_received_message_datetime:z last_message_datetime:z last_sent_message_not_delivered:o "
    "updated_datetime:z closed_datetime:z snooze_datetime:z trashed_datetime:z custom_fields:j "
    "requester:j";
static const char messages[] =
    "id:b uri:t message_id:t ticket_id:b external_id:t public:o channel:t via:t source:j sender:j "
    "receiver:j auth_customer_identity:j integration_id:b intents:j rule_id:b from_agent:o "
    "subject:t body_text:t body_html:t stripped_text:t stripped_html:t stripped_signature:t "
    "headers:j attachments:j actions:j macros:j meta:j created_datetime:z sent_datetime:z "
    "failed_datetime:z deleted_datetime:z opened_datetime:z last_sending_error:j is_retriable:o "
    "replied_by:j replied_to:j";

static enum gr_type
type_of(char c)
{
    static const char letters[] = "bdotzj";

    return (enum gr_type)(strchr(letters, c) - letters);
}

static size_t
parse_columns(const char *text, struct gr_column *columns, struct gr_arena *arena)
{
    size_t count = 0;

    while (*text != '\0' && count < COLUMNS_MAX) {
        size_t len = strcspn(text, ":");

        columns[count].name = columns[count].field = gr_arena_strndup(arena, text, len);
        columns[count].type = type_of(text[len + 1]);
        columns[count].is_key = count == 0;
        columns[count].is_volatile = strcmp(columns[count].name, "is_unread") == 0;
        text += len + 2;
        text += *text == ' ' ? 1 : 0;
        count++;
    }
    return count;
}

/* One round; each returns the rows it has seen. */
struct bench {
    const char *text;
    size_t len;
    struct gr_row_layout *layout;
    struct gr_buf copy;
    struct gr_rejects rejects;
    struct gr_tape tape;
};

static size_t
scan_page(struct bench *bench)
{
    struct gr_json_reader reader = gr_json_open(bench->text, bench->len);
    struct gr_json_value page;

    return gr_json_value(&reader, &page) && gr_json_end(&reader) ? 1 : 0;
}

static size_t
encode_rows(struct bench *bench, struct gr_json_reader *rows)
{
    struct gr_json_value object;
    struct gr_row_facts facts;
    struct gr_error err;
    size_t count = 0;

    gr_buf_reset(&bench->copy);
    gr_rejects_free(&bench->rejects);
    while (gr_json_element(rows, &object))
        count += gr_row_encode(bench->layout, &object, &bench->copy, &facts, &bench->rejects, &err);
    return count;
}

/* The page is checked first, then walked on its tape. */
static size_t
check_then_encode(struct bench *bench)
{
    struct gr_json_reader reader = gr_json_open_taped(bench->text, bench->len, &bench->tape);
    struct gr_json_value page, name, value;
    size_t count = 0;

    if (!gr_json_value(&reader, &page) || !gr_json_end(&reader))
        return 0;
    reader = gr_json_inside(&page);
    while (gr_json_member(&reader, &name, &value)) {
        if (gr_json_is(&name, "data")) {
            struct gr_json_reader rows = gr_json_inside(&value);

            count += encode_rows(bench, &rows);
        }
    }
    return count;
}

static void
measure(const char *what, size_t (*round)(struct bench *), struct bench *bench, size_t rows)
{
    double best = 1e18;
    int64_t until = gr_clock_ms() + RUN_MS;

    while (gr_clock_ms() < until) {
        int64_t from = gr_clock_us();
        double ns;

        for (int i = 0; i < 20; i++)
            if (round(bench) == 0)
                (void)fprintf(stderr, "failed: %s\n", what);
        ns = (double)(gr_clock_us() - from) * 1000 / 20;
        best = ns < best ? ns : best;
    }
    (void)printf("%-22s %8.0f ns/row %6.2f GB/s\n", what, best / (double)rows,
                 (double)bench->len / best);
}

/* For counting: all that is different between two numbers of rounds is the rounds. */
static int
repeat(struct bench *bench, const char *types, const char *rounds)
{
    size_t rows = 0;

    gr_row_set_typed(bench->layout, strcmp(types, "typed") == 0);
    for (long i = strtol(rounds, NULL, 10); i > 0; i--)
        rows = check_then_encode(bench);
    (void)printf("%zu rows, %zu rejects\n", rows, bench->rejects.count);
    return rows == 0 || bench->rejects.count > 0;
}

static void
compare_ways(struct bench *bench)
{
    size_t rows = check_then_encode(bench);

    (void)printf("%zu rows of %zu bytes, %zu rejects\n", rows, bench->len / (rows == 0 ? 1 : rows),
                 bench->rejects.count);
    measure("check page", scan_page, bench, rows);
    measure("check, walk, encode", check_then_encode, bench, rows);
}

int
main(int argc, char **argv)
{
    static struct gr_column columns[COLUMNS_MAX];
    struct gr_plan_stream stream = {.columns = columns, .key_count = 1, .cursor_column = -1};
    struct gr_arena *arena = gr_arena_new();
    struct bench bench = {0};
    struct gr_buf text = gr_buf_new(0);
    FILE *file = argc == 3 || argc == 5 ? fopen(argv[2], "rb") : NULL;
    char block[65536];
    size_t got;
    int status = 0;

    if (file == NULL) {
        (void)fprintf(stderr,
                      "usage: bench_codec tickets|messages PAGE.json [staged|typed ROUNDS]\n");
        return 2;
    }
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        gr_buf_put(&text, block, got);
    (void)fclose(file);
    stream.column_count =
        parse_columns(strcmp(argv[1], "tickets") == 0 ? tickets : messages, columns, arena);
    bench.text = gr_buf_text(&text);
    bench.len = text.len;
    bench.layout = gr_row_layout_new(&stream);
    if (argc == 5)
        status = repeat(&bench, argv[3], argv[4]);
    else
        compare_ways(&bench);
    gr_row_layout_free(bench.layout);
    gr_rejects_free(&bench.rejects);
    gr_tape_free(&bench.tape);
    gr_buf_free(&bench.copy);
    gr_buf_free(&text);
    gr_arena_free(arena);
    return status;
}
