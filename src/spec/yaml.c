/* yaml.c - libyaml's events as a tree with places. */
#include "gr/spec/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "gr/base/buf.h"
#include "gr/spec/names.h"

/*
 * ${NAME} would end a plain scalar inside of { }. So its braces are put aside before libyaml sees
 * the text and put back in the scalars: as private characters, one for one, so that columns hold.
 * A text that has these characters itself is left as it is.
 */
#define ASIDE_OPEN  "\xee\xb4\x9b" /* U+ED1B */
#define ASIDE_CLOSE "\xee\xb4\x9d" /* U+ED1D */

struct reader {
    const char *file;
    struct gr_arena *arena;
    yaml_parser_t parser;
    size_t nodes;
    bool has_aside;
    struct gr_error *err;
};

/* The children of a node under way; moves to the arena when they are all there. */
struct children {
    const struct gr_yaml_node **keys;
    const struct gr_yaml_node **items;
    size_t count;
    size_t cap;
};

static bool read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                      const struct gr_yaml_node **out);

static void
free_children(struct children *children)
{
    /* The arrays are const to their readers only. */
    gr_free_var(&children->keys);
    gr_free_var(&children->items);
}

static void
add_child(struct children *to, const struct gr_yaml_node *key, const struct gr_yaml_node *item)
{
    if (to->count == to->cap) {
        to->cap = to->cap == 0 ? 16 : to->cap * 2;
        to->keys = gr_realloc(to->keys, to->cap, sizeof(struct gr_yaml_node *));
        to->items = gr_realloc(to->items, to->cap, sizeof(struct gr_yaml_node *));
    }
    to->keys[to->count] = key;
    to->items[to->count] = item;
    to->count++;
}

static void
set_children(struct reader *r, struct gr_yaml_node *node, const struct children *from)
{
    size_t bytes = from->count * sizeof(from->items[0]);

    node->count = from->count;
    node->items = gr_arena_alloc(r->arena, from->count, sizeof(node->items[0]));
    node->keys = gr_arena_alloc(r->arena, from->count, sizeof(node->keys[0]));
    if (bytes == 0)
        return;
    memcpy(node->items, from->items, bytes);
    memcpy(node->keys, from->keys, bytes);
}

static bool
fail_at(struct reader *r, const yaml_mark_t *mark, const char *what)
{
    return gr_fail(r->err, GR_FAULT_SPEC, "%s:%zu:%zu: %s", r->file, mark->line + 1,
                   mark->column + 1, what);
}

/* libyaml gives the offset of a byte it cannot read, not its line. */
static bool
fail_at_offset(struct reader *r, const char *text, size_t offset)
{
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 0;
        }
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            column++;
    }
    return gr_fail(r->err, GR_FAULT_SPEC,
                   "%s:%zu:%zu: byte 0x%02x is not text; a YAML file is UTF-8 without control "
                   "characters",
                   r->file, line, column, (unsigned)(unsigned char)text[offset]);
}

static bool
fail_parse(struct reader *r, const char *text, size_t len)
{
    const yaml_parser_t *parser = &r->parser;

    if (parser->error == YAML_READER_ERROR && parser->problem_offset < len)
        return fail_at_offset(r, text, parser->problem_offset);
    if (parser->error == YAML_READER_ERROR)
        return gr_fail(r->err, GR_FAULT_SPEC, "%s: the text ends within a character", r->file);
    (void)fail_at(r, &parser->problem_mark, parser->problem != NULL ? parser->problem : "not YAML");
    if (parser->context != NULL && strcmp(parser->context, "while scanning an alias") == 0)
        (void)gr_hint(r->err, "A star that is meant as a text stands in quotes: '*'.");
    else if (parser->context != NULL)
        (void)gr_hint(r->err,
                      "It came up %s that begins in line %zu. Put texts with braces, colons "
                      "or a leading symbol in quotes.",
                      parser->context, parser->context_mark.line + 1);
    return false;
}

