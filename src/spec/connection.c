/* connection.c - where a connection's name is looked up, and ${VAR} in its value. */
#include "gr/spec/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "gr/spec/names.h"

bool
gr_connection_is_url(const char *text, struct gr_arena *arena, const char **scheme_out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789+.-";
    size_t len = strspn(text, allowed);
    char *scheme;

    if (len == 0 || strncmp(text + len, "://", 3) != 0)
        return false;
    scheme = gr_arena_strndup(arena, text, len);
    for (char *c = scheme; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    *scheme_out = scheme;
    return true;
}

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

static bool
is_variable_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && (*name < '0' || *name > '9') && strspn(name, name_bytes) == len;
}

/* How $ is read: ${VAR} always; $VAR as a whole value, or anywhere in it. */
enum dollars { DOLLARS_WHOLE, DOLLARS_ANYWHERE };

/* The length of the variable at `at`, which is a $; its name goes to *name_out. 0: it is none. */
static size_t
find_variable(const char *at, bool is_bare, struct gr_arena *arena, const char **name_out)
{
    const char *close = at[1] == '{' ? strchr(at, '}') : NULL;
    size_t len = close != NULL ? (size_t)(close - at) + 1 : 1 + strspn(at + 1, name_bytes);

    if (close == NULL && !is_bare)
        return 0;
    *name_out = close != NULL ? gr_arena_strndup(arena, at + 2, len - 3)
                              : gr_arena_strndup(arena, at + 1, len - 1);
    return is_variable_name(*name_out) ? len : 0;
}

static bool
expand_text(const struct gr_yaml_node *node, enum dollars dollars, struct gr_arena *arena,
            const struct gr_yaml_node **out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(GR_YAML_BYTES);
    /* A password may begin with a dollar: as a whole value it is a variable only where one is set.
     */
    bool is_whole =
        node->text[0] == '$' && is_variable_name(node->text + 1) && getenv(node->text + 1) != NULL;
    const char *from = node->text;

    while (*from != '\0') {
        const char *name = "";
        size_t len = *from == '$' ? find_variable(from, is_whole || dollars == DOLLARS_ANYWHERE,
                                                  arena, &name)
                                  : 0;
        const char *value = len > 0 ? getenv(name) : NULL;

        if (len == 0) {
            gr_buf_putc(&text, *from++);
            continue;
        }
        if (value == NULL) {
            (void)gr_yaml_fail(node, err, "environment variable \"%s\" is not set", name);
            return gr_hint(err, "Set it, or write the value in place of ${%s}.", name);
        }
        gr_buf_puts(&text, value);
        from += len;
    }
    if (text.failed != NULL)
        return gr_yaml_fail(node, err, "the expanded value is larger than 1 MiB");
    *out = gr_yaml_text(arena, node, gr_buf_text(&text));
    return true;
}

static bool
expand(const struct gr_yaml_node *node, enum dollars dollars, struct gr_arena *arena,
       const struct gr_yaml_node **out, struct gr_error *err)
{
    struct gr_yaml_node *copy;

    if (node->kind == GR_YAML_NULL ||
        (node->kind == GR_YAML_TEXT && strchr(node->text, '$') == NULL)) {
        *out = node;
        return true;
    }
    if (node->kind == GR_YAML_TEXT)
        return expand_text(node, dollars, arena, out, err);
    copy = gr_yaml_map(arena, node, node->count);
    copy->kind = node->kind;
    for (size_t i = 0; i < node->count; i++) {
        const struct gr_yaml_node *item;

        if (!expand(node->items[i], dollars, arena, &item, err))
            return false;
        gr_yaml_put(copy, node->keys[i], item);
    }
    *out = copy;
    return true;
}

bool
gr_connection_expand(const struct gr_yaml_node *node, struct gr_arena *arena,
                     const struct gr_yaml_node **out, struct gr_error *err)
{
    return expand(node, DOLLARS_WHOLE, arena, out, err);
}

bool
gr_connection_expand_env(const struct gr_yaml_node *node, struct gr_arena *arena,
                         const struct gr_yaml_node **out, struct gr_error *err)
{
    return expand(node, DOLLARS_ANYWHERE, arena, out, err);
}

/* As Sling does, letter case does not count where no name is exactly the same. */
static const struct gr_yaml_node *
get_name(const struct gr_yaml_node *map, const char *name)
{
    const struct gr_yaml_node *value = gr_yaml_get(map, name);

    for (size_t i = 0; value == NULL && map != NULL && map->kind == GR_YAML_MAP && i < map->count;
         i++)
        if (strcasecmp(map->keys[i]->text, name) == 0)
            value = map->items[i];
    return value;
}

/* The text that base64 of the alphabet with + and / stands for; NULL where it is none. */
static const char *
decode_base64(const char *text, struct gr_arena *arena)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strspn(text, digits);
    char *decoded = gr_arena_alloc(arena, len + 1, 1);
    size_t count = 0;
    unsigned bits = 0;

    if (len == 0 || strspn(text + len, "=\n") != strlen(text + len))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 6 | (unsigned)(strchr(digits, text[i]) - digits);
        if (i % 4 != 0)
            decoded[count++] = (char)(bits >> (6 - i % 4 * 2) & 0xFF);
    }
    return memchr(decoded, '\0', count) == NULL ? decoded : NULL;
}

