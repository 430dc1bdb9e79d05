"""Data-capture records in the form that endpoints write, and not a field more: decoded in a quarter of the time.

Anything else goes through the models of `domain.capture`, which say why a record is refused.
"""

from typing import Annotated

import msgspec


class UsualPart(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    pass


class UsualOutput(UsualPart):
    data: str
    encoding: str = ""
    observed_content_type: str | None = None
    mode: str = ""


class UsualInput(UsualPart):
    data: bytes  # decoded from BASE64
    encoding: str
    observed_content_type: str | None = None
    mode: str = ""


class UsualData(UsualPart):
    endpoint_input: UsualInput
    endpoint_output: UsualOutput


class UsualMetadata(UsualPart):
    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    inference_time: str
    inference_id: str | None = None
    custom_attributes: list[str] | None = None


class UsualRecord(UsualPart):
    capture_data: UsualData
    event_metadata: UsualMetadata
    event_version: str = ""


_USUAL = msgspec.json.Decoder(UsualRecord)


def usual_record(line: str | bytes) -> UsualRecord | None:
    """None for any other form, and for whatever may have to be refused, such as a NUL."""
    if r"\u0000" in line if isinstance(line, str) else rb"\u0000" in line:  # JSON writes a NUL in no other way
        return None
    try:
        found = _USUAL.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return found if found.capture_data.endpoint_input.encoding.upper() == "BASE64" else None
