/* environment.c - variables and settings from env:, --env and the process. */
#include "gr/spec/environment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gr/base/time.h"
#include "gr/spec/names.h"
#include "gr/spec/object.h"

/* An environment under way. */
struct loader {
    const struct gr_target *target;
    struct gr_variables *variables;
    struct gr_notes *notes;
    struct gr_arena *arena;
    struct gr_environment result;
    struct gr_error *err;
};

typedef bool take_setting(struct loader *l, const struct gr_yaml_node *value);

static bool take_state(struct loader *l, const struct gr_yaml_node *value);
static bool take_threads(struct loader *l, const struct gr_yaml_node *value);
static bool take_keep_runs(struct loader *l, const struct gr_yaml_node *value);
static bool take_limit(struct loader *l, const struct gr_yaml_node *value);
static bool take_timeout(struct loader *l, const struct gr_yaml_node *value);
static bool take_dry_run(struct loader *l, const struct gr_yaml_node *value);
static bool take_loaded_at(struct loader *l, const struct gr_yaml_node *value);

/* Variables that Sling reads itself, and ours. */
/* clang-format off */
static const struct setting {
    const char *name;
    take_setting *take; /* NULL: a note says `why` */
    const char *why; /* of one that is taken: what it does */
    bool is_process_wide; /* read from the process environment too */
} settings[] = {
    {"SLING_STATE",            take_state,   
     "CONNECTION/SCHEMA names the schema of the state tables, which are in the target", true},
    {"SLING_THREADS",          take_threads, 
     "requests in flight at most, 1 to 64; --threads comes before it", true},
    {"GR_KEEP_RUNS",           take_keep_runs,
     "not one of Sling's: how long `runs`, `stream_runs` and `audits` keep what has been, such as 90d, or `forever`; else 400d", true},
    {"SLING_LIMIT",            take_limit,   
     "rows of each stream at most; --limit comes before it", true},
    {"SLING_TIMEOUT",          take_timeout, 
     "minutes after which a run stops in good order, with exit code 6; --max-duration comes before it", true},
    {"SLING_DRY_RUN",          take_dry_run, 
     "`run` prints its plan and does nothing else", true},
    {"SLING_LOADED_AT_COLUMN", take_loaded_at, 
     "`true` and `unix` (seconds), `timestamp`, or a name: a column `_sling_loaded_at` (or that name) beside `_loaded_at`; `false` leaves only `_loaded_at`", true},
    {"SLING_SYNCED_AT_COLUMN", NULL, "every table has _loaded_at and _deleted_at", false},
    {"SLING_STREAM_URL_COLUMN", NULL, "there is no such column", false},
    {"SLING_ROW_NUM_COLUMN",   NULL, "there is no such column", false},
    {"SLING_ROW_ID_COLUMN",    NULL, "there is no such column", false},
    {"SLING_EXEC_ID_COLUMN",   NULL, "there is no such column", false},
    {"SLING_RETRIES",          NULL, "requests are retried in any case", false},
    {"SLING_RETRY_DELAY",      NULL, "requests are retried in any case", false},
    {"SLING_CLI_TOKEN",        NULL, "nothing is behind a token", false},
    {"SLING_DISABLE_TELEMETRY", NULL, "there is no telemetry", false},
    {"SLING_HOME_DIR",         NULL, "set it in the process environment", false},
    {"SLING_ENV_YAML",         NULL, "write \"connections\" into this file", false},
    {"SLING_TEMP_DIR",         NULL, "no temporary files are written", false},
    {"SLING_KEEP_TEMP",        NULL, "staging tables belong to the run and go with it", false},
    {"SLING_PROXY",            NULL, "set HTTPS_PROXY in the process environment", false},
    {"SLING_POOL",             NULL, "a run opens the sessions that it needs, three at most", false},
    {"SLING_OUTPUT",           NULL, "use --output", false},
    {"SLING_SHOW_PROGRESS",    NULL, "use --progress", false},
    {"SLING_PPROF",            NULL, "there is no profiler", false},
    {"SLING_SAMPLE_SIZE",      NULL, "types are declared, not guessed", false},
    {"SLING_ALLOW_EMPTY",      NULL, "an empty endpoint is a valid result", false},
    {"SLING_ALLOW_EMPTY_TABLES", NULL, "an empty endpoint is a valid result", false},
    {"SLING_DIRECT_INSERT",    NULL, "rows always go through staging", false},
    {"SLING_CHECKSUM_ROWS",    NULL, "PostgreSQL's own count of each COPY is checked", false},
    {"SLING_GREATER_THAN_EQUAL", NULL, "incremental runs always overlap", false},
    {"SLING_SCHEMA_MIGRATION", NULL, "the primary key is real in any case; see table_keys for indexes", false},
    {"SLING_LOGGING",          NULL, "use --log-format", false},
    {"SLING_LOG_DETAILS",      NULL, "use --log-format json", false},
    {"SLING_LOG_DIR",          NULL, "logs go to stderr", false},
    {"SLING_DEBUG_FILE",       NULL, "use --log-level debug and redirect stderr", false},
    {"SLING_TRACE_FILE",       NULL, "use --log-level debug and redirect stderr", false},
    {"SLING_ROW_CNT",          NULL, "read the counts from --output json", false},
    {"SLING_STREAM_CNT",       NULL, "read the counts from --output json", false},
    {"SLING_TOTAL_BYTES",      NULL, "read the counts from --output json", false},
    {"SLING_CONSTRAINT_FAILS", NULL, "constraints are not checked", false},
};
/* clang-format on */

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

