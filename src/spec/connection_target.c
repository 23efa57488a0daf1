/* connection_target.c - a PostgreSQL connection from its value: a URL or a mapping. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gr/base/log.h"
#include "gr/spec/connection.h"
#include "gr/spec/names.h"

#define TARGET_HINT GR_TARGET_EXAMPLE

enum kind { KEYWORD, SECRET_KEYWORD, SCHEMA, ROLE, URL, TYPE, IDLE, REFUSED };

/* What a mapping may hold: Sling's keys and libpq's keywords. */
/* clang-format off */
static const struct row {
    const char *key;
    enum kind kind;
    const char *keyword; /* of libpq; of IDLE and REFUSED: what is done, or to be done, instead */
    const char *help;
} rows[] = {
    {"type",                     TYPE,           NULL,       "`postgres`"},
    {"url",                      URL,            NULL,       "a URL in place of all other keys but `schema`"},
    {"host",                     KEYWORD,        "host",     "host name, or folder of the socket"},
    {"port",                     KEYWORD,        "port",     "default 5432"},
    {"user",                     KEYWORD,        "user",     "role to log in as"},
    {"username",                 KEYWORD,        "user",     "the same"},
    {"password",                 SECRET_KEYWORD, "password", "better ${VAR} than the text"},
    {"database",                 KEYWORD,        "dbname",   "database"},
    {"dbname",                   KEYWORD,        "dbname",   "the same"},
    {"schema",                   SCHEMA,         NULL,
     "for tables that `object` names without a schema; default public"},
    {"role",                     ROLE,           "options",  "role to become after the login, as SET ROLE does"},
    {"sslmode",                  KEYWORD,        "sslmode",  "verify-full is the safe one"},
    {"hostaddr",                 KEYWORD,        "hostaddr", ""},
    {"passfile",                 KEYWORD,        "passfile", ""},
    {"service",                  KEYWORD,        "service",  ""},
    {"options",                  KEYWORD,        "options",  ""},
    {"application_name",         KEYWORD,        "application_name", ""},
    {"fallback_application_name", KEYWORD,       "fallback_application_name", ""},
    {"connect_timeout",          KEYWORD,        "connect_timeout", "seconds"},
    {"keepalives",               KEYWORD,        "keepalives", ""},
    {"keepalives_idle",          KEYWORD,        "keepalives_idle", ""},
    {"keepalives_interval",      KEYWORD,        "keepalives_interval", ""},
    {"keepalives_count",         KEYWORD,        "keepalives_count", ""},
    {"tcp_user_timeout",         KEYWORD,        "tcp_user_timeout", ""},
    {"channel_binding",          KEYWORD,        "channel_binding", ""},
    {"gssencmode",               KEYWORD,        "gssencmode", ""},
    {"krbsrvname",               KEYWORD,        "krbsrvname", ""},
    {"gsslib",                   KEYWORD,        "gsslib", ""},
    {"sslcompression",           KEYWORD,        "sslcompression", ""},
    {"sslcert",                  KEYWORD,        "sslcert", ""},
    {"sslkey",                   KEYWORD,        "sslkey", ""},
    {"sslpassword",              SECRET_KEYWORD, "sslpassword", ""},
    {"sslrootcert",              KEYWORD,        "sslrootcert", ""},
    {"sslcrl",                   KEYWORD,        "sslcrl", ""},
    {"sslcrldir",                KEYWORD,        "sslcrldir", ""},
    {"sslsni",                   KEYWORD,        "sslsni", ""},
    {"requirepeer",              KEYWORD,        "requirepeer", ""},
    {"ssl_min_protocol_version", KEYWORD,        "ssl_min_protocol_version", ""},
    {"ssl_max_protocol_version", KEYWORD,        "ssl_max_protocol_version", ""},
    {"target_session_attrs",     KEYWORD,        "target_session_attrs", ""},
    {"load_balance_hosts",       KEYWORD,        "load_balance_hosts", ""},
    {"use_adbc",                 IDLE,           "rows always go through COPY", ""},
    {"adbc_uri",                 IDLE,           "rows always go through COPY", ""},
    {"ssh_tunnel",               REFUSED,        "open the tunnel yourself, such as ssh -N -L "
     "6543:DATABASE_HOST:5432 USER@HOST, and connect to 127.0.0.1:6543", ""},
    {"ssh_private_key",          REFUSED,        "leave it to ssh, which opens the tunnel", ""},
    {"ssh_passphrase",           REFUSED,        "leave it to ssh, which opens the tunnel", ""},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A connection under way. */
struct loader {
    const struct gr_connections *from;
    const struct gr_yaml_node *name;
    struct gr_target target;
    const char *keywords[ROWS + 1];
    const char *values[ROWS + 1];
    size_t count;
    struct gr_error *err;
};

static struct gr_arena *
arena(const struct loader *l)
{
    return l->from->arena;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decoding as libpq does it; what is no escape stays as it is. */
static const char *
decode(const struct loader *l, const char *text, size_t len)
{
    char *copy = gr_arena_strndup(arena(l), text, len);
    char *to = copy;

    for (const char *from = copy; *from != '\0'; to++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;

        if (low >= 0 && high * 16 + low != 0) {
            *to = (char)(high * 16 + low);
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return copy;
}

static void
hide(const struct loader *l, const char *text, size_t len)
{
    gr_log_secret(gr_arena_strndup(arena(l), text, len));
    gr_log_secret(decode(l, text, len));
}

/* "a,b:6432" becomes "a:5432,b:6432". */
static const char *
show_hosts(const struct loader *l, const char *hosts, size_t len)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf shown = gr_buf_new(0);
    const char *end = hosts + len;

    if (len == 0)
        return "";
    for (const char *from = hosts; from <= end;) {
        const char *comma = memchr(from, ',', (size_t)(end - from));
        const char *stop = comma != NULL ? comma : end;
        const char *bracket = memchr(from, ']', (size_t)(stop - from));
        const char *tail = bracket != NULL ? bracket : from;

        gr_buf_put(&shown, from, (size_t)(stop - from));
        if (memchr(tail, ':', (size_t)(stop - tail)) == NULL)
            gr_buf_puts(&shown, ":5432");
        if (comma != NULL)
            gr_buf_putc(&shown, ',');
        from = stop + 1;
    }
    return gr_arena_strdup(arena(l), gr_buf_text(&shown));
}

/* What is said of the target: never the user's part of a URL, where the password is. */
static void
set_shown(struct loader *l, const char *hosts, const char *database)
{
    l->target.database = database;
    l->target.shown = gr_arena_printf(arena(l), "%s%s%s", *hosts != '\0' ? hosts : "local socket",
                                      *database != '\0' ? "/" : "", database);
}

/* The query of a URL: hides passwords, takes Sling's `schema` out, finds `host` and `dbname`. */
static void
read_query(struct loader *l, const char *query, struct gr_buf *kept, const char **hosts,
           const char **database)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        size_t key_len = strcspn(query, "=&");
        const char *value = query + key_len + (key_len < len ? 1 : 0);
        size_t value_len = (size_t)(query + len - value);

        if (key_len == 6 && strncmp(query, "schema", 6) == 0) {
            l->target.schema = decode(l, value, value_len);
        } else {
            gr_buf_putc(kept, kept->len == 0 ? '?' : '&');
            gr_buf_put(kept, query, len);
        }
        if ((key_len == 8 && strncmp(query, "password", 8) == 0) ||
            (key_len == 11 && strncmp(query, "sslpassword", 11) == 0))
            hide(l, value, value_len);
        if (key_len == 4 && strncmp(query, "host", 4) == 0)
            *hosts = decode(l, value, value_len);
        if (key_len == 6 && strncmp(query, "dbname", 6) == 0)
            *database = decode(l, value, value_len);
        query += len + (query[len] == '&' ? 1 : 0);
    }
}

static void
add_keyword(struct loader *l, const char *keyword, const char *value)
{
    l->keywords[l->count] = keyword;
    l->values[l->count] = value;
    l->count++;
}

/* A slash that a password does not encode ends the authority too early: what follows would be
   taken, and shown, for the name of the database. */
static bool
check_path(struct loader *l, const struct gr_yaml_node *at, const char *authority, size_t len)
{
    size_t path_len = strcspn(authority + len, "?");
    const char *colon = strchr(authority, ':');
    size_t last = path_len;

    while (last > 0 && authority[len + last - 1] != '@')
        last--;
    if (last == 0)
        return true;
    if (colon != NULL && colon < authority + len + last - 1)
        hide(l, colon + 1, (size_t)(authority + len + last - 1 - colon) - 1);
    (void)gr_yaml_fail(at, l->err, "the URL of target \"%s\" has an @ behind a slash",
                       l->target.name);
    return gr_hint(l->err,
                   "Write a slash in a password as %%2F, and an @ in the name of a database as "
                   "%%40.");
}

static bool
read_url(struct loader *l, const struct gr_yaml_node *at, const char *url)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf query = gr_buf_new(0);
    const char *scheme = "";
    const char *authority;
    const char *user_end = NULL;
    const char *hosts;
    const char *database = "";
    size_t len;
    size_t path_len;

    if (!gr_connection_is_url(url, arena(l), &scheme) ||
        (strcmp(scheme, "postgres") != 0 && strcmp(scheme, "postgresql") != 0)) {
        (void)gr_yaml_fail(at, l->err,
                           "target \"%s\" must be a PostgreSQL connection, found a "
                           "%s:// URL",
                           l->target.name, scheme);
        return gr_hint(l->err, "For example: %s", TARGET_HINT);
    }
    authority = url + strlen(scheme) + 3;
    len = strcspn(authority, "/?");
    if (!check_path(l, at, authority, len))
        return false;
    /* The last @: a password should have its own encoded, but some have not. */
    for (size_t i = 0; i < len; i++)
        if (authority[i] == '@')
            user_end = authority + i;
    if (user_end != NULL) {
        size_t user_len = (size_t)(user_end - authority);
        const char *colon = memchr(authority, ':', user_len);

        if (colon != NULL)
            hide(l, colon + 1, (size_t)(user_end - colon) - 1);
        if (memchr(authority, '@', user_len) != NULL) {
            (void)gr_yaml_fail(at, l->err, "the URL of target \"%s\" has more than one @",
                               l->target.name);
            return gr_hint(l->err, "Write an @ in a user name or password as %%40.");
        }
    }
    hosts = user_end != NULL ? user_end + 1 : authority;
    hosts = show_hosts(l, hosts, (size_t)(authority + len - hosts));
    path_len = authority[len] == '/' ? strcspn(authority + len + 1, "?") + 1 : 0;
    if (path_len > 0)
        database = decode(l, authority + len + 1, path_len - 1);
    if (authority[len + path_len] == '?')
        read_query(l, authority + len + path_len + 1, &query, &hosts, &database);
    add_keyword(l, "dbname",
                gr_arena_printf(arena(l), "%s://%.*s%s", scheme, (int)(len + path_len), authority,
                                gr_buf_text(&query)));
    set_shown(l, hosts, database);
    return true;
}

