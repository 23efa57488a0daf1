/* yaml.c - libyaml's events as a tree with places. */
#include "gr/spec/yaml.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "gr/base/buf.h"
#include "gr/spec/yaml_children.h"

/*
 * ${NAME} would end a plain scalar inside of { }. So its braces are put aside before libyaml sees
 * the text and put back in the scalars: as private characters, one for one, so that columns hold.
 * A text that has these characters itself is left as it is.
 */
#define ASIDE_OPEN  "\xee\xb4\x9b" /* U+ED1B */
#define ASIDE_CLOSE "\xee\xb4\x9d" /* U+ED1D */

/* libyaml skips it too, but counts it as a column, so that the first key stands apart. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/*
 * A node that was read, with what it comes to when every alias is written out. Aliases share the
 * node they stand for, so a small file can only pretend to be large; but who walks the tree walks
 * what is pretended, and so that is what the limits hold for.
 */
struct parsed {
    struct gr_yaml_node node; /* first: a pointer to the one is a pointer to the other */
    size_t nodes;             /* itself included; 0: not read to its end               */
    size_t bytes;             /* of texts                                              */
    unsigned height;          /* lists and mappings one inside another                 */
};

/* &name; a trie by the bits of a hash, because a hostile file may have many thousands. */
struct anchor {
    const char *name;
    const struct parsed *target;
    struct anchor *next[4];
};

struct reader {
    const char *file;
    struct gr_arena *arena;
    yaml_parser_t parser;
    size_t nodes; /* so far, with every alias written out */
    size_t bytes;
    struct anchor *anchors;
    bool has_aside;
    struct gr_error *err;
};

static bool read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                      const struct gr_yaml_node **out);

static void
set_children(struct reader *r, struct parsed *to, const struct gr_yaml_children *from)
{
    size_t bytes = from->count * sizeof(from->items[0]);
    struct gr_yaml_node *node = &to->node;

    node->count = from->count;
    node->items = gr_arena_alloc(r->arena, from->count, sizeof(node->items[0]));
    node->keys = gr_arena_alloc(r->arena, from->count, sizeof(node->keys[0]));
    to->height = 1;
    if (bytes == 0)
        return;
    memcpy(node->items, from->items, bytes);
    memcpy(node->keys, from->keys, bytes);
    for (size_t i = 0; i < from->count; i++) {
        const struct parsed *item = (const struct parsed *)from->items[i];

        if (item->height >= to->height)
            to->height = item->height + 1;
    }
}