static bool
is_core_tag(const char *tag)
{
    static const char *const core[] = {"!",           YAML_STR_TAG,  YAML_INT_TAG, YAML_FLOAT_TAG,
                                       YAML_BOOL_TAG, YAML_NULL_TAG, YAML_SEQ_TAG, YAML_MAP_TAG};

    for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++)
        if (strcmp(tag, core[i]) == 0)
            return true;
    return false;
}

static bool
check_properties(struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
                 const yaml_char_t *tag)
{
    if (anchor != NULL)
        return fail_at(r, &event->start_mark, "anchors (&name) are not supported: write it out");
    if (tag != NULL && !is_core_tag((const char *)tag)) {
        (void)gr_fail(r->err, GR_FAULT_SPEC, "%s:%zu:%zu: tag \"%s\" is not supported", r->file,
                      event->start_mark.line + 1, event->start_mark.column + 1, (const char *)tag);
        return gr_hint(r->err, "Only the core types of YAML are known; remove the tag.");
    }
    return true;
}

static struct gr_yaml_node *
new_node(struct reader *r, const yaml_event_t *event, enum gr_yaml_kind kind)
{
    struct gr_yaml_node *node = gr_arena_alloc(r->arena, 1, sizeof(*node));

    node->kind = kind;
    node->file = r->file;
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    node->text = "";
    return node;
}

/* A copy in which the braces that were put aside are back in their place. */
static const char *
scalar_text(struct reader *r, const char *text, size_t len)
{
    char *copy = gr_arena_strndup(r->arena, text, len);
    char *to = copy;

    if (!r->has_aside)
        return copy;
    for (const char *from = copy; *from != '\0'; to++) {
        if (strncmp(from, ASIDE_OPEN, 3) == 0 || strncmp(from, ASIDE_CLOSE, 3) == 0) {
            *to = strncmp(from, ASIDE_OPEN, 3) == 0 ? '{' : '}';
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return copy;
}

static bool
read_scalar(struct reader *r, const yaml_event_t *event, const struct gr_yaml_node **out)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    struct gr_yaml_node *node;

    if (!check_properties(r, event, event->data.scalar.anchor, event->data.scalar.tag))
        return false;
    if (strlen(text) != event->data.scalar.length)
        return fail_at(r, &event->start_mark, "the text holds a zero byte");
    node = new_node(r, event, GR_YAML_TEXT);
    node->text = scalar_text(r, text, event->data.scalar.length);
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
                      (tag != NULL && (strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0));
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]) && !node->is_quoted; i++)
        if (strcmp(text, nulls[i]) == 0)
            node->kind = GR_YAML_NULL;
    *out = node;
    return true;
}

/* The next event in *event, which the caller deletes. */
static bool
next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event) != 1) {
        memset(event, 0, sizeof(*event));
        r->err->fault = GR_OK; /* the caller asks the parser what it was */
        return false;
    }
    return true;
}

static int
compare_keys(const void *a, const void *b)
{
    const struct gr_yaml_node *x = *(const struct gr_yaml_node *const *)a;
    const struct gr_yaml_node *y = *(const struct gr_yaml_node *const *)b;
    int order = strcmp(x->text, y->text);

    if (order != 0)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column ? 1 : 0;
}

/* Sorted, because a hostile file may have fifty thousand keys. */
static bool
check_unique(const struct children *pairs, struct gr_error *err)
{
    GR_CLEANUP(gr_free_var)
    const struct gr_yaml_node **sorted = gr_alloc(pairs->count, sizeof(struct gr_yaml_node *));

    if (pairs->count < 2)
        return true;
    memcpy(sorted, pairs->keys, pairs->count * sizeof(*sorted));
    qsort(sorted, pairs->count, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < pairs->count; i++)
        if (strcmp(sorted[i]->text, sorted[i - 1]->text) == 0) {
            (void)gr_yaml_fail(sorted[i], err,
                               "key \"%s\" comes a second time; the first is at "
                               "%zu:%zu",
                               sorted[i]->text, sorted[i - 1]->line, sorted[i - 1]->column);
            return gr_hint(err, "Remove one of the two, or join them.");
        }
    return true;
}

