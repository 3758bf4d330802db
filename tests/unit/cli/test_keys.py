"""`ocpi-hub keys rotate`: everything sealed opens with the new key alone, and no token has changed."""

import asyncio
import io
import stat
from pathlib import Path

import pytest

from hub.app import running
from hub.broker.operations import Invited
from hub.cli import keys
from hub.errors import KeyUnusable
from hub.ocpi.token import TokenEncoding, authorization
from hub.settings import Settings, ensure_secrets, load
from tests.unit.cli.conftest import Cli, environment, program

OLD = "the-old-secret-key-of-the-hub"
NEW = "the-new-secret-key-of-the-hub"


def settings_of(env: dict[str, str]) -> Settings:
    return ensure_secrets(load(None, env))[0]


def invitation(env: dict[str, str]) -> str:
    """The token of a platform that was invited at the hub of this environment."""

    async def invite() -> str:
        async with running(settings_of(env), legs_to=io.BytesIO()) as hub:
            invited = await hub.operations.invite("Charge")
            assert isinstance(invited, Invited)
            return invited.registration_token

    return asyncio.run(invite())


def is_known(env: dict[str, str], token: str) -> bool:
    """Whether a hub that starts with this environment knows the token."""

    async def ask() -> bool:
        async with running(settings_of(env), legs_to=io.BytesIO()) as hub:
            return hub.registry.caller(authorization(token, TokenEncoding.BASE64)) is not None

    return asyncio.run(ask())


def kept_keys(folder: Path) -> list[str]:
    return (folder / "secret.key").read_text(encoding="ascii").split()


def test_a_key_kept_by_the_hub_is_replaced(tmp_path: Path) -> None:
    env = environment(tmp_path, SECRET_KEY="")
    token = invitation(env)
    (before,) = kept_keys(tmp_path)

    output = Cli(env).done("keys", "rotate")

    (after,) = kept_keys(tmp_path)
    assert after != before
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert before not in output
    assert after not in output
    assert str(tmp_path / "secret.key") in output
    assert is_known(env, token)
    with pytest.raises(KeyUnusable):
        is_known(environment(tmp_path, SECRET_KEY=before), token)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_key_of_the_settings_is_the_operators(tmp_path: Path) -> None:
    token = invitation(environment(tmp_path, SECRET_KEY=OLD))
    both = environment(tmp_path, SECRET_KEY=f"{NEW},{OLD}")

    result = Cli(both).run("keys", "rotate")

    assert result.exit_code == 0
    assert "sealed with the newest key now" in result.stdout
    assert "can leave SECRET_KEY" in result.stderr
    assert is_known(environment(tmp_path, SECRET_KEY=NEW), token)
    assert "already" in Cli(both).done("keys", "rotate")
    assert not (tmp_path / "secret.key").exists()


def test_a_new_key_without_the_old_one_changes_nothing(tmp_path: Path) -> None:
    token = invitation(environment(tmp_path, SECRET_KEY=OLD))

    told = Cli(environment(tmp_path, SECRET_KEY=NEW)).refused("keys", "rotate")

    assert "SECRET_KEY" in told
    assert is_known(environment(tmp_path, SECRET_KEY=OLD), token)


def test_a_rotation_that_was_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = environment(tmp_path, SECRET_KEY="")
    token = invitation(env)

    async def crash(*_: object) -> None:
        raise KeyUnusable("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(keys, "seal_again", crash)
        assert "the power went" in Cli(env).refused("keys", "rotate")

    between = kept_keys(tmp_path)
    assert len(between) == 2
    assert is_known(env, token)
    Cli(env).done("keys", "rotate")
    assert kept_keys(tmp_path) == between[:1]
    assert is_known(env, token)


def test_a_database_that_a_running_hub_holds_is_left_alone(tmp_path: Path) -> None:
    env = environment(tmp_path, SECRET_KEY="")
    with program(env, "serve") as hub:
        hub.ready()
        before = kept_keys(tmp_path)

        told = Cli(env).refused("keys", "rotate")

        assert "in use by another hub" in told
        assert kept_keys(tmp_path) == before
        assert hub.end() == 0


def test_there_is_nothing_to_rotate_before_the_first_start(tmp_path: Path) -> None:
    assert "no secret key yet" in Cli(environment(tmp_path, SECRET_KEY="")).refused("keys", "rotate")
    assert list(tmp_path.iterdir()) == []


def test_a_running_hub_on_a_shared_database_has_to_stop_first(hub_url: str, tmp_path: Path) -> None:
    """It has read the old key only, and could not open what another process seals with a new one."""
    kept = tmp_path / "secret.key"
    kept.write_text(f"{OLD}\n", encoding="ascii")
    kept.chmod(0o600)
    shared = environment(tmp_path, SECRET_KEY="", PUBLIC_URL=hub_url, DATABASE_URL="mongodb://127.0.0.1:1/hub")

    told = Cli(shared).refused("keys", "rotate")

    assert "stop it first" in told
    assert kept_keys(tmp_path) == [OLD]