static bool fail_at(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
    GR_PRINTF(3, 4);

static bool
fail_at(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
{
    char what[sizeof(r->err->message)];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
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
    (void)fail_at(r, &parser->problem_mark, "%s",
                  parser->problem != NULL ? parser->problem : "not YAML");
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
check_tag(struct reader *r, const yaml_event_t *event, const yaml_char_t *tag)
{
    if (tag == NULL || is_core_tag((const char *)tag))
        return true;
    /* Not shown: it may be a password that begins with an exclamation mark. */
    (void)fail_at(r, &event->start_mark, "a tag that is not supported");
    return gr_hint(r->err,
                   "Only the core types of YAML are known: remove the tag, or put a text that "
                   "begins with ! in quotes.");
}

static struct parsed *
new_node(struct reader *r, const yaml_event_t *event, enum gr_yaml_kind kind)
{
    struct parsed *parsed = gr_arena_alloc(r->arena, 1, sizeof(*parsed));

    parsed->node.kind = kind;
    parsed->node.file = r->file;
    parsed->node.line = event->start_mark.line + 1;
    parsed->node.column = event->start_mark.column + 1;
    parsed->node.text = "";
    return parsed;
}

/* --- anchors and aliases -----------------------------------------------------------------------
 */

/* Where the anchor of that name is, or where it belongs. */
static struct anchor **
find_anchor(struct reader *r, const char *name)
{
    struct anchor **slot = &r->anchors;
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    for (; *slot != NULL && strcmp((*slot)->name, name) != 0; hash <<= 2)
        slot = &(*slot)->next[hash >> 62];
    return slot;
}

/* From here on the name stands for this node, also where it stood for another before. */
static void
set_anchor(struct reader *r, const yaml_char_t *name, const struct parsed *target)
{
    struct anchor **slot;

    if (name == NULL)
        return;
    slot = find_anchor(r, (const char *)name);
    if (*slot == NULL) {
        *slot = gr_arena_alloc(r->arena, 1, sizeof(**slot));
        (*slot)->name = gr_arena_strdup(r->arena, (const char *)name);
    }
    (*slot)->target = target;
}

static bool
fail_too_large(struct reader *r, const yaml_event_t *event, const char *name, const char *what)
{
    (void)fail_at(r, &event->start_mark, "with alias *%.60s written out there are %s", name, what);
    return gr_hint(r->err, "Aliases of aliases multiply. Use fewer.");
}

static bool
read_alias(struct reader *r, const yaml_event_t *event, unsigned depth,
           const struct gr_yaml_node **out)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = *find_anchor(r, name);

    if (anchor == NULL) {
        (void)fail_at(r, &event->start_mark, "an alias without its anchor before it");
        return gr_hint(r->err, "A star that is meant as a text stands in quotes: '*'.");
    }
    if (anchor->target->nodes == 0) {
        (void)fail_at(r, &event->start_mark, "alias *%.60s stands inside of its own anchor", name);
        return gr_hint(r->err, "The anchor is at %zu:%zu; nothing can hold itself.",
                       anchor->target->node.line, anchor->target->node.column);
    }
    /* The alias itself is counted already. */
    if (anchor->target->nodes - 1 > GR_YAML_NODES - r->nodes)
        return fail_too_large(r, event, name, "more than 100000 nodes");
    if (anchor->target->bytes + r->bytes > GR_YAML_BYTES)
        return fail_too_large(r, event, name, "texts of more than 1 MiB");
    if (depth + anchor->target->height > GR_YAML_DEPTH)
        return fail_too_large(r, event, name, "more than 64 levels");
    r->nodes += anchor->target->nodes - 1;
    r->bytes += anchor->target->bytes;
    *out = &anchor->target->node;
    return true;
}

/* --- nodes -------------------------------------------------------------------------------------
 */

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
    struct parsed *parsed;
    struct gr_yaml_node *node;

    if (!check_tag(r, event, event->data.scalar.tag))
        return false;
    if (strlen(text) != event->data.scalar.length)
        return fail_at(r, &event->start_mark, "the text holds a zero byte");
    parsed = new_node(r, event, GR_YAML_TEXT);
    parsed->nodes = 1;
    parsed->bytes = event->data.scalar.length;
    r->bytes += parsed->bytes;
    set_anchor(r, event->data.scalar.anchor, parsed);
    node = &parsed->node;
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

static bool
read_key(struct reader *r, const yaml_event_t *event, unsigned depth,
         const struct gr_yaml_node **out)
{
    const struct gr_yaml_node *node;
    struct parsed *copy;

    if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
        return fail_at(r, &event->start_mark, "a key must be a text");
    if (event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        event->data.scalar.length == 0)
        return fail_at(r, &event->start_mark, "a key is missing before the colon");
    if (!read_node(r, event, depth, &node))
        return false;
    *out = node;
    if (event->type == YAML_SCALAR_EVENT)
        return true;
    if ((node->kind != GR_YAML_TEXT && node->kind != GR_YAML_NULL) ||
        (node->text[0] == '\0' && !node->is_quoted))
        return fail_at(r, &event->start_mark, "a key must be a text");
    /* A key of its own: that it comes twice is said of the places where it does. */
    copy = new_node(r, event, node->kind);
    copy->node.text = node->text;
    copy->node.is_quoted = node->is_quoted;
    *out = &copy->node;
    return true;
}

static bool
is_merge(const yaml_event_t *event, const struct gr_yaml_node *key)
{
    return event->type == YAML_SCALAR_EVENT && !key->is_quoted && strcmp(key->text, "<<") == 0;
}

static bool
read_pair(struct reader *r, const yaml_event_t *key_event, unsigned depth,
          struct gr_yaml_children *pairs)
{
    GR_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
    const struct gr_yaml_node *key = NULL;
    const struct gr_yaml_node *value = NULL;

    if (!read_key(r, key_event, depth, &key))
        return false;
    if (!next_event(r, &event) || !read_node(r, &event, depth, &value))
        return false;
    if (is_merge(key_event, key)) {
        if (!gr_yaml_children_can_merge(value)) {
            (void)fail_at(r, &event.start_mark, "<< must name a mapping or a list of mappings%s%s",
                          value->kind == GR_YAML_LIST ? "" : ", found ",
                          value->kind == GR_YAML_LIST ? "" : gr_yaml_shown(r->arena, value));
            return gr_hint(r->err, "Write <<: *name or <<: [*first, *second]; a key that is meant "
                                   "as a text stands in quotes: '<<'.");
        }
        pairs->merge = key;
    }
    gr_yaml_children_add(pairs, key, value);
    return true;
}

static bool
read_children(struct reader *r, struct parsed *parsed, unsigned depth)
{
    GR_CLEANUP(gr_yaml_children_free) struct gr_yaml_children children = {0};
    bool is_map = parsed->node.kind == GR_YAML_MAP;

    for (;;) {
        GR_CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        const struct gr_yaml_node *item;

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            break;
        if (is_map) {
            if (!read_pair(r, &event, depth, &children))
                return false;
        } else {
            if (!read_node(r, &event, depth, &item))
                return false;
            gr_yaml_children_add(&children, NULL, item);
        }
    }
    if (is_map && !gr_yaml_children_check(&children, r->err))
        return false;
    if (children.merge != NULL)
        gr_yaml_children_merge(&children);
    set_children(r, parsed, &children);
    return true;
}

static bool
read_container(struct reader *r, const yaml_event_t *event, unsigned depth,
               const struct gr_yaml_node **out)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct parsed *parsed = new_node(r, event, is_map ? GR_YAML_MAP : GR_YAML_LIST);
    size_t nodes_before = r->nodes - 1;
    size_t bytes_before = r->bytes;

    if (depth == GR_YAML_DEPTH)
        return fail_at(r, &event->start_mark, "nested deeper than 64 levels");
    if (!check_tag(r, event,
                   is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag))
        return false;
    set_anchor(r, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
               parsed);
    if (!read_children(r, parsed, depth + 1))
        return false;
    /* What a merge has read counts as a whole, also the members that it lost: it is work too. */
    parsed->nodes = r->nodes - nodes_before;
    parsed->bytes = r->bytes - bytes_before;
    *out = &parsed->node;
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
        return read_alias(r, event, depth, out);
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
put_aside(const char *text, size_t len, struct gr_buf *out, bool *has_aside_out)
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
        *has_aside_out = true;
    }
}