/* A URL stays a text; everything else is YAML, and so may be JSON. */
static bool
parse_variable(const char *name, const char *value, struct gr_arena *arena,
               const struct gr_yaml_node **out, struct gr_error *err)
{
    struct gr_yaml_node here = {.kind = GR_YAML_NULL, .line = 1, .column = 1, .text = ""};
    const char *decoded = decode_base64(value, arena);
    const char *scheme;

    here.file = gr_arena_printf(arena, "$%s", name);
    if (decoded != NULL && (*decoded == '{' || strstr(decoded, ": ") != NULL ||
                            gr_connection_is_url(decoded, arena, &scheme)))
        value = decoded;
    if (!gr_connection_is_url(value, arena, &scheme))
        return gr_yaml_parse(here.file, value, strlen(value), arena, out, err);
    *out = gr_yaml_text(arena, &here, value);
    return true;
}

/* The environment variable of a connection: of exactly that name, else in capitals. */
static const char *
find_in_environment(const char *name, struct gr_arena *arena)
{
    char *capitals = gr_arena_strdup(arena, name);
    const char *value;

    if (!is_variable_name(name))
        return NULL;
    for (char *c = capitals; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    value = getenv(name);
    if (value == NULL || *value == '\0')
        value = getenv(capitals);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* NULL where neither SLING_HOME_DIR nor HOME is set. */
static const char *
env_file_path(struct gr_arena *arena)
{
    const char *sling = getenv("SLING_HOME_DIR");
    const char *home = getenv("HOME");

    if (sling != NULL && *sling != '\0')
        return gr_arena_printf(arena, "%s/env.yaml", sling);
    if (home != NULL && *home != '\0')
        return gr_arena_printf(arena, "%s/.sling/env.yaml", home);
    return NULL;
}

void
gr_connection_warn_shared(const struct gr_connections *from, const char *path)
{
    struct stat facts;

    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
        (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        gr_notes_add(from->notes, NULL, "%s holds secrets and can be read by others; chmod 600 it",
                     path);
}

/* A password, key or token that is written out: of a mapping, or in a URL. */
static bool
holds_secret(const struct gr_yaml_node *node, const char *key)
{
    static const char *const secrets[] = {"api_key",       "access_token", "client_secret",
                                          "refresh_token", "password",     "sslpassword"};
    bool is_secret = strstr(node->text, "://") != NULL && strchr(node->text, '@') != NULL;

    if (node->kind == GR_YAML_MAP)
        for (size_t i = 0; i < node->count; i++)
            if (holds_secret(node->items[i], node->keys[i]->text))
                return true;
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]) && !is_secret; i++)
        is_secret = strcmp(key, secrets[i]) == 0;
    return is_secret && node->kind == GR_YAML_TEXT && strstr(node->text, "${") == NULL;
}

/* The `connections` of env.yaml; NULL in *out where there is no such file. */
static bool
load_env_file(const struct gr_connections *from, const char *path, const struct gr_yaml_node **out,
              struct gr_error *err)
{
    struct stat facts;
    const struct gr_yaml_node *root;

    *out = NULL;
    if (path == NULL || stat(path, &facts) != 0)
        return true;
    if (!gr_yaml_load(path, from->arena, &root, err))
        return false;
    gr_connection_warn_shared(from, path);
    *out = gr_yaml_get(root, "connections");
    return true;
}

/* The same of SLING_ENV_YAML, which holds the whole file. */
static bool
load_env_variable(const struct gr_connections *from, const struct gr_yaml_node **out,
                  struct gr_error *err)
{
    const char *text = getenv("SLING_ENV_YAML");
    const struct gr_yaml_node *root;

    *out = NULL;
    if (text == NULL || *text == '\0')
        return true;
    if (!gr_yaml_parse("$SLING_ENV_YAML", text, strlen(text), from->arena, &root, err))
        return false;
    *out = gr_yaml_get(root, "connections");
    return true;
}

static bool
fail_not_found(const struct gr_connections *from, const struct gr_yaml_node *name,
               const char *env_file, const char *hint, struct gr_error *err)
{
    const char *known[64];
    size_t count = 0;

    /* What was meant to be the connection itself may hold its secrets: it is not shown. */
    if (strpbrk(name->text, "{}[]:@") != NULL) {
        (void)gr_yaml_fail(
            name, err, "a connection must be given by its name or as a URL, found another text");
        return gr_hint(err, "Name it, and put it under \"connections\": for example %s", hint);
    }
    for (size_t i = 0; from->own != NULL && i < from->own->count && count < 64; i++)
        known[count++] = from->own->keys[i]->text;
    (void)gr_yaml_fail(
        name, err,
        "connection \"%.80s\" is set neither under \"connections\" in this file, nor "
        "in the environment variable of that name, nor in %s%s",
        name->text, env_file != NULL ? env_file : "~/.sling/env.yaml",
        gr_name_did_you_mean(from->arena, name->text, known, count));
    return gr_hint(err, "Set it, for example: export %.80s='%s'", name->text, hint);
}