static bool
fail_unknown(struct loader *l, const struct gr_yaml_node *key)
{
    const char *known[ROWS];

    for (size_t i = 0; i < ROWS; i++)
        known[i] = rows[i].key;
    (void)gr_yaml_fail(key, l->err, "unknown key %s%s", gr_yaml_key_shown(arena(l), key),
                       gr_name_did_you_mean(arena(l), key->text, known, ROWS));
    return gr_hint(l->err, "A PostgreSQL connection has the keys host, user, password, port, "
                           "database, schema, sslmode and libpq's keywords.");
}

static bool
read_pair(struct loader *l, const struct gr_yaml_node *key, const struct gr_yaml_node *value)
{
    const struct row *row = NULL;

    for (size_t i = 0; i < ROWS && row == NULL; i++)
        if (strcmp(rows[i].key, key->text) == 0)
            row = &rows[i];
    if (row == NULL)
        return fail_unknown(l, key);
    if (value->kind == GR_YAML_NULL || row->kind == TYPE)
        return true;
    if (value->kind != GR_YAML_TEXT)
        return gr_yaml_fail(value, l->err, "\"%s\" must be a text, found %s", row->key,
                            gr_yaml_shown(arena(l), value));
    if (row->kind == URL)
        return gr_yaml_fail(key, l->err, "\"url\" cannot stand beside other keys than schema");
    if (row->kind == SCHEMA) {
        l->target.schema = value->text;
        return true;
    }
    if (row->kind == IDLE) {
        gr_notes_add(l->from->notes, key, "\"%s\" has no effect here: %s", row->key, row->keyword);
        return true;
    }
    if (row->kind == REFUSED) {
        (void)gr_yaml_fail(key, l->err, "\"%s\" is not supported in a PostgreSQL connection",
                           row->key);
        return gr_hint(l->err, "Take it out: %s.", row->keyword);
    }
    if (row->kind == ROLE && !gr_name_is_plain(value->text))
        return gr_yaml_fail(value, l->err,
                            "\"role\" must be a name (a-z, 0-9 and _), found \"%.63s\"",
                            value->text);
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->keywords[i], row->keyword) == 0)
            return gr_yaml_fail(key, l->err, "\"%s\" says again what another key has said",
                                row->key);
    if (row->kind == SECRET_KEYWORD)
        gr_log_secret(value->text);
    add_keyword(l, row->keyword,
                row->kind == ROLE ? gr_arena_printf(arena(l), "-c role=%s", value->text)
                                  : value->text);
    return true;
}

