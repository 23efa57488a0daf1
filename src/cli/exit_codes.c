/* exit_codes.c - the table of exit codes. */
#include "gr/cli/exit_codes.h"

/* clang-format off */
const struct gr_exit_code gr_exit_codes[] = {
    {0, GR_EXIT_FINE,
     "everything asked for was done",
     "Nothing."},
    {1, GR_EXIT_AGAIN,
     "streams failed, each named on stderr, the others are committed; or an audit found gaps",
     "The same command again, at most twice, ten minutes apart: a stream goes on where it failed. Then "
     "tell somebody; the log names streams and reasons. After an audit, tell somebody at once: what "
     "was missing is repaired, the reason is not known."},
    {2, GR_EXIT_PERSON,
     "the command line, the replication file or a connection is wrong: nothing was asked or "
     "written",
     "Tell somebody, and do not repeat: it stays wrong until a file is changed."},
    {3, GR_EXIT_AGAIN,
     "the source refused the credentials, or cannot be reached at all",
     "As for 1. The fault in the log says which: `auth` needs a new key, `unreachable` may pass."},
    {4, GR_EXIT_AGAIN,
     "the warehouse cannot be reached, or refuses (login, privileges)",
     "As for 1: a warehouse that is restarted or moved comes back."},
    {5, GR_EXIT_FINE,
     "another run of the same replication holds the lock",
     "Nothing: the other run does the work. Where it comes several times in a row, the interval is too "
     "short, or --max-duration is missing."},
    {6, GR_EXIT_FINE,
     "stopped in good order (SIGTERM, SIGINT, --max-duration), or an audit could not check all",
     "Nothing: the next run goes on from there. Where it comes every time, give it more time."},
};
/* clang-format on */

const size_t gr_exit_code_count = sizeof(gr_exit_codes) / sizeof(gr_exit_codes[0]);

void
gr_exit_codes_put(struct gr_buf *out)
{
    static const char *const verdicts[GR_EXIT_VERDICTS] = {
        [GR_EXIT_FINE] = "no failure",
        [GR_EXIT_AGAIN] = "failure, repeat",
        [GR_EXIT_PERSON] = "failure, do not repeat",
    };

    gr_buf_puts(out,
                "| exit | it says | verdict | what a scheduler should do |\n|---|---|---|---|\n");
    for (size_t i = 0; i < gr_exit_code_count; i++)
        gr_buf_printf(out, "| %d | %s | %s | %s |\n", gr_exit_codes[i].code,
                      gr_exit_codes[i].meaning, verdicts[gr_exit_codes[i].verdict],
                      gr_exit_codes[i].scheduler);
}
