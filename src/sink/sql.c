/* sql.c - names and values as SQL text. */
#include "gr/sink/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* `text` between two `quote`s, with every `quote` inside doubled. */
static void
put_quoted(struct gr_buf *sql, const char *text, char quote)
{
    gr_buf_putc(sql, quote);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == quote)
            gr_buf_putc(sql, quote);
        gr_buf_putc(sql, *at);
    }
    gr_buf_putc(sql, quote);
}

void
gr_sql_ident(struct gr_buf *sql, const char *name)
{
    put_quoted(sql, name, '"');
}

void
gr_sql_name(struct gr_buf *sql, const char *schema, const char *table)
{
    gr_sql_ident(sql, schema);
    gr_buf_putc(sql, '.');
    gr_sql_ident(sql, table);
}

void
gr_sql_literal(struct gr_buf *sql, const char *text)
{
    if (strchr(text, '\\') == NULL) {
        put_quoted(sql, text, '\'');
        return;
    }
    /* E'' means the same whatever standard_conforming_strings is. */
    gr_buf_puts(sql, "E'");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            gr_buf_putc(sql, *at);
        gr_buf_putc(sql, *at);
    }
    gr_buf_putc(sql, '\'');
}

/* FNV-1a, then a mix so that texts which differ in their last letter differ in the high bits. */
uint64_t
gr_sql_hash(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

void
gr_sql_derived(const char *prefix, const char *name, const char *suffix,
               char out[GR_SQL_NAME_BYTES + 1])
{
    enum { HASH_BYTES = 17 }; /* _0123456789abcdef */
    size_t around = strlen(prefix) + strlen(suffix);
    size_t len = strlen(name);

    if (around + len <= GR_SQL_NAME_BYTES) {
        (void)snprintf(out, GR_SQL_NAME_BYTES + 1, "%s%s%s", prefix, name, suffix);
        return;
    }
    len = around + HASH_BYTES < GR_SQL_NAME_BYTES ? GR_SQL_NAME_BYTES - around - HASH_BYTES : 0;
    while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
        len--;
    (void)snprintf(out, GR_SQL_NAME_BYTES + 1, "%s%.*s_%016" PRIx64 "%s", prefix, (int)len, name,
                   gr_sql_hash(name), suffix);
}

void
gr_sql_int_array(struct gr_buf *text, const int64_t *items, size_t count)
{
    gr_buf_putc(text, '{');
    for (size_t i = 0; i < count; i++)
        gr_buf_printf(text, "%s%" PRId64, i == 0 ? "" : ",", items[i]);
    gr_buf_putc(text, '}');
}

void
gr_sql_text_array(struct gr_buf *text, const char *const *items, size_t count)
{
    gr_buf_putc(text, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gr_buf_putc(text, ',');
        if (items[i] == NULL) {
            gr_buf_puts(text, "NULL");
            continue;
        }
        gr_buf_putc(text, '"');
        for (const char *at = items[i]; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\')
                gr_buf_putc(text, '\\');
            gr_buf_putc(text, *at);
        }
        gr_buf_putc(text, '"');
    }
    gr_buf_putc(text, '}');
}