static const char *
value_of(const struct loader *l, const char *keyword)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->keywords[i], keyword) == 0)
            return l->values[i];
    return "";
}

static bool
read_map(struct loader *l, const struct gr_yaml_node *map)
{
    const struct gr_yaml_node *type = gr_yaml_get(map, "type");
    const struct gr_yaml_node *url = gr_yaml_get(map, "url");
    const struct gr_yaml_node *schema = gr_yaml_get(map, "schema");
    const char *port;
    const char *host;

    if (type != NULL && type->kind == GR_YAML_TEXT && strcasecmp(type->text, "postgres") != 0 &&
        strcasecmp(type->text, "postgresql") != 0) {
        (void)gr_yaml_fail(type, l->err,
                           "target \"%s\" must be a PostgreSQL connection, found type "
                           "\"%.60s\"",
                           l->target.name, type->text);
        return gr_hint(l->err, "For example: %s", TARGET_HINT);
    }
    if (url != NULL && url->kind == GR_YAML_TEXT &&
        map->count == 1 + (size_t)(type != NULL) + (size_t)(schema != NULL))
        return read_url(l, url, url->text) &&
               (schema == NULL || read_pair(l, gr_yaml_text(arena(l), schema, "schema"), schema));
    for (size_t i = 0; i < map->count; i++)
        if (!read_pair(l, map->keys[i], map->items[i]))
            return false;
    port = value_of(l, "port");
    host = value_of(l, "host");
    if (*host == '\0')
        host = value_of(l, "hostaddr");
    if (*host != '\0')
        host = gr_arena_printf(arena(l), "%s:%s", host, *port != '\0' ? port : "5432");
    set_shown(l, host, value_of(l, "dbname"));
    return true;
}

