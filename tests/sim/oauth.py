"""The OAuth2 token endpoint, and the credentials of API requests."""

import base64
import hmac
import json
from secrets import token_urlsafe
from urllib.parse import parse_qs

import clock
from reply import Reply


class Doorkeeper:
    def __init__(self, clock, settings):
        self.clock, self.settings = clock, settings
        self.access = {}                       # access token -> when it expires
        self.refresh = {settings.refresh_token}
        settings.listeners.append(self._changed)

    def _changed(self, given):
        if "refresh_token" in given:
            self.refresh = {given["refresh_token"]}

    def grant(self, life=None):
        token = token_urlsafe(24)
        self.access[token] = self.clock.now() + clock.duration(life or self.settings.token_life)
        return token

    def admit(self, headers):
        """'key' or 'oauth' for a request with good credentials, else None."""
        if self.settings.auth == "off":
            return "key"
        scheme, _, value = headers.get("authorization", "").partition(" ")
        value = value.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(value, validate=True)
            except ValueError:
                return None
            wanted = f"{self.settings.user}:{self.settings.key}".encode()
            return "key" if hmac.compare_digest(given, wanted) else None
        if scheme.lower() == "bearer":
            return "oauth" if self.access.get(value, 0) > self.clock.now() else None
        return None

    def token(self, request):
        """POST /oauth/token. The client's credentials may come in the form, in JSON or as HTTP Basic: which, is not documented."""
        if request.method != "POST":
            return Reply.json(request.target, {"error": "invalid_request"}, 405)
        try:
            if "json" in request.headers.get("content-type", ""):
                form = {name: str(value) for name, value in json.loads(request.body).items()}
            else:
                form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        except (ValueError, AttributeError):
            return Reply.json(request.target, {"error": "invalid_request"}, 400)
        client = (form.get("client_id"), form.get("client_secret"))
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client = tuple(base64.b64decode(value, validate=True).decode().split(":", 1))
            except ValueError:
                client = None
        if client != (self.settings.client_id, self.settings.client_secret):
            return Reply.json(request.target, {"error": "invalid_client"}, 401)
        if form.get("grant_type") != "refresh_token":
            return Reply.json(request.target, {"error": "unsupported_grant_type"}, 400)
        old = form.get("refresh_token")
        if old not in self.refresh:
            return Reply.json(request.target, {"error": "invalid_grant"}, 400)
        new = old
        if self.settings.rotate:
            self.refresh.discard(old)
            new = token_urlsafe(24)
            self.refresh.add(new)
        answer = {"access_token": self.grant(), "token_type": "Bearer", "expires_in": clock.duration(self.settings.token_life) // clock.SECOND,
                  "refresh_token": new, "scope": "openid offline tickets:read customers:read"}
        if self.settings.expires_in == "none":
            del answer["expires_in"]
        elif self.settings.expires_in:
            answer["expires_in"] = json.loads(self.settings.expires_in)
        return Reply.json(request.target, answer)
