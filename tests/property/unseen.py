"""What no run can see, and what therefore does not happen in a history. Everything else does: differences are never overlooked, these
changes are not made. Each with the reason, and with an answer to the question whether the program could see it cheaply."""

# What a history never does -> why, and what it would cost to see it.
UNSEEN = {
    "a message is edited, its ticket's updated_datetime stays, and no event says so":
        "nothing moves. To see it, every message would have to be read again: one request for each hundred messages that exist.",
    "a survey older than its lookback of 90 days is scored without an event":
        "the list is read down to 90 days. Reading it whole is one request for a hundred surveys: --full-refresh does that.",
    "a message is deleted, and its ticket's messages_count changes while its updated_datetime stays":
        "the message is seen by its event; its ticket is a case of the next kind. tests/integration/test_claims.py has the message alone.",
    "a ticket or customer changes, its updated_datetime stays, though an event says that it changed":
        "events of changes are not asked about, only those of deletions and merges. For tickets it could be had cheaply (ticket_ids= takes a"
        " hundred a request, so about one request more for a hundred changed tickets); for customers it is one request each. Not done:"
        " it is unknown whether such changes exist, and the event would bring each change twice.",
    "a message appears with a creation date below the lookback, and its ticket's updated_datetime stays":
        "the event ticket-message-created names the message, but no message can be asked for without its ticket's id, which the event does"
        " not tell. The ticket's next change brings it.",
    "a row of an incremental stream vanishes without an event":
        "a list of what has changed cannot show what is gone. audit finds it.",
    "the updated_datetime of a row goes back":
        "it is the row's version: an older one never replaces a newer one, but by a full refresh, and where the newer one lay in the future.",
    "a version is dated further back than the lookback of five minutes":
        "it lands in what is covered. The lookback is a setting, and each minute of it costs the rows of that minute in every run.",
    "a page is cut short and says that it is the last (the fault early-end)":
        "it is the form that the end of the data has.",
    "where the API lists the messages of deleted tickets on: a run of a part of the streams or rows, or a full refresh":
        "such a message is told from others by its ticket's row, which is marked. A ticket that is deleted before its row came, or whose row a"
        " full refresh has removed, has none; the event is asked about once, when the messages may not be there yet.",
    "a merge event names the winner, its data does not name the loser, and neither a message nor a ticket has left the loser":
        "nothing points at it. audit finds it. (tests/integration/test_merges.py has the hints one by one.)",
}

# The changes of the simulator that a history makes besides those that random_changes draws: kind -> arguments. An event or a ticket's
# updated_datetime tells of each of them.
SEEN = (
    ("message_update", {"touch": False}), ("message_delete", {"soft": True}), ("message_delete", {"soft": True, "touch": False}),
    ("message_fail", {"touch": False}), ("message_sent", {"touch": False, "event": True}), ("ticket_import", {"messages": 0}), ("ticket_create", {"messages": 0}),
    ("customer_merge", {}), ("customer_delete", {}), ("ticket_merge", {}), ("ticket_delete", {}), ("survey_score", {}),
    ("tag_merge", {}), ("tag_delete", {"soft": True}), ("user_delete", {}), ("macro_delete", {}), ("field_create", {}), ("macro_archive", {}),
    ("field_archive", {}), ("integration_deactivate", {}), ("account_update", {}), ("clear", {"stream": "rules"}),
)
