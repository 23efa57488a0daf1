/* audit.c - the command that proves the copy complete. */
#include "gr/cli/audit_view.h"
#include "gr/cli/command.h"
#include "gr/cli/frame.h"

enum { REQUESTS_DEFAULT = 2000 };

int
gr_command_audit(const struct gr_options *options)
{
    static const struct gr_frame_views views = {.put = gr_audit_view_put,
                                                .put_json = gr_audit_view_put_json};
    struct gr_options own = *options;

    if (own.max_requests == 0)
        own.max_requests = REQUESTS_DEFAULT;
    return gr_frame_engine(&own, &views);
}