/* The code unit of the \\uXXXX at `at`, 0 if there is none. */
static unsigned long
code_unit(const char *at, const char *end)
{
    char digits[5] = "";

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return 0;
    memcpy(digits, at + 2, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtoul(digits, NULL, 16) : 0;
}

/*
 * JSON writes a character beyond U+FFFF as the two halves of UTF-16, each an escape; YAML knows
 * neither half, but \\UXXXXXXXX. False where there is no such pair.
 */
static bool
join_surrogates(const struct gr_buf *from, struct gr_buf *to)
{
    const char *at = gr_buf_text(from);
    const char *end = at + from->len;
    bool any = false;

    while (at < end) {
        unsigned long high = code_unit(at, end);
        unsigned long low = high != 0 ? code_unit(at + 6, end) : 0;
        bool is_pair = high >= 0xD800 && high <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF;
        size_t len = *at == '\\' && end - at >= 2 ? 2 : 1;

        if (is_pair)
            gr_buf_printf(to, "\\U%08lX", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
        else
            gr_buf_put(to, at, len);
        at += is_pair ? 12 : len;
        any = any || is_pair;
    }
    return any;
}

/* One reading of the whole; *is_escape_out says that an escape is what stopped it. */
static bool
read_text(struct reader *r, const struct gr_buf *input, const struct gr_yaml_node **out,
          bool *is_escape_out)
{
    bool is_read;

    *r->err = (struct gr_error){.fault = GR_OK};
    if (yaml_parser_initialize(&r->parser) != 1)
        return gr_fail(r->err, GR_FAULT_BUG, "%s: libyaml cannot be initialised", r->file);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)gr_buf_text(input), input->len);
    is_read = read_document(r, out);
    *is_escape_out = !is_read && r->parser.problem != NULL &&
                     strcmp(r->parser.problem, "found invalid Unicode character escape code") == 0;
    if (!is_read && r->err->fault == GR_OK)
        (void)fail_parse(r, gr_buf_text(input), input->len);
    yaml_parser_delete(&r->parser);
    return is_read;
}

bool
gr_yaml_parse(const char *file, const char *text, size_t len, struct gr_arena *arena,
              const struct gr_yaml_node **out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf input = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf joined = gr_buf_new(0);
    size_t bom = len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    GR_CLEANUP(gr_free_var) char *copy = gr_strndup(text + bom, len - bom);
    struct gr_error failed = {0};
    struct reader start = {.file = gr_arena_strdup(arena, file), .arena = arena, .err = &failed};
    struct reader r;
    const struct gr_yaml_node *root = NULL;
    bool is_read, is_escape;

    if (len > GR_YAML_BYTES)
        return gr_fail(err, GR_FAULT_SPEC, "%s: larger than 1 MiB", file);
    put_aside(copy, len - bom, &input, &start.has_aside);
    r = start;
    is_read = read_text(&r, &input, &root, &is_escape);
    if (!is_read && is_escape && join_surrogates(&input, &joined)) {
        r = start;
        root = NULL;
        is_read = read_text(&r, &joined, &root, &is_escape);
    }
    if (is_read)
        *out = root;
    else
        *err = failed;
    return is_read;
}
