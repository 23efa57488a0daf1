/* option_table.c - the table of options. */
#include <stddef.h>

#include "gr/cli/options.h"

#define AT(member)  offsetof(struct gr_options, member)
#define ON(command) (1U << GR_COMMAND_##command)

enum {
    ANY = (1 << (GR_COMMAND_COUNT + 1)) - 1,
    ALONE = 1 << GR_COMMAND_COUNT,
    ENGINE = ON(RUN) | ON(AUDIT),
    PLANNING = ENGINE | ON(CHECK) | ON(VALIDATE),
    SHAPING = ON(RUN) | ON(VALIDATE), /* what changes the plan's rows, not what is asked for */
    LOOKING = ON(PREVIEW) | ON(STATUS) | ON(STATE) | ON(REPORT),
    LISTING = PLANNING | ON(DISCOVER),
    LOGGING = LISTING | LOOKING | ON(INIT),
};

/* clang-format off */
const struct gr_option gr_option_rows[] = {
    {"streams",      0,   "A,B",  GR_OPTION_WORDS, AT(streams), LISTING | ON(STATUS) | ON(REPORT), NULL,
     "only these streams: names, globs, tag:X, -tag:Y"},
    {"mode",         0,   "MODE",  GR_OPTION_TEXT, AT(mode), SHAPING, NULL,
     "mode of all streams, in place of the file's"},
    {"full-refresh", 0,   "",      GR_OPTION_FLAG, AT(is_full_refresh), SHAPING, NULL,
     "the same as --mode full-refresh"},
    {"range",        0,   "FROM,TO", GR_OPTION_TEXT, AT(range), SHAPING, NULL,
     "a backfill between two dates; the bookmark stays"},
    {"limit",        0,   "N",     GR_OPTION_NUMBER, AT(limit_rows), SHAPING | ON(PREVIEW), NULL,
     "at most N rows of each stream"},
    {"threads",      0,   "N",     GR_OPTION_NUMBER, AT(threads), SHAPING | ON(AUDIT), NULL,
     "at most N requests in flight (default 16, 12 of a stream)"},
    {"max-duration", 0,   "TIME",  GR_OPTION_DURATION, AT(max_duration_ms), ENGINE, NULL,
     "stop in good order after 50m, 1h30m, 90s"},
    {"max-requests", 0,   "N",     GR_OPTION_NUMBER, AT(max_requests), ON(AUDIT), NULL,
     "at most N requests; the next audit goes on (else 2000)"},
    {"dry-run",      0,   "",      GR_OPTION_FLAG, AT(is_dry_run), ON(RUN), NULL,
     "print the plan, and what it would take; write nothing"},
    {"source",       0,   "NAME",  GR_OPTION_TEXT, AT(source), ON(INIT), NULL,
     "connection to Gorgias (else GORGIAS, else env.yaml's)"},
    {"target",       0,   "NAME",  GR_OPTION_TEXT, AT(target), ON(INIT), NULL,
     "connection to PostgreSQL (else WAREHOUSE, else env.yaml's)"},
    {"env",          0,   "K=V",   GR_OPTION_PAIR, AT(env), PLANNING | LOOKING, NULL,
     "set a variable as env: of the file does; repeatable"},
    {"columns",      0,   "",      GR_OPTION_FLAG, AT(wants_columns), ON(DISCOVER), NULL,
     "list the columns of each stream"},
    {"format",       0,   "table|json|yaml", GR_OPTION_CHOICE, AT(format), ON(DISCOVER), "table",
     "form of the list"},
    {"schemas",      0,   "DIR",   GR_OPTION_TEXT, AT(schemas), LISTING | LOOKING, NULL,
     "endpoint files that replace or add to the built-in ones"},
    {"output",       'o', "text|json", GR_OPTION_CHOICE, AT(output), PLANNING | ON(STATUS) | ON(STATE), "text",
     "form of the result on stdout"},
    {"output",       'o', "PAGE.html", GR_OPTION_TEXT, AT(page), ON(REPORT), NULL,
     "where the page goes; - for stdout"},
    {"progress",     0,   "auto|always|never", GR_OPTION_CHOICE, AT(progress), ENGINE, "auto",
     "live display; auto: if stderr is a terminal"},
    {"metrics-file", 0,   "PATH",  GR_OPTION_TEXT, AT(metrics_file), ENGINE, NULL,
     "write metrics for Prometheus' textfile collector"},
    {"log-level",    0,   "error|warn|info|debug", GR_OPTION_CHOICE, AT(log_level), LOGGING, "info",
     "what is logged to stderr"},
    {"log-format",   0,   "text|json", GR_OPTION_CHOICE, AT(log_format), LOGGING, "text",
     "form of the log"},
    {"discover",     0,   "",      GR_OPTION_FLAG, AT(wants_discover), ALONE | ON(DISCOVER), NULL,
     "the same as the command discover"},
    {"help",         'h', "",      GR_OPTION_FLAG, AT(wants_help), ANY, NULL,
     "print this help"},
    {"version",      'V', "",      GR_OPTION_FLAG, AT(wants_version), ANY, NULL,
     "print the version"},
};
const size_t gr_option_row_count = sizeof(gr_option_rows) / sizeof(gr_option_rows[0]);
/* clang-format on */

unsigned
gr_command_bit(const struct gr_command *command)
{
    return command == NULL ? ALONE : 1U << (command - gr_commands);
}
