"""State of the compilation of one definition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.jsonata_language import Jsonata
from scones_core.local.workflow.asl.jsonpath_language import JsonPath
from scones_core.local.workflow.asl.state import State

Language = JsonPath | Jsonata

_LANGUAGES: dict[str, Language] = {"JSONPath": JsonPath(), "JSONata": Jsonata()}


@dataclass
class Compiler:
    """`language` is the machine's query language; `names` are the names of all its states so far.

    compile_lines : compiles StartAt and States, for the states that have states inside
    """

    language: str
    compile_lines: "Callable[[Fields, Compiler], tuple[str, Mapping[str, State]]]"
    names: set[str] = field(default_factory=set)

    def language_of(self, fields: Fields) -> Language:
        """Return the query language of a state. AWS lets a JSONata machine have no JSONPath state."""
        name = fields.choice("QueryLanguage", self.language, ["JSONPath", "JSONata"])
        if self.language == "JSONata" and name == "JSONPath":
            raise fields.error("QueryLanguage", "must not be JSONPath in a machine whose query language is JSONata")
        return _LANGUAGES[name]
