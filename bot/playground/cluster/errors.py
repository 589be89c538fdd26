"""The answers of an API server that refuse something: code, reason, sentence and details as the real ones."""

from typing import Any

Document = dict[str, Any]


class ApiError(Exception):
    """A refusal; `status()` is what goes over the wire.

    Attributes:
        code: HTTP status.
        reason: the machine-readable word, `Conflict` for instance.
        headers: extra headers of the answer.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Document | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}

    def status(self) -> Document:
        """Return the `Status` document."""
        document: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            document["details"] = self.details
        return document


def _details(group: str, plural: str, name: str, causes: list[Document] | None = None) -> Document:
    details: Document = {"name": name, "kind": plural}
    if group:
        details["group"] = group
    if causes:
        details["causes"] = causes
    return details


def _qualified(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def not_found(group: str, plural: str, name: str) -> ApiError:
    return ApiError(
        404,
        "NotFound",
        f'{_qualified(group, plural)} "{name}" not found',
        details=_details(group, plural, name),
    )


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(group: str, plural: str, name: str) -> ApiError:
    return ApiError(
        409,
        "AlreadyExists",
        f'{_qualified(group, plural)} "{name}" already exists',
        details=_details(group, plural, name),
    )


def conflict(group: str, plural: str, name: str, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {_qualified(group, plural)} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(group, plural, name))


def modified(group: str, plural: str, name: str) -> ApiError:
    """The stored object is newer than the one the request was made from."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(group, plural, name, why)


def uid_differs(group: str, plural: str, name: str, wanted: str, found: str) -> ApiError:
    why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    return conflict(group, plural, name, why)


def uid_without_object(group: str, plural: str, name: str, wanted: str) -> ApiError:
    why = f"uid mismatch: the provided object specified uid {wanted}, and no existing object was found"
    return conflict(group, plural, name, why)


def apply_conflict(conflicts: list[tuple[str, str]]) -> ApiError:
    """Server-side apply met fields of others.

    Args:
        conflicts: manager as the message names it (`"kubectl" using apps/v1`), and field path.
    """
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": field}
        for manager, field in conflicts
    ]
    count = len(conflicts)
    managers = list(dict.fromkeys(manager for manager, _ in conflicts))
    if count == 1:
        text = f"Apply failed with 1 conflict: conflict with {conflicts[0][0]}: {conflicts[0][1]}"
    else:
        parts = [
            "\n- ".join(
                [f"conflicts with {manager}:", *(field for who, field in conflicts if who == manager)]
            )
            for manager in managers
        ]
        text = f"Apply failed with {count} conflicts: " + "\n".join(parts)
    return ApiError(409, "Conflict", text, details={"causes": causes})


def invalid(group: str, kind: str, name: str, faults: list[tuple[str, str, str]]) -> ApiError:
    """The object does not hold together.

    Args:
        group: API group of the kind.
        kind: the kind, `Deployment`.
        name: the object's name.
        faults: field path, cause reason (`FieldValueInvalid`), and sentence, each.
    """
    causes = [{"reason": reason, "message": message, "field": field} for field, reason, message in faults]
    sentences = [f"{field}: {message}" for field, _, message in faults]
    what = sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"
    return ApiError(
        422,
        "Invalid",
        f'{_qualified(group, kind) if group else kind} "{name}" is invalid: {what}',
        details=_details(group, kind, name, causes),
    )


def forbidden(group: str, plural: str, name: str, why: str) -> ApiError:
    named = f'{_qualified(group, plural)} "{name}"' if name else _qualified(group, plural)
    return ApiError(403, "Forbidden", f"{named} is forbidden: {why}", details=_details(group, plural, name))


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(oldest: int, asked: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def unsupported_media_type(given: str) -> ApiError:
    message = (
        f"the body of the request was in an unknown format - accepted media types include: "
        f"application/merge-patch+json, application/strategic-merge-patch+json, "
        f"application/apply-patch+yaml (was {given})"
    )
    return ApiError(415, "UnsupportedMediaType", message)
