/* look.c - reading the state tables. */
#include "look.h"

#include <stdlib.h>

#include "gr/base/time.h"
#include "gr/sink/sql.h"

bool
gr_look_query(struct gr_pg *pg, const char *schema, const char *text, const char *const *params,
              size_t count, struct gr_rows *out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    for (; *text != '\0'; text++)
        if (*text == '@')
            gr_sql_ident(&sql, schema);
        else
            gr_buf_putc(&sql, *text);
    return gr_pg_query(pg, gr_buf_text(&sql), params, count, out, err);
}

const char *
gr_look_text(struct look *look)
{
    const char *text = gr_rows_text(look->rows, look->row, look->next++);

    return text == NULL ? NULL : gr_arena_strdup(look->arena, text);
}

int64_t
gr_look_int(struct look *look)
{
    return gr_rows_int(look->rows, look->row, look->next++);
}

int64_t
gr_look_instant(struct look *look)
{
    const char *text = gr_rows_text(look->rows, look->row, look->next++);

    return text == NULL ? GR_TIME_NONE : (int64_t)strtoll(text, NULL, 10);
}

void
gr_look_objects(const struct gr_plan *plan, struct gr_arena *arena, struct gr_buf *text)
{
    const char **names = gr_arena_alloc(arena, plan->count, sizeof(names[0]));

    for (size_t i = 0; i < plan->count; i++)
        names[i] = gr_arena_printf(arena, "%s.%s", plan->streams[i].table_schema,
                                   plan->streams[i].table_name);
    gr_sql_text_array(text, names, plan->count);
}
