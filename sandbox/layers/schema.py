"""TL text: what the schema of one API layer defines (https://core.telegram.org/mtproto/TL)."""

import re
from dataclasses import dataclass
from typing import Final

_LAYER: Final = re.compile(r"^// LAYER (\d+)$", re.MULTILINE)
_DEFINITION: Final = re.compile(
    r"^([\w.]+)#([0-9a-f]{1,8}) (?:\{\w+:Type\} )*((?:\w+:\S+ )*)= [^=]+;$", re.MULTILINE
)
_FIELD: Final = re.compile(r"(\w+):(?:(\w+)\.(\d+)\?)?(\S+)")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a constructor or method. `flags` names the field whose bit says whether it is there."""

    name: str
    kind: str
    flags: str | None
    bit: int


@dataclass(frozen=True, slots=True)
class Definition:
    """One constructor or method."""

    name: str
    id: int
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """All definitions of a layer."""

    layer: int
    definitions: tuple[Definition, ...]

    @classmethod
    def parse(cls, text: str) -> "Schema":
        """Read TL text that says `// LAYER n`. Raises ValueError when it does not, or defines nothing."""
        layer = _LAYER.search(text)
        definitions = tuple(
            Definition(name, int(hex_id, 16), tuple(map(_field, _FIELD.findall(fields))))
            for name, hex_id, fields in _DEFINITION.findall(text)
        )
        if layer is None or not definitions:
            raise ValueError("no TL schema of a known layer")
        return cls(int(layer[1]), definitions)


def _field(found: tuple[str, str, str, str]) -> Field:
    name, flags, bit, kind = found
    return Field(name, kind, flags or None, int(bit or 0))
