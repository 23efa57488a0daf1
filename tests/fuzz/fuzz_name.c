/* layers: sink */
/* fuzz_name.c - any text as the name of a table, as an identifier, as a literal: what is quoted
   reads back as it was, and so can never end its quotes. */
#include "fuzz.h"
#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/sink/sql.h"
#include "gr/spec/names.h"
#include "gr/spec/object.h"

static void
check_object(const char *text, struct gr_arena *arena)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);
    struct gr_object object, again;

    if (gr_object_parse(text, arena, &object) != NULL)
        return;
    require(object.count == 1 || object.count == 2);
    if (object.count == 1)
        gr_sql_ident(&sql, object.parts[0]);
    else
        gr_sql_name(&sql, object.parts[0], object.parts[1]);
    require(gr_object_parse(gr_buf_text(&sql), arena, &again) == NULL);
    require(again.count == object.count);
    for (size_t i = 0; i < object.count; i++) {
        require(strlen(object.parts[i]) >= 1 && strlen(object.parts[i]) <= GR_NAME_BYTES);
        require(strcmp(object.parts[i], again.parts[i]) == 0);
    }
}

/* Between the quotes each quote stands twice. */
static void
require_quoted(const char *sql, char quote, const char *text)
{
    size_t len = strlen(sql);
    const char *at = sql + 1;

    require(len >= 2 && sql[0] == quote && sql[len - 1] == quote);
    for (; *text != '\0'; text++) {
        require(*at++ == *text);
        require(*text != quote || *at++ == quote);
    }
    require(at == sql + len - 1);
}

static void
check_quotes(const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf ident = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf literal = gr_buf_new(0);

    gr_sql_ident(&ident, text);
    require_quoted(gr_buf_text(&ident), '"', text);
    gr_sql_literal(&literal, text);
    if (strchr(text, '\\') == NULL)
        require_quoted(gr_buf_text(&literal), '\'', text);
    else
        require(strstr(gr_buf_text(&literal), "E'") != NULL);
}

static void
check_derived(const char *text)
{
    char name[GR_SQL_NAME_BYTES + 1];
    char other[GR_SQL_NAME_BYTES + 1];

    gr_sql_derived("p_", text, "_s", name);
    require(strlen(name) <= GR_SQL_NAME_BYTES && strncmp(name, "p_", 2) == 0);
    gr_sql_derived("q_", text, "_s", other);
    require(strcmp(name, other) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_arena *arena = gr_arena_new();
    const char *text = gr_arena_strndup(arena, (const char *)data, size);

    check_object(text, arena);
    check_quotes(text);
    check_derived(text);
    require(gr_name_matches(text, text) || strpbrk(text, "[\\*?") != NULL);
    gr_arena_free(arena);
    return 0;
}
