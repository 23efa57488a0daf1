/* preview.c - the command that prints rows as they would be stored. */
#include "gr/engine/preview.h"

#include "gr/cli/command.h"
#include "gr/cli/frame.h"
#include "gr/cli/output.h"

enum { ROWS_DEFAULT = 10 };

static bool
print(void *context, const struct gr_buf *lines, struct gr_error *err)
{
    (void)context;
    return gr_output_write(lines, err);
}

static bool
preview(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    struct gr_plan one;

    (void)out;
    return gr_frame_one(frame, "A preview shows one stream: write its whole name.", &one, err) &&
           gr_preview(&one, &one.streams[0], print, NULL, err);
}

int
gr_command_preview(const struct gr_options *options)
{
    struct gr_options own = *options;

    own.streams = options->words[0];
    if (own.limit_rows == 0)
        own.limit_rows = ROWS_DEFAULT;
    return gr_frame_on_plan(&own, preview);
}
