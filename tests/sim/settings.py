"""What can be switched while the simulator runs. The command line and POST /_sim/settings set the same names."""

import json

import clock
from bucket import Bucket

# name -> (default, help)
SETTINGS = {
    "user": ("sim@example.com", "e-mail of HTTP Basic authentication"),
    "key": ("sim-key", "API key of HTTP Basic authentication"),
    "auth": ("on", "off: every request is let in"),
    "client_id": ("sim-client", "OAuth2 client id"),
    "client_secret": ("sim-secret", "OAuth2 client secret"),
    "refresh_token": ("sim-refresh", "the first OAuth2 refresh token"),
    "token_life": ("24h", "life of an access token, on the simulator's clock"),
    "expires_in": ("", "what the token endpoint says of that life, as JSON; empty: the truth; none: nothing"),
    "rotate": (True, "a refresh token works once, and its answer brings the next"),
    "rate": ("40/20s", "the leaky bucket of API-key requests, or off"),
    "oauth_rate": ("80/20s", "the leaky bucket of OAuth2 requests, or off"),
    "other_client": (0.0, "requests a second that another client takes from the bucket"),
    "eat": (0, "requests that another client takes from the bucket at once"),
    "body_429": ("json", "body of a 429: json, html, empty"),
    "latency": ("0", "time before each answer, or LEAST-MOST: 50ms-300ms"),
    "cursor_ttl": ("1h", "life of a cursor, on the simulator's clock"),
    "cursor_params": ("strict", "ignore: a cursor works with other parameters than it was minted with"),
    "bare_array": (False, "surveys, users, teams, rules, views come whole, as a bare array"),
    "orphans": (False, "messages of deleted tickets stay listed"),
    "unknown_ticket_messages": ("empty", "404: /api/messages?ticket_id= of an unknown ticket is not found"),
    "merged_ticket": ("404", "what GET of a merged ticket answers: 404 or 301"),
    "merge_event": ("loser", "whom a merge event names: loser or winner"),
    "merge_data": (False, "the data of a merge event names the other side"),
    "keepalive_max": (0, "requests after which a connection is closed; 0: never"),
    "forbid": ("", "comma-separated paths (fnmatch) that answer 403"),
}
CHOICES = {"auth": ("on", "off"), "body_429": ("json", "html", "empty"), "cursor_params": ("strict", "ignore"),
           "unknown_ticket_messages": ("empty", "404"), "merged_ticket": ("404", "301"), "merge_event": ("loser", "winner")}


class Settings:
    def __init__(self):
        for name, (default, _) in SETTINGS.items():
            setattr(self, name, default)
        self.listeners = []

    def update(self, given):
        """All or nothing; ValueError names what is wrong."""
        for name, value in given.items():
            if name not in SETTINGS:
                raise ValueError(f"no such setting: {name}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name}: one of {', '.join(CHOICES[name])}")
            if name in ("rate", "oauth_rate"):
                Bucket.parse(value)
            elif name == "expires_in" and value not in ("", "none"):
                json.loads(value)
            elif name in ("token_life", "cursor_ttl"):
                clock.duration(value)
            elif name == "latency":
                span(value)
            elif isinstance(SETTINGS[name][0], bool) and not isinstance(value, bool):
                raise ValueError(f"{name}: true or false")
            elif isinstance(SETTINGS[name][0], (int, float)) and not isinstance(SETTINGS[name][0], bool) and not isinstance(value, (int, float)):
                raise ValueError(f"{name}: a number")
        for name, value in given.items():
            setattr(self, name, value)
        for listener in self.listeners:
            listener(given)

    def public(self):
        """Without the secrets."""
        return {name: getattr(self, name) for name in SETTINGS if name not in ("key", "client_secret", "refresh_token")}


def span(text):
    """'50ms-300ms' or '250ms' as two numbers of seconds."""
    least, _, most = str(text).partition("-")
    low = clock.duration(least)
    return low / clock.SECOND, (clock.duration(most) if most else low) / clock.SECOND