/* CONNECTION/SCHEMA or CONNECTION/SCHEMA.TABLE */
static bool
take_state(struct loader *l, const struct gr_yaml_node *value)
{
    static const char form[] = "Write CONNECTION/SCHEMA, where CONNECTION is the target.";
    const char *slash = strchr(value->text, '/');
    const char *connection;
    const char *wrong;
    struct gr_object object;

    if (slash == NULL || slash == value->text) {
        (void)gr_yaml_fail(value, l->err, "SLING_STATE must be CONNECTION/SCHEMA, found \"%.80s\"",
                           value->text);
        return gr_hint(l->err, "%s", form);
    }
    connection = gr_arena_strndup(l->arena, value->text, (size_t)(slash - value->text));
    if (strcasecmp(connection, l->target->name) != 0) {
        (void)gr_yaml_fail(value, l->err,
                           "SLING_STATE names the connection \"%.60s\", but the "
                           "state is kept in the target \"%s\"",
                           connection, l->target->name);
        return gr_hint(l->err, "State, rows and bookmarks are written in one transaction, so they "
                               "are in one database.");
    }
    wrong = gr_object_parse(slash + 1, l->arena, &object);
    if (wrong != NULL) {
        (void)gr_yaml_fail(value, l->err, "SLING_STATE names the schema \"%.80s\": %s", slash + 1,
                           wrong);
        return gr_hint(l->err, "%s", form);
    }
    if (object.count > 1)
        gr_notes_add(l->notes, value,
                     "the table \"%s\" in SLING_STATE is not used: the state has "
                     "tables of its own in schema \"%s\"",
                     object.parts[1], object.parts[0]);
    l->result.state_schema = object.parts[0];
    return true;
}

static bool
take_threads(struct loader *l, const struct gr_yaml_node *value)
{
    size_t len = strlen(value->text);
    long threads = len > 0 && len <= 4 && strspn(value->text, "0123456789") == len
                       ? strtol(value->text, NULL, 10)
                       : 0;

    if (threads < 1 || threads > GR_THREADS_MAX)
        return gr_yaml_fail(value, l->err, "SLING_THREADS must be 1 to %d, found \"%.60s\"",
                            GR_THREADS_MAX, value->text);
    l->result.threads = threads;
    return true;
}

