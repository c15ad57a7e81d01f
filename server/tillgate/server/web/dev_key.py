"""A key of one's own for tokens, for development: in a file that nobody else may read.

The rule kept: whoever can read the file can be any customer, so one that others may read is refused.
"""

import os
import stat
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import msgspec
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json

ISSUER = "urn:tillgate:development"
ALGORITHM = "EdDSA"
_OTHERS = 0o077


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    kty: str
    crv: str
    x: str
    d: str
    kid: str


def private_key(path: Path) -> dict[str, str]:
    """The key in the file, as a JWK. Raises ConfigurationError when it is none, or not only its owner's."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError(f"{path}: this is no file")
            if sys.platform != "win32" and (status.st_mode & _OTHERS or status.st_uid != os.geteuid()):
                raise ConfigurationError(f"{path}: others may use this key: chmod 600 it, and make it your own")
            stored = msgspec.json.decode(file.read(), type=_Stored)
    except OSError as error:
        raise ConfigurationError(f"{path}: the key cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{path}: this is no development key of Tillgate") from error
    return dict(msgspec.structs.asdict(stored))


def public_keys(path: Path) -> bytes:
    """The other half of the key, as a JSON Web Key Set."""
    key = {name: value for name, value in private_key(path).items() if name != "d"}
    return orjson.dumps({"keys": [key]})


def make_key(path: Path) -> None:
    """A new key in a new file that only its owner may use."""
    jwk: Mapping[str, Json] = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    kept = {name: jwk[name] for name in ("kty", "crv", "x", "d")} | {"kid": f"dev-{uuid.uuid4().hex[:8]}"}
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(os.open(path, flags, 0o600), "wb") as file:
            file.write(orjson.dumps(kept))
    except OSError as error:
        raise ConfigurationError(f"{path}: the key cannot be written: {error.strerror}") from error


def mint(path: Path, claims: Mapping[str, Any]) -> str:
    """A token with these claims."""
    jwk = private_key(path)
    try:
        key = jwt.PyJWK(jwk, ALGORITHM)
    except jwt.exceptions.PyJWTError as error:
        raise ConfigurationError(f"{path}: this is no development key of Tillgate") from error
    return jwt.encode(dict(claims), key.key, ALGORITHM, headers={"kid": jwk["kid"], "typ": "at+jwt"})
