"""Tokens of a real provider: who is let in, who is not, and what is fetched for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator

import pytest
from joserfc.jwk import RSAKey

from gateway.access import Role
from gateway.identity import Identity
from gateway.oidc import provider as provider_module
from gateway.oidc.provider import FRESH, PAUSE, Provider, sound
from gateway.oidc.tokens import LEEWAY, Rules, identified
from gateway.refusals import IdentityUnavailable, NotAuthenticated
from gateway.settings import BadSettings, Settings
from tests.gateway.provider import AUDIENCE, DISCOVERY, IdentityProvider, identity_provider
from tests.gateway.running import Answer, Gateway, make_home, running


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made


def believed(idp: IdentityProvider, token: str, keys: Provider | None = None, **more: str) -> str:
    """The member that a token names."""
    rules = Rules(AUDIENCE, **more)  # type: ignore[arg-type]
    return identified(token, keys or Provider(idp.issuer, 86_400), rules).member


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(idp: IdentityProvider) -> str:
    header = {"alg": "none", "kid": idp.keys[0].kid}
    return f"{encoded(header)}.{encoded(idp.claims('analyst'))}."


def confused(idp: IdentityProvider) -> str:
    """Signed by HMAC with the public key as the secret."""
    head = encoded({"alg": "HS256", "kid": idp.keys[0].kid})
    signed = f"{head}.{encoded(idp.claims('analyst'))}"
    secret = idp.keys[0].as_pem(private=False)
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def with_key_of_its_own(idp: IdentityProvider, name: str) -> str:
    other = RSAKey.generate_key(2048, {"kid": idp.keys[0].kid})
    told = other.as_dict(private=False) if name == "jwk" else f"{idp.issuer}/evil"
    kept, idp.keys = idp.keys, [other]
    try:
        return idp.token("analyst", {name: told})
    finally:
        idp.keys = kept


def tampered(idp: IdentityProvider) -> str:
    head, _, signature = idp.token("analyst").split(".")
    return f"{head}.{encoded(idp.claims('root'))}.{signature}"


now = int(time.time())
BAD: dict[str, Callable[[IdentityProvider], str]] = {
    "no algorithm": unsigned,
    "the public key as a secret": confused,
    "a key in its header": lambda idp: with_key_of_its_own(idp, "jwk"),
    "keys elsewhere": lambda idp: with_key_of_its_own(idp, "jku"),
    "a certificate elsewhere": lambda idp: with_key_of_its_own(idp, "x5u"),
    "other claims under the signature": tampered,
    "another issuer": lambda idp: idp.token("analyst", iss="https://elsewhere.example"),
    "another audience": lambda idp: idp.token("analyst", aud="another"),
    "no audience": lambda idp: idp.token("analyst", aud=None),
    "audiences without ours": lambda idp: idp.token("analyst", aud=["one", "another"]),
    "over": lambda idp: idp.token("analyst", exp=int(time.time()) - LEEWAY - 1),
    "never over": lambda idp: idp.token("analyst", exp=None),
    "over in words": lambda idp: idp.token("analyst", exp="tomorrow"),
    "over when true": lambda idp: idp.token("analyst", exp=True),
    "not yet": lambda idp: idp.token("analyst", nbf=int(time.time()) + LEEWAY + 10),
    "made tomorrow": lambda idp: idp.token("analyst", iat=int(time.time()) + 86_400),
    "nobody": lambda idp: idp.token("analyst", sub=None),
    "a number": lambda idp: idp.token("analyst", sub=7),
    "another type": lambda idp: idp.token("analyst", {"typ": "logout+jwt"}),
    "an unknown key": lambda idp: idp.token("analyst", {"kid": "unknown"}),
    "a demand": lambda idp: idp.token("analyst", {"crit": ["b64"], "b64": True}),
    "no token": lambda idp: "a.b.c",
    "nothing": lambda idp: "",
    "long": lambda idp: idp.token("analyst", note="x" * 9000),
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_is_not_right_in_everything_is_none(idp: IdentityProvider, name: str) -> None:
    try:
        token = BAD[name](idp)
    except Exception as error:  # the library does not write it: nor would it be sent
        pytest.skip(f"cannot be made: {type(error).__name__}")
    with pytest.raises(NotAuthenticated):
        believed(idp, token)
    assert set(idp.asked) <= {DISCOVERY, "/jwks"}


@pytest.mark.parametrize("elliptic", [False, True])
def test_a_token_that_is_right_names_its_member(idp: IdentityProvider, elliptic: bool) -> None:
    idp.rotate(elliptic)
    assert believed(idp, idp.token("analyst")) == "analyst"
    assert believed(idp, idp.token("analyst", aud=["one", AUDIENCE], exp=int(time.time()) - 5))
    assert believed(idp, idp.token("x", {"typ": "at+JWT"}, upn="bo"), member="upn") == "bo"


def test_an_address_counts_once_it_is_verified(idp: IdentityProvider) -> None:
    with pytest.raises(NotAuthenticated):
        believed(idp, idp.token("x", email="root"), member="email")
    token = idp.token("x", email="root", email_verified=True)
    assert believed(idp, token, member="email") == "root"


def test_a_rotated_key_is_picked_up_and_unknown_ones_ask_once_a_minute(
    idp: IdentityProvider,
) -> None:
    clock = Clock()
    keys = Provider(idp.issuer, 86_400, clock)
    old = idp.token("analyst")
    assert believed(idp, old, keys) == "analyst"
    clock.now += PAUSE
    idp.rotate()
    fresh = idp.token("analyst")
    assert believed(idp, fresh, keys) == "analyst"
    with pytest.raises(NotAuthenticated):
        believed(idp, old, keys)
    asked = len(idp.asked)
    for _ in range(20):
        with pytest.raises(NotAuthenticated):
            believed(idp, idp.token("analyst", {"kid": "unknown"}), keys)
    assert len(idp.asked) == asked
    clock.now += PAUSE
    with pytest.raises(NotAuthenticated):
        believed(idp, idp.token("analyst", {"kid": "unknown"}), keys)
    assert len(idp.asked) == asked + 2


def test_keys_outlive_the_provider_for_so_long(idp: IdentityProvider) -> None:
    clock = Clock()
    keys = Provider(idp.issuer, 7200, clock)
    token = idp.token("analyst")
    assert believed(idp, token, keys) == "analyst"
    idp.stop()
    clock.now += FRESH + 1
    assert believed(idp, token, keys) == "analyst"
    clock.now += 7200
    with pytest.raises(IdentityUnavailable):
        believed(idp, token, keys)
    clock.now += PAUSE
    idp.start()
    assert believed(idp, token, keys) == "analyst"


def test_without_any_key_nobody_can_tell(idp: IdentityProvider) -> None:
    token = idp.token("analyst")
    idp.stop()
    with pytest.raises(IdentityUnavailable):
        believed(idp, token)


@pytest.mark.parametrize("published", [
    {"issuer": "https://elsewhere.example"},
    {"jwks_uri": "http://127.0.0.1:1/jwks"},
    {"jwks_uri": "file:///etc/passwd"},
    {"jwks_uri": None},
])  # fmt: skip
def test_keys_are_fetched_from_the_issuer_alone(
    idp: IdentityProvider, published: dict[str, str]
) -> None:
    idp.published = published
    with pytest.raises(IdentityUnavailable):
        believed(idp, idp.token("analyst"))
    assert idp.asked == [DISCOVERY]


def test_no_redirect_is_followed(idp: IdentityProvider) -> None:
    idp.redirects = True
    with pytest.raises(IdentityUnavailable):
        believed(idp, idp.token("analyst"))
    assert idp.asked == [DISCOVERY, "/jwks"]


@pytest.mark.filterwarnings("ignore:Key size should be")  # the short one is short on purpose
def test_keys_that_are_secret_short_or_for_something_else_are_passed_over() -> None:
    short = RSAKey.generate_key(1024, {"kid": "a"}).as_dict(private=False)
    good = RSAKey.generate_key(2048, {"kid": "b"}).as_dict(private=False)
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "c"}
    given = [
        short,
        good | {"use": "enc"},
        secret,
        {"kty": "RSA", "kid": "d"},
        "e",
        good | {"kid": 7},
    ]
    assert [provider_module._read(one) for one in given] == [None] * len(given)
    assert provider_module._read(good) is not None


def test_an_issuer_is_a_safe_address() -> None:
    assert sound("https://login.example/realms/x")
    assert sound("http://127.0.0.1:8080")
    for bad in ("http://login.example", "file:///etc", "https://", "https://a@b", "https://a/?x=1"):
        assert not sound(bad)


@pytest.mark.parametrize("chosen", [
    {"oidc_issuer": "http://elsewhere.example", "oidc_audience": "x"},
    {"oidc_issuer": "https://elsewhere.example"},
    {"oidc_issuer": "https://e.example", "oidc_audience": "x", "oidc_roles": "staff=king"},
])  # fmt: skip
def test_settings_that_do_not_do_are_refused_at_the_start(chosen: dict[str, str]) -> None:
    with pytest.raises(BadSettings):
        Identity(None, Settings(**chosen))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, IdentityProvider]]:
    home = tmp_path_factory.mktemp("oidc") / "home"
    with identity_provider() as idp:
        chosen = {
            "oidc_issuer": idp.issuer,
            "oidc_audience": AUDIENCE,
            "oidc_role_claim": "groups",
            "oidc_roles": f"asks={Role.ANALYST}, reads={Role.REVIEWER}, all={Role.ADMINISTRATOR}",
        }
        with running(home, make_home(home), **chosen) as gateway:
            assert not idp.asked
            yield gateway, idp


def told(answer: Answer) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All of an answer but what every one has of its own."""
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"Date", "X-Request-Id"}
    }
    return answer.status, answer.body, sorted(kept.items())