static bool
take_keep_runs(struct loader *l, const struct gr_yaml_node *value)
{
    enum { DAY_MS = 86400000 };

    l->result.keep_runs_ms = 0;
    if (strcmp(value->text, "forever") == 0)
        return true;
    if (gr_duration_parse(value->text, &l->result.keep_runs_ms) && l->result.keep_runs_ms >= DAY_MS)
        return true;
    return gr_yaml_fail(value, l->err,
                        "GR_KEEP_RUNS must be a number of days such as 90d, or forever, found "
                        "\"%.60s\"",
                        value->text);
}

static bool
take_limit(struct loader *l, const struct gr_yaml_node *value)
{
    size_t len = strlen(value->text);

    if (len == 0 || len > 15 || strspn(value->text, "0123456789") != len)
        return gr_yaml_fail(value, l->err, "SLING_LIMIT must be a number of rows, found \"%.60s\"",
                            value->text);
    l->result.limit_rows = strtoll(value->text, NULL, 10);
    return true;
}

/* Minutes, and parts of them. */
static bool
take_timeout(struct loader *l, const struct gr_yaml_node *value)
{
    enum { MINUTE_MS = 60000, DIGITS_MAX = 9 };
    size_t len = strlen(value->text);
    bool is_number = len > 0 && len <= DIGITS_MAX && strspn(value->text, "0123456789.") == len;
    char *end = NULL;
    double minutes = is_number ? strtod(value->text, &end) : 0;

    l->result.max_duration_ms = (int64_t)(minutes * MINUTE_MS);
    if (is_number && *end == '\0' && l->result.max_duration_ms > 0)
        return true;
    return gr_yaml_fail(value, l->err,
                        "SLING_TIMEOUT must be a number of minutes above 0, found \"%.60s\"",
                        value->text);
}

/* What Sling takes for true and false, in any letter case. */
static bool
read_switch(const char *text, bool *out)
{
    static const char *const words[] = {"false", "0", "no", "off", "true", "1", "yes", "on"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i >= 4;
            return true;
        }
    return false;
}

static bool
take_dry_run(struct loader *l, const struct gr_yaml_node *value)
{
    if (read_switch(value->text, &l->result.is_dry_run))
        return true;
    return gr_yaml_fail(value, l->err, "SLING_DRY_RUN must be true or false, found \"%.60s\"",
                        value->text);
}

/* true and unix: seconds, as Sling has them; timestamp; false; or a name for a timestamptz. */
static bool
take_loaded_at(struct loader *l, const struct gr_yaml_node *value)
{
    struct gr_loaded_at *out = &l->result.loaded_at;
    bool is_on = false;
    bool is_switch = read_switch(value->text, &is_on);
    bool is_unix = strcasecmp(value->text, "unix") == 0;

    *out = (struct gr_loaded_at){0};
    if (is_switch && !is_on) {
        gr_notes_add(
            l->notes, value,
            "SLING_LOADED_AT_COLUMN: the column _loaded_at stays; versions are told apart by it");
        return true;
    }
    if (is_switch || is_unix || strcasecmp(value->text, "timestamp") == 0)
        *out = (struct gr_loaded_at){"_sling_loaded_at", is_switch || is_unix};
    else if (gr_name_is_plain(value->text) && !gr_name_is_reserved(value->text))
        *out = (struct gr_loaded_at){value->text, false};
    else
        return gr_yaml_fail(
            value, l->err,
            "SLING_LOADED_AT_COLUMN must be true, unix, timestamp, false or the name of "
            "a column, found \"%.60s\"",
            value->text);
    return true;
}