bool
gr_connection_target(const struct gr_connections *from, const struct gr_yaml_node *name,
                     struct gr_target *out, struct gr_error *err)
{
    struct loader l = {.from = from, .name = name, .err = err};
    const struct gr_yaml_node *value;
    const char *scheme;
    const char **copy;

    if (!gr_connection_find(from, name, TARGET_HINT, &value, err))
        return false;
    gr_log_secret(getenv("PGPASSWORD"));
    l.target.schema = "public";
    /* A literal URL has no name, and must not be shown as one. */
    l.target.name = gr_connection_is_url(name->text, from->arena, &scheme) ? "target" : name->text;
    if (value->kind == GR_YAML_TEXT ? !read_url(&l, value, value->text) : !read_map(&l, value))
        return false;
    if (*l.target.schema == '\0' || strlen(l.target.schema) > GR_NAME_BYTES)
        return gr_yaml_fail(value, err,
                            "\"schema\" must be a name of at most 63 bytes, found "
                            "\"%.80s\"",
                            l.target.schema);
    copy = gr_arena_alloc(from->arena, l.count + 1, sizeof(copy[0]));
    memcpy(copy, l.keywords, l.count * sizeof(copy[0]));
    l.target.keywords = copy;
    copy = gr_arena_alloc(from->arena, l.count + 1, sizeof(copy[0]));
    memcpy(copy, l.values, l.count * sizeof(copy[0]));
    l.target.values = copy;
    *out = l.target;
    return true;
}

void
gr_connection_target_reference(struct gr_buf *out)
{
    gr_buf_puts(out, "| key | meaning |\n|---|---|\n");
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].help[0] != '\0')
            gr_buf_printf(out, "| `%s` | %s |\n", rows[i].key, rows[i].help);
    gr_buf_puts(out, "\nAnd as libpq has them: ");
    for (size_t i = 0, n = 0; i < ROWS; i++)
        if (rows[i].help[0] == '\0' && rows[i].kind != IDLE && rows[i].kind != REFUSED)
            gr_buf_printf(out, "%s`%s`", n++ == 0 ? "" : ", ", rows[i].key);
    gr_buf_puts(out, ".\n");
}