@pytest.mark.slow
def test_a_member_asks_with_a_token_and_carries_no_more_than_it_has(
    served: tuple[Gateway, IdentityProvider],
) -> None:
    gateway, idp = served
    mine = idp.token("analyst", groups=["asks", "all", "unknown"])
    assert gateway.query(key=mine).status == 201
    assert gateway.budget(key=mine)["project"] == "p"
    assert gateway.ask("GET", "/v1/projects/other/budget", key=mine).status == 404
    assert gateway.ask("GET", "/v1/members", key=mine).status == 403
    reads = idp.token("lead", groups="reads")
    assert gateway.ask("GET", "/v1/projects/p/queries", key=reads).status == 200
    assert gateway.query(key=reads).status == 403
    none = idp.token("root", groups=[])
    assert gateway.ask("GET", "/v1/projects/p/budget", key=none).status == 404
    assert gateway.ask("GET", "/v1/projects", key=idp.token("root", groups="all")).json["projects"]


@pytest.mark.slow
def test_a_token_of_nobody_here_is_like_one_that_is_not_valid(
    served: tuple[Gateway, IdentityProvider],
) -> None:
    gateway, idp = served
    path = "/v1/projects/p/budget"
    unknown = gateway.ask("GET", path, key=idp.token("stranger", groups="asks"))
    forged = gateway.ask("GET", path, key=tampered(idp))
    wrong = gateway.ask("GET", path, key="sluis_wrong")
    assert unknown.status == 401
    assert told(unknown) == told(forged) == told(wrong)
