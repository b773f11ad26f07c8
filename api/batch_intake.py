"""The lines of a batch as they come in: each is checked as `POST /jobs` checks a request, and added to the draft."""

import hashlib
import time
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from werkzeug.exceptions import BadRequest

from api.admission import admit
from api.json_body import parse_json
from api.problems import MAX_FIELDS
from api.services import Services
from riffusion.errors import FieldError, InvalidRequest, UnknownReference
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.batch_draft import BatchLine, Draft
from riffusion.jobs.tenants import Tenant
from riffusion.requests import parse

MAX_LINES = 10_000
_LINES_AT_ONCE = 100  # added to the draft
_BYTES_AT_ONCE = 256 << 10

OwnId = Annotated[str, Field(min_length=1, max_length=128)]
_OWN_ID: TypeAdapter[str] = TypeAdapter(OwnId)


class BatchIntake:
    """Takes the lines of one batch, whose requests are all for one model."""

    def __init__(self, draft: Draft, tenant: Tenant, here: Services) -> None:
        self._draft = draft
        self._tenant = tenant
        self._here = here
        self._count = 0
        self._bytes = 0  # of the lines that aren't added yet
        self._digest = hashlib.sha256()
        self._own_ids: set[str] = set()
        self._model: str | None = None
        self._lines: list[BatchLine] = []
        self._entries: list[dict[str, Any]] = []
        self._errors: list[FieldError] = []

    def take(self, line: bytes) -> None:
        """Takes the next line.

        Raises:
            InvalidRequest: there are too many lines, or too many that can't be accepted.
            UnknownReference, TooManyRequests, Blocked, StoreUnavailable: see `Draft.add`.
        """
        self._count += 1
        if self._count > MAX_LINES:
            raise InvalidRequest([{"field": "lines", "message": f"must be {MAX_LINES} at most"}])
        self._digest.update(line + b"\n")
        if self._draft.known:
            return
        try:
            self._check(line)
        except InvalidRequest as error:
            self._refuse(error.fields)
        except UnknownReference as error:
            self._refuse([{"field": error.field or self._field, "message": str(error)}])
        except BadRequest as error:
            self._refuse([{"field": self._field, "message": error.description or str(error)}])
        self._bytes += len(line)
        if len(self._lines) >= _LINES_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self._add()
        time.sleep(0)  # other requests of this process go on

    def end(self) -> str:
        """Adds the last lines.

        Returns:
            A digest of all lines.

        Raises:
            InvalidRequest: there is no line, or some can't be accepted: the invalid fields, by line.
        """
        if self._errors:
            raise InvalidRequest(self._errors)
        if self._count == 0:
            raise InvalidRequest([{"field": "lines", "message": "must be at least one request"}])
        self._add()
        return self._digest.hexdigest()

    @property
    def _field(self) -> str:
        return f"lines.{self._count}"

    def _check(self, line: bytes) -> None:
        body = parse_json(line)
        if not isinstance(body, dict):
            raise InvalidRequest([{"field": self._field, "message": "must be a JSON object"}])
        own_id = self._own_id(body.pop("id", None))
        try:
            request = parse(body)
        except InvalidRequest as error:
            raise InvalidRequest(
                [
                    {"field": f"{self._field}.{each['field']}".rstrip("."), "message": each["message"]}
                    for each in error.fields
                ]
            ) from None
        submission = Submission(request, self._tenant, prefix=f"{self._field}.")
        model = request.model or self._here.settings.model
        if model != (self._model or model):
            message = f"must be {self._model}, as on the lines before: a batch is for one model"
            raise InvalidRequest([{"field": f"{self._field}.model", "message": message}])
        self._model = model
        admit(submission, self._here)
        checked = BatchLine(own_id, submission, self._draft.resolve(submission))
        self._entries.append(self._draft.entry(checked))
        self._lines.append(checked)

    def _own_id(self, value: Any) -> str:
        if value is None:
            return ""
        field = f"{self._field}.id"
        try:
            own_id = _OWN_ID.validate_python(value, strict=True)
        except ValidationError:
            raise InvalidRequest([{"field": field, "message": "must be a text of 1 to 128 characters"}]) from None
        if own_id in self._own_ids:
            raise InvalidRequest([{"field": field, "message": "is that of an earlier line"}])
        self._own_ids.add(own_id)
        return own_id

    def _refuse(self, fields: list[FieldError]) -> None:
        self._errors += fields
        if len(self._errors) >= MAX_FIELDS:
            raise InvalidRequest(self._errors)

    def _add(self) -> None:
        if self._lines and not self._errors:
            self._draft.add(self._lines, self._entries)
        self._lines, self._entries, self._bytes = [], [], 0
