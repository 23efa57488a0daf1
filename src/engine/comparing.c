/*
 * comparing.c - the end of an audit's list: what the list did not bring is asked for, then table
 * and list are compared and made equal in one transaction.
 */
#include "gr/engine/engine.h"

/* Each of the stream's rows has one id, by which it can be found and asked for. */
static bool
has_ids(const struct gr_stream *stream)
{
    return stream->plan->schema->shape == GR_SHAPE_LIST && stream->plan->key_count == 1 &&
           stream->plan->columns[0].type == GR_TYPE_BIGINT;
}

/* Children have no path of their own: their parents are asked instead, where they are known. */
static bool
asks_parents(const struct gr_stream *stream)
{
    return stream->plan->schema->ask == GR_ASK_PARENT && !stream->finishing.is_second_scan &&
           gr_auditing_can_ask(stream);
}

/* More questions than so many cost more than a second reading. */
static int64_t
most_questions(const struct gr_stream *stream)
{
    if (asks_parents(stream))
        return stream->walk.scan.pages;
    return stream->plan->schema->ask == GR_ASK_PARENT ? 0 : GR_CONFIRM_MAX;
}

/* What is known to be missing after a second scan needs no asking. */
bool
gr_comparing_confirms(const struct gr_stream *stream)
{
    return !asks_parents(stream) && !stream->finishing.is_second_scan;
}

size_t
gr_comparing_missing(struct gr_stream *stream, struct gr_script *script)
{
    struct gr_audit audit = gr_auditing_claim(stream);
    int64_t most = stream->finishing.is_second_scan ? INT64_MAX : most_questions(stream) + 1;

    if (stream->has_refused || !has_ids(stream))
        return 0;
    return asks_parents(stream) ? gr_audit_parents(script, &audit, most)
                                : gr_commit_scan_missing(script, &stream->table, most);
}

bool
gr_comparing_scans_again(const struct gr_stream *stream, size_t missing)
{
    return !stream->finishing.is_second_scan &&
           gr_audit_rereads((int64_t)missing, most_questions(stream));
}

bool
gr_comparing_cuts_short(struct gr_stream *stream)
{
    struct gr_finishing *finishing = &stream->finishing;

    if (!gr_stream_is_audit(stream))
        return false;
    finishing->next = finishing->answered = finishing->missing_count;
    stream->auditing.is_cut = true;
    return true;
}

void
gr_comparing_finish(struct gr_stream *stream, struct gr_script *script)
{
    struct gr_audit audit = gr_auditing_claim(stream);
    struct gr_finishing *finishing = &stream->finishing;
    bool replaces = !has_ids(stream) && !stream->has_refused;
    /* A second scan has asked for all of them. */
    bool is_agreed = finishing->is_second_scan;
    const int64_t *gone = is_agreed ? finishing->missing : finishing->gone;
    size_t gone_count = is_agreed ? finishing->missing_count : finishing->gone_count;

    gr_audit_record_list(script, &audit, replaces, gone, gone_count);
    stream->count_step = gr_commit_scan_finish(
        script, &stream->table, replaces ? GR_FINISH_DIFFERENCE : GR_FINISH_MERGE, NULL, 0,
        stream->parent_table, stream->feeds, stream->feed_count);
    stream->has_gone = gone_count > 0;
    if (stream->has_gone)
        stream->gone_step =
            gr_commit_gone(script, &stream->table, gone, gone_count, gr_stream_child(stream),
                           stream->feeds, stream->feed_count);
}

void
gr_comparing_committed(struct gr_stream *stream, const struct gr_script *script)
{
    struct gr_finishing *finishing = &stream->finishing;

    if (stream->has_gone)
        gr_stream_count(stream, script, stream->gone_step);
    stream->has_gone = false;
    stream->auditing.is_listed = true;
    gr_auditing_ask(stream, finishing->missing,
                    asks_parents(stream) ? finishing->missing_count : 0);
}
