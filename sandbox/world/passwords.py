"""The second factor of a login: the data centre checks a password without ever being told it (SRP).

https://core.telegram.org/api/srp
"""

import hmac
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import pbkdf2_hmac, sha256
from typing import Final

from sandbox.mtproto.handshake import DH_PRIME

#: The prime of the key exchange serves here, too: clients know it.
P: Final = DH_PRIME
G: Final = 3
_ROUNDS: Final = 100_000
_SIZE_BYTES: Final = 256
#: Questions that wait for their answer; the oldest goes first.
_KEPT_CHALLENGES: Final = 1024


def number(value: int) -> bytes:
    """A number as SRP hashes and sends it."""
    return value.to_bytes(_SIZE_BYTES, "big")


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def _salted(data: bytes, salt: bytes) -> bytes:
    return _hash(salt, data, salt)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is kept of a password: g to the power of its digest, and the salts of that."""

    salt1: bytes
    salt2: bytes
    value: bytes

    @classmethod
    def of(cls, password: str) -> "Verifier":
        """A tenth of a second of work, as intended."""
        salt1, salt2 = os.urandom(40), os.urandom(16)
        inner = _salted(_salted(password.encode(), salt1), salt2)
        slow = pbkdf2_hmac("sha512", inner, salt1, _ROUNDS)
        digest = int.from_bytes(_salted(slow, salt2), "big")
        return cls(salt1, salt2, number(pow(G, digest, P)))


@dataclass(frozen=True, slots=True)
class Challenge:
    """One question to one login. `b_public` is what the client is sent as srp_B."""

    verifier: Verifier
    secret: int
    b_public: bytes

    @classmethod
    def of(cls, verifier: Verifier) -> "Challenge":
        secret = secrets.randbits(2048)
        k = int.from_bytes(_hash(number(P), number(G)), "big")
        public = (k * int.from_bytes(verifier.value, "big") + pow(G, secret, P)) % P
        return cls(verifier, secret, number(public))

    def is_met_by(self, a_public: bytes, proof: bytes) -> bool:
        """Whether a client's srp A and M1 prove that it knows the password."""
        a = int.from_bytes(a_public, "big")
        if not 0 < a < P:
            return False
        u = int.from_bytes(_hash(number(a), self.b_public), "big")
        verifier = int.from_bytes(self.verifier.value, "big")
        shared = pow(a * pow(verifier, u, P), self.secret, P)
        both = bytes(x ^ y for x, y in zip(_hash(number(P)), _hash(number(G)), strict=True))
        salts = _hash(self.verifier.salt1), _hash(self.verifier.salt2)
        expected = _hash(both, *salts, number(a), self.b_public, _hash(number(shared)))
        return hmac.compare_digest(expected, proof)


class Challenges:
    """The questions that were asked, each good for one answer."""

    def __init__(self) -> None:
        self._asked: OrderedDict[int, Challenge] = OrderedDict()

    def ask(self, verifier: Verifier) -> tuple[int, Challenge]:
        """A new question and its srp_id."""
        srp_id = secrets.randbits(63)
        challenge = self._asked[srp_id] = Challenge.of(verifier)
        while len(self._asked) > _KEPT_CHALLENGES:
            self._asked.popitem(last=False)
        return srp_id, challenge

    def take(self, srp_id: int) -> Challenge | None:
        """The question with this id; it is not asked again."""
        return self._asked.pop(srp_id, None)
