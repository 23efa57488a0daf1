/* starter.c - the text of a first replication file. */
#include "gr/cli/starter.h"

#include <string.h>

#include "gr/cli/text.h"

enum { COMMENT_WIDTH = 110 };

static void
put_head(const struct gr_starter *starter, struct gr_buf *out)
{
    const char *file = starter->file;

    gr_buf_printf(out, "# Copies %s into PostgreSQL at %s.\n",
                  starter->base_url[0] != '\0' ? starter->base_url : "Gorgias",
                  starter->warehouse[0] != '\0' ? starter->warehouse : "the warehouse");
    gr_buf_puts(out, "# Written by gorgias-replicate init " GR_VERSION
                     "; yours to change: docs/replication-file.md has all keys.\n#\n");
    gr_buf_printf(
        out,
        "#   gorgias-replicate run %s --dry-run    what a run would do, and how long it takes\n"
        "#   gorgias-replicate run %s              copies; the next one brings what has changed\n"
        "#   gorgias-replicate status %s           how it stands\n"
        "#   gorgias-replicate audit %s            proves the copy complete\n\n",
        file, file, file, file);
}

static void
put_connections(const struct gr_starter *starter, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf source = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf target = gr_buf_new(0);
    size_t width;

    gr_buf_printf(&source, "source: %s", starter->source);
    gr_buf_printf(&target, "target: %s", starter->target);
    width = source.len > target.len ? source.len : target.len;
    gr_text_pad(out, gr_buf_text(&source), width, false);
    gr_buf_printf(out, "  # set by %s\n", starter->source_place);
    gr_text_pad(out, gr_buf_text(&target), width, false);
    gr_buf_printf(out, "  # set by %s\n\n", starter->target_place);
}

static size_t
name_width(const struct gr_schemas *schemas)
{
    size_t width = 0;

    for (size_t i = 0; i < schemas->count; i++)
        if (strlen(schemas->items[i].stream) > width)
            width = strlen(schemas->items[i].stream);
    return width;
}

static void
put_comment(const char *text, struct gr_buf *out)
{
    gr_buf_puts(out, "# ");
    gr_text_cut(out, text, COMMENT_WIDTH);
    gr_buf_putc(out, '\n');
}

/* A stream that '*' would not include is off, with what it costs where that is not what others do.
 */
static void
put_off(const struct gr_schema *schema, struct gr_buf *out)
{
    gr_buf_puts(out, "    disabled: true");
    if (schema->made_from != NULL)
        gr_buf_printf(out, "  # made of %s of %s, without requests", schema->made_of,
                      schema->made_from);
    else if (schema->walk == GR_WALK_NONE)
        gr_buf_printf(out, "  # takes a request for each of %s", schema->parent);
    gr_buf_putc(out, '\n');
}

static void
put_stream(const struct gr_schema *schema, bool is_refused, size_t width, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf key = gr_buf_new(0);

    gr_buf_printf(&key, "  %s:", schema->stream);
    gr_text_pad(out, gr_buf_text(&key), width + 3, false);
    gr_buf_puts(out, "  ");
    put_comment(schema->description, out);
    if (is_refused)
        gr_buf_puts(out, "    disabled: true  # this account's key may not read it\n");
    else if (schema->is_named_only)
        put_off(schema, out);
}

/* The streams of a file, by how they are read. */
enum group { GROUP_CHANGES, GROUP_WHOLE, GROUP_NAMED_ONLY, GROUPS };

static enum group
group_of(const struct gr_schema *schema)
{
    if (schema->is_named_only)
        return GROUP_NAMED_ONLY;
    return schema->walk == GR_WALK_FULL ? GROUP_WHOLE : GROUP_CHANGES;
}

static void
put_streams(const struct gr_starter *starter, struct gr_buf *out)
{
    static const char *const heads[GROUPS] = {
        [GROUP_WHOLE] =
            "Lists that cannot be asked for changes: read in full, and written where they differ.",
        [GROUP_NAMED_ONLY] = "Not in '*', and so off: remove disabled: true to copy them.",
    };
    const struct gr_schemas *schemas = starter->schemas;
    size_t width = name_width(schemas);

    for (enum group group = GROUP_CHANGES; group < GROUPS; group++) {
        if (heads[group] != NULL)
            gr_buf_printf(out, "\n  # %s\n", heads[group]);
        for (size_t i = 0; i < schemas->count; i++)
            if (group_of(&schemas->items[i]) == group)
                put_stream(&schemas->items[i],
                           starter->is_refused != NULL && starter->is_refused[i], width, out);
    }
}

void
gr_starter_put(const struct gr_starter *starter, struct gr_buf *out)
{
    put_head(starter, out);
    put_connections(starter, out);
    gr_buf_puts(
        out,
        "defaults:\n"
        "  mode: incremental              # new and changed rows\n"
        "  object: gorgias.{stream_name}  # schema.table; both are made if they are missing\n\n"
        "# A first run begins at anchor_date of the connection (one year ago, if it says "
        "nothing).\n"
        "# Put disabled: true under a stream that is not wanted.\n"
        "streams:\n");
    put_streams(starter, out);
}