static const struct setting *
find_setting(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

/* Any name may be a variable of the file's own, but SLING_ is Sling's. */
static void
note_unknown(struct loader *l, const char *name, const struct gr_yaml_node *value)
{
    const char *known[SETTINGS];

    if (strncmp(name, "SLING_", 6) != 0)
        return;
    for (size_t i = 0; i < SETTINGS; i++)
        known[i] = settings[i].name;
    gr_notes_add(l->notes, value, "%.60s is no setting of this program or of Sling%s", name,
                 gr_name_did_you_mean(l->arena, name, known, SETTINGS));
}

/* One variable of the file or of --env. */
static bool
take(struct loader *l, const char *name, const struct gr_yaml_node *value)
{
    const struct setting *setting = find_setting(name);

    gr_variables_set(l->variables, name, value->text);
    gr_variables_set(l->variables, gr_arena_printf(l->arena, "env.%s", name), value->text);
    if (setting == NULL) {
        note_unknown(l, name, value);
        return true;
    }
    if (setting->take != NULL)
        return setting->take(l, value);
    gr_notes_add(l->notes, value, "%s has no effect here%s%s", name,
                 setting->why[0] != '\0' ? ": " : "", setting->why);
    return true;
}

static struct gr_yaml_node
place(const char *file)
{
    return (struct gr_yaml_node){
        .kind = GR_YAML_NULL, .file = file, .line = 1, .column = 1, .text = ""};
}

/* The value of NAME in --env, or NULL. */
static const char *
find_extra(const char *const *extra, const char *name)
{
    size_t len = strlen(name);
    const char *value = NULL;

    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++)
        if (strncmp(extra[i], name, len) == 0 && extra[i][len] == '=')
            value = extra[i] + len + 1;
    return value;
}

static bool
load_process(struct loader *l, const struct gr_yaml_node *env, const char *const *extra)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const char *name = settings[i].name;
        const char *value = settings[i].is_process_wide ? getenv(name) : NULL;
        struct gr_yaml_node at = place(gr_arena_printf(l->arena, "$%s", name));

        if (value == NULL || *value == '\0' || gr_yaml_get(env, name) != NULL ||
            find_extra(extra, name) != NULL)
            continue;
        if (!settings[i].take(l, gr_yaml_text(l->arena, &at, value)))
            return false;
    }
    return true;
}

static bool
load_file(struct loader *l, const struct gr_yaml_node *env, const char *const *extra)
{
    for (size_t i = 0; env != NULL && i < env->count; i++) {
        const struct gr_yaml_node *value = env->items[i];
        const char *name = env->keys[i]->text;

        if (value->kind == GR_YAML_NULL || find_extra(extra, name) != NULL)
            continue;
        if (value->kind != GR_YAML_TEXT)
            return gr_yaml_fail(value, l->err, "variable \"%.60s\" must be a text, found %s", name,
                                gr_yaml_shown(l->arena, value));
        if (!gr_connection_expand_env(value, l->arena, &value, l->err) || !take(l, name, value))
            return false;
    }
    return true;
}

static bool
load_extra(struct loader *l, const char *const *extra)
{
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++) {
        const char *equals = strchr(extra[i], '=');
        struct gr_yaml_node at = place("--env");

        if (equals == NULL || equals == extra[i]) {
            (void)gr_fail(l->err, GR_FAULT_USAGE, "--env: \"%.60s\" is not NAME=VALUE", extra[i]);
            return gr_hint(l->err, "For example: --env SLING_THREADS=8");
        }
        if (!take(l, gr_arena_strndup(l->arena, extra[i], (size_t)(equals - extra[i])),
                  gr_yaml_text(l->arena, &at, equals + 1))) {
            l->err->fault = GR_FAULT_USAGE;
            return false;
        }
    }
    return true;
}

bool
gr_environment_load(const struct gr_replication *replication, const char *const *extra,
                    const struct gr_target *target, struct gr_variables *variables,
                    struct gr_notes *notes, struct gr_environment *out, struct gr_error *err)
{
    struct loader l = {
        .target = target,
        .variables = variables,
        .notes = notes,
        .arena = variables->arena,
        .result = {.state_schema = "_gorgias_replicate", .keep_runs_ms = GR_KEEP_RUNS_MS},
        .err = err};

    if (!load_process(&l, replication->env, extra) || !load_file(&l, replication->env, extra) ||
        !load_extra(&l, extra))
        return false;
    *out = l.result;
    return true;
}

void
gr_environment_reference(struct gr_buf *out)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *setting = &settings[i];

        gr_buf_printf(
            out, "| `%s` | %s%s |\n", setting->name,
            setting->take != NULL ? "" : "ignored, with a warning under `env`: ", setting->why);
    }
}
