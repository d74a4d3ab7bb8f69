"""Writes the TL text of the layer that a Python client speaks, as its generated classes define it.

`python schema.py telethon`, or `pyrogram`, where that version of it is the first on the path.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Final

#: What Telethon's reader calls the plain kinds; dates are ints, and all else is an object.
_READS: Final = {
    "read_int": "int",
    "read_long": "long",
    "read_double": "double",
    "read_large_int(bits=128)": "int128",
    "read_large_int(bits=256)": "int256",
    "tgread_string": "string",
    "tgread_bytes": "bytes",
    "tgread_bool": "Bool",
    "tgread_date": "int",
}
#: A line of Telethon's `from_reader`: flags, a field of them alone, the bit of the next field, or a field.
_LINE: Final = re.compile(
    r"(?P<flags>flags2?) = reader\.read_int\(\)|_(?P<true>\w+) = bool\((?P<of>\w+) & (?P<mask>\d+)\)"
    r"|if (?P<if_of>\w+) & (?P<if_mask>\d+):|(?P<else>else):"
    r"|_(?P<list>\w+) = \[\]|_(?P<name>\w+) = reader\.(?P<read>read_large_int\(bits=\d+\)|\w+)"
)
#: Names that Python or Telethon's own style keeps from its fields.
_NAMES: Final = {"is_self": "self", "from_": "from"}


def telethon() -> Iterator[str]:
    """Each class in the order in which its reader reads."""
    known = importlib.import_module("telethon.tl.alltlobjects")
    for made in known.tlobjects.values():
        parts = made.__module__.split(".")
        name = made.__name__.removesuffix("Request") if parts[2] == "functions" else made.__name__
        name = ".".join([*parts[3:], name[0].lower() + name[1:]])
        fields = " ".join(_fields(inspect.getsource(made.from_reader)))
        yield f"{name}#{made.CONSTRUCTOR_ID:x} {fields}{' ' if fields else ''}= T{made.SUBCLASS_OF_ID:x};"
    yield f"// LAYER {known.LAYER}"


def _fields(source: str) -> Iterator[str]:
    where, vector = "", ""
    for line in map(str.strip, source.splitlines()):
        found = _LINE.match(line)
        if found is None:
            continue
        if found["flags"]:
            yield f"{found['flags']}:#"
        elif found["true"]:
            yield f"{_named(found['true'])}:{_bit(found['of'], found['mask'])}true"
        elif found["if_of"]:
            where = _bit(found["if_of"], found["if_mask"])
        elif found["else"]:
            where = ""
        elif found["list"]:
            vector = found["list"]
        elif vector:
            yield f"{_named(vector)}:{where}Vector<{_READS.get(found['read'], 'Object')}>"
            vector = ""
        elif found["name"]:
            yield f"{_named(found['name'])}:{where}{_READS.get(found['read'], 'Object')}"


def _bit(flags: str, mask: str) -> str:
    return f"{flags}.{int(mask).bit_length() - 1}?"


def _named(name: str) -> str:
    return _NAMES.get(name, name)


def pyrogram() -> Iterator[str]:
    """Each class in the order in which it is read; beside its fields stands what kind they are of."""
    known = importlib.import_module("pyrogram.raw.all")
    for number, made in known.objects.items():
        if made.__module__.startswith("pyrogram.raw.core"):
            continue  # what the library reads by itself: containers, and plain kinds
        names = made.QUALNAME.split(".")[1:]
        name = ".".join([*names[:-1], names[-1][0].lower() + names[-1][1:]])
        kinds = dict(re.findall(r"self\.(\w+) = \w+  # (\S+)", inspect.getsource(made.__init__)))
        read = re.findall(r"^ {8}(\w+) = ", inspect.getsource(made.read), re.MULTILINE)
        fields = "".join(f"{_named(field)}:{kinds.get(field, '#')} " for field in read)
        yield f"{name}#{number:x} {fields}= {_result(made.__doc__)};"
    yield f"// LAYER {known.layer}"


def _result(documentation: str) -> str:
    """What a constructor makes, or a method answers, as the documentation of its class has it."""
    found = re.search(
        r"(?:Constructor of|Returns:)\s+(List of )?.*?pyrogram\.raw\.base\.([\w.]+)", documentation
    )
    if found is None:
        return "Bool"
    return f"Vector<{found[2]}>" if found[1] else found[2]


if __name__ == "__main__":
    sys.stdout.write("\n".join({"telethon": telethon, "pyrogram": pyrogram}[sys.argv[1]]()) + "\n")