bool
gr_connection_find(const struct gr_connections *from, const struct gr_yaml_node *name,
                   const char *hint, const struct gr_yaml_node **out, struct gr_error *err)
{
    const char *scheme;
    const char *variable;
    const char *env_file = env_file_path(from->arena);
    const struct gr_yaml_node *in_file;
    const struct gr_yaml_node *value;

    if (gr_connection_is_url(name->text, from->arena, &scheme))
        return gr_connection_expand(name, from->arena, out, err);
    value = get_name(from->own, name->text);
    if (value != NULL && holds_secret(value, ""))
        gr_connection_warn_shared(from, value->file);
    variable = find_in_environment(name->text, from->arena);
    if (value == NULL && variable != NULL &&
        !parse_variable(name->text, variable, from->arena, &value, err))
        return false;
    if (value == NULL) {
        if (!load_env_variable(from, &in_file, err))
            return false;
        value = get_name(in_file, name->text);
    }
    if (value == NULL) {
        if (!load_env_file(from, env_file, &in_file, err))
            return false;
        value = get_name(in_file, name->text);
    }
    if (value == NULL)
        return fail_not_found(from, name, env_file, hint, err);
    if (!gr_connection_expand(value, from->arena, &value, err))
        return false;
    if (value->kind != GR_YAML_MAP &&
        (value->kind != GR_YAML_TEXT || !gr_connection_is_url(value->text, from->arena, &scheme))) {
        /* A text is not shown: it may be a secret that was put in the wrong place. */
        (void)gr_yaml_fail(
            value, err, "connection \"%s\" must be a URL or a mapping, found %s", name->text,
            value->kind == GR_YAML_TEXT ? "another text" : gr_yaml_shown(from->arena, value));
        return gr_hint(err, "For example: %s", hint);
    }
    *out = value;
    return true;
}

/* --- guessing -----------------------------------------------------------------------------------
 */

static const char *
word_of(const struct gr_yaml_node *map, const char *key)
{
    const struct gr_yaml_node *value = map->kind == GR_YAML_MAP ? gr_yaml_get(map, key) : NULL;

    return value != NULL && value->kind == GR_YAML_TEXT ? value->text : "";
}

static bool
is_kind(const struct gr_yaml_node *value, enum gr_connection_kind kind, struct gr_arena *arena)
{
    const char *type = word_of(value, "type");
    const char *spec = word_of(value, "spec");
    const char *scheme = "";

    if (value->kind == GR_YAML_TEXT)
        (void)gr_connection_is_url(value->text, arena, &scheme);
    if (kind == GR_CONNECTION_TARGET)
        return strncmp(scheme, "postgres", 8) == 0 || strncasecmp(type, "postgres", 8) == 0;
    return strcasecmp(type, "gorgias") == 0 ||
           (strcasecmp(type, "api") == 0 && strcasecmp(spec, "gorgias") == 0);
}

/* The only one of its kind, or NULL. */
static bool
find_only(const struct gr_yaml_node *map, enum gr_connection_kind kind, const char *file,
          const char *option, struct gr_arena *arena, const char **name_out, struct gr_error *err)
{
    const char **names = gr_arena_alloc(arena, map->count, sizeof(names[0]));
    size_t count = 0;

    for (size_t i = 0; i < map->count; i++)
        if (is_kind(map->items[i], kind, arena))
            names[count++] = map->keys[i]->text;
    *name_out = count == 1 ? names[0] : NULL;
    if (count < 2)
        return true;
    (void)gr_fail(err, GR_FAULT_USAGE, "%s has %zu connections that may be meant: %s", file, count,
                  gr_name_list(arena, names, count));
    return gr_hint(err, "Name one of them with %s.", option);
}

bool
gr_connection_guess(const struct gr_connections *from, enum gr_connection_kind kind,
                    const char *wanted, bool any_will_do, const char **name_out,
                    const char **place_out, struct gr_error *err)
{
    const char *variable = is_variable_name(wanted) ? getenv(wanted) : NULL;
    const char *env_file = env_file_path(from->arena);
    const char *option = kind == GR_CONNECTION_SOURCE ? "--source" : "--target";
    const struct gr_yaml_node *in_file = NULL;

    *name_out = wanted;
    *place_out = gr_arena_printf(from->arena, "the environment variable %s", wanted);
    if (variable != NULL && *variable != '\0')
        return true;
    *name_out = NULL;
    *place_out = env_file != NULL ? env_file : "~/.sling/env.yaml";
    if (!load_env_file(from, env_file, &in_file, err))
        return false;
    if (in_file == NULL || in_file->kind != GR_YAML_MAP)
        return true;
    if (get_name(in_file, wanted) != NULL)
        *name_out = wanted;
    return *name_out != NULL || !any_will_do ||
           find_only(in_file, kind, env_file, option, from->arena, name_out, err);
}