static bool
check_key(struct reader *r, const yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        return fail_at(r, &event->start_mark,
                       "aliases (*name) are not supported: write it out, "
                       "or put a * that is meant as a text in quotes");
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(r, &event->start_mark, "a key must be a text");
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        if (event->data.scalar.length == 0)
            return fail_at(r, &event->start_mark, "a key is missing before the colon");
        if (strcmp((const char *)event->data.scalar.value, "<<") == 0)
            return fail_at(r, &event->start_mark,
                           "merge keys (<<) are not supported: write the "
                           "keys out");
    }
    return true;
}

static bool
read_pair(struct reader *r, const yaml_event_t *key_event, unsigned depth, struct children *pairs)
{
    GR_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
    const struct gr_yaml_node *key;
    const struct gr_yaml_node *value;

    if (!check_key(r, key_event) || !read_node(r, key_event, depth, &key))
        return false;
    if (!next_event(r, &event) || !read_node(r, &event, depth, &value))
        return false;
    add_child(pairs, key, value);
    return true;
}

static bool
read_children(struct reader *r, struct gr_yaml_node *node, unsigned depth)
{
    GR_CLEANUP(free_children) struct children children = {0};

    for (;;) {
        GR_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        const struct gr_yaml_node *item;

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            break;
        if (node->kind == GR_YAML_MAP) {
            if (!read_pair(r, &event, depth, &children))
                return false;
        } else {
            if (!read_node(r, &event, depth, &item))
                return false;
            add_child(&children, NULL, item);
        }
    }
    set_children(r, node, &children);
    return node->kind != GR_YAML_MAP || check_unique(&children, r->err);
}

static bool
read_container(struct reader *r, const yaml_event_t *event, unsigned depth,
               const struct gr_yaml_node **out)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct gr_yaml_node *node = new_node(r, event, is_map ? GR_YAML_MAP : GR_YAML_LIST);

    if (depth == GR_YAML_DEPTH)
        return fail_at(r, &event->start_mark, "nested deeper than 64 levels");
    if (!(is_map ? check_properties(r, event, event->data.mapping_start.anchor,
                                    event->data.mapping_start.tag)
                 : check_properties(r, event, event->data.sequence_start.anchor,
                                    event->data.sequence_start.tag)))
        return false;
    if (!read_children(r, node, depth + 1))
        return false;
    *out = node;
    return true;
}

static bool
read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
          const struct gr_yaml_node **out)
{
    if (++r->nodes > GR_YAML_NODES)
        return fail_at(r, &event->start_mark, "more than 100000 nodes");
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(r, event, out);
    if (event->type == YAML_ALIAS_EVENT)
        return fail_at(r, &event->start_mark,
                       "aliases (*name) are not supported: write it out, "
                       "or put a * that is meant as a text in quotes");
    return read_container(r, event, depth, out);
}

static bool
read_document(struct reader *r, const struct gr_yaml_node **out)
{
    for (;;) {
        GR_CLEANUP(yaml_event_delete) yaml_event_t event = {0};

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            return *out != NULL || gr_fail(r->err, GR_FAULT_SPEC, "%s: the file is empty", r->file);
        if (event.type == YAML_DOCUMENT_START_EVENT && *out != NULL)
            return fail_at(r, &event.start_mark,
                           "a second document begins here; one is all there "
                           "may be");
        if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
            event.type == YAML_DOCUMENT_END_EVENT)
            continue;
        if (!read_node(r, &event, 0, out))
            return false;
    }
}

/* The length of the ${NAME} at `at`, 0 if there is none. */
static size_t
variable_len(const char *at, const char *end)
{
    const char *name = at + 2;
    size_t len = 0;

    if (end - at < 4 || at[0] != '$' || at[1] != '{')
        return 0;
    while (name + len < end &&
           (name[len] == '_' || (name[len] >= '0' && name[len] <= '9') ||
            (name[len] >= 'A' && name[len] <= 'Z') || (name[len] >= 'a' && name[len] <= 'z')))
        len++;
    return len > 0 && name + len < end && name[len] == '}' ? len + 3 : 0;
}

static void
put_aside(struct reader *r, const char *text, size_t len, struct gr_buf *out)
{
    const char *end = text + len;
    bool may = memchr(text, '\0', len) == NULL && strstr(text, ASIDE_OPEN) == NULL &&
               strstr(text, ASIDE_CLOSE) == NULL;

    while (text < end) {
        size_t variable = may ? variable_len(text, end) : 0;

        if (variable == 0) {
            gr_buf_putc(out, *text++);
            continue;
        }
        gr_buf_puts(out, "$" ASIDE_OPEN);
        gr_buf_put(out, text + 2, variable - 3);
        gr_buf_puts(out, ASIDE_CLOSE);
        text += variable;
        r->has_aside = true;
    }
}

bool
gr_yaml_parse(const char *file, const char *text, size_t len, struct gr_arena *arena,
              const struct gr_yaml_node **out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf input = gr_buf_new(0);
    GR_CLEANUP(gr_free_var) char *copy = gr_strndup(text, len);
    struct reader r = {.file = gr_arena_strdup(arena, file), .arena = arena};
    struct gr_error failed = {.fault = GR_OK};
    const struct gr_yaml_node *root = NULL;
    bool is_read;

    if (len > GR_YAML_BYTES)
        return gr_fail(err, GR_FAULT_SPEC, "%s: larger than 1 MiB", file);
    put_aside(&r, copy, len, &input);
    r.err = &failed;
    if (yaml_parser_initialize(&r.parser) != 1)
        return gr_fail(err, GR_FAULT_BUG, "%s: libyaml cannot be initialised", file);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)gr_buf_text(&input), input.len);
    is_read = read_document(&r, &root);
    if (!is_read && failed.fault == GR_OK)
        (void)fail_parse(&r, gr_buf_text(&input), input.len);
    yaml_parser_delete(&r.parser);
    if (is_read)
        *out = root;
    else
        *err = failed;
    return is_read;
}

static void
close_file(FILE **file)
{
    if (*file != NULL)
        (void)fclose(*file);
}

bool
gr_yaml_slurp(const char *path, size_t limit_bytes, struct gr_arena *arena, const char **text_out,
              size_t *len_out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(limit_bytes);
    GR_CLEANUP(close_file) FILE *file = fopen(path, "rbe");
    char block[16384];
    size_t got = 0;

    if (file == NULL)
        return gr_fail(err, GR_FAULT_SPEC, "cannot open %s: %s", path, strerror(errno));
    while ((got = fread(block, 1, sizeof(block), file)) > 0 && text.failed == NULL)
        gr_buf_put(&text, block, got);
    if (ferror(file) != 0)
        return gr_fail(err, GR_FAULT_SPEC, "cannot read %s: %s", path, strerror(errno));
    if (text.failed != NULL)
        return gr_fail(err, GR_FAULT_SPEC, "%s: larger than %zu bytes", path, limit_bytes);
    *text_out = gr_arena_strndup(arena, gr_buf_text(&text), text.len);
    *len_out = text.len;
    return true;
}

bool
gr_yaml_load(const char *path, struct gr_arena *arena, const struct gr_yaml_node **out,
             struct gr_error *err)
{
    const char *text;
    size_t len;

    if (!gr_yaml_slurp(path, GR_YAML_BYTES, arena, &text, &len, err))
        return false;
    return gr_yaml_parse(path, text, len, arena, out, err);
}
