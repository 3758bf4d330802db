"""What an operator may write, what the hub makes of it, and the sentence that answers what it cannot use."""

from __future__ import annotations

import re
import threading
from ipaddress import ip_network
from pathlib import Path

import pytest

from hub.errors import SettingsError
from hub.settings import KeptSecret, Settings, defaults_warnings, describe, ensure_secrets, load

HOME = {"HOME": "/home/someone"}


def from_environ(**values: str) -> Settings:
    return load(None, HOME | {f"OCPI_HUB_{name}": value for name, value in values.items()})


def refusal(**values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        from_environ(**values)
    return str(caught.value)


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hub.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_with_nothing_set_the_hub_is_local_and_embedded() -> None:
    settings = load(None, HOME)

    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert settings.database_url == "sqlite:////home/someone/.local/share/ocpi-hub/hub.db"
    assert settings.sqlite_file == Path("/home/someone/.local/share/ocpi-hub/hub.db")
    assert settings.admin_token is None
    assert settings.secret_key == ()
    assert settings.plugins is None


def test_defaults_of_the_limits() -> None:
    settings = load(None, HOME)

    assert (settings.connect_timeout, settings.forward_timeout, settings.authorize_timeout) == (5, 25, 8)
    assert (settings.max_body, settings.stream_above, settings.header_limit) == (20 * 1024**2, 1024**2, 16384)
    assert (settings.alive_check_interval, settings.probe_spacing) == (300, 20)
    assert (settings.credentials_debounce, settings.callback_retention) == (60, 86400)
    assert (settings.platform_connections, settings.in_flight, settings.log_buffer) == (64, 2000, 20000)
    assert (settings.connect_back_timeout, settings.body_timeout) == (10, 30)


def test_routing_takes_no_liberties_by_default() -> None:
    settings = load(None, HOME)

    assert settings.agreements_default == "open"
    assert (settings.lenient_lists, settings.authorize_all) == (False, False)
    assert (settings.broadcast_own_platform, settings.broadcast_across_hubs) == (False, False)


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    config = toml(tmp_path, 'port = 9000\nparty_id = "ABC"\nallowed_networks = ["10.0.0.0/8"]\n')

    settings = load(config, HOME | {"OCPI_HUB_PORT": "9001", "PATH": "/bin"})

    assert (settings.port, settings.party_id) == (9001, "ABC")
    assert settings.allowed_networks == (ip_network("10.0.0.0/8"),)


def test_keys_of_the_file_may_be_written_like_the_contract(tmp_path: Path) -> None:
    assert load(toml(tmp_path, "PORT = 9000\n"), HOME).port == 9000
    with pytest.raises(SettingsError, match="stands twice"):
        load(toml(tmp_path, "PORT = 9000\nport = 9001\n"), HOME)


def test_an_empty_text_means_unset(tmp_path: Path) -> None:
    config = toml(tmp_path, 'public_url = ""\nadmin_token = ""\n')

    assert load(config, HOME | {"OCPI_HUB_PORT": ""}) == load(None, HOME)


def test_lists_are_comma_separated() -> None:
    settings = from_environ(
        ALLOWED_NETWORKS="10.0.0.0/8, fd00::/8,", PLUGINS="first,second", SECRET_KEY=f"{'n' * 16},{'o' * 16}"
    )

    assert settings.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.plugins == ("first", "second")
    assert [key.get_secret_value() for key in settings.secret_key] == ["n" * 16, "o" * 16]


def test_no_plugins_is_not_the_same_as_unset(tmp_path: Path) -> None:
    assert load(toml(tmp_path, "plugins = []\n"), HOME).plugins == ()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("192.0.2.7", "http://192.0.2.7:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
    ],
)
def test_public_url_follows_the_host(host: str, url: str) -> None:
    assert from_environ(HOST=host).public_url == url


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("PUBLIC_URL", "https://hub.example.com/ocpi/", "https://hub.example.com/ocpi"),
        ("COUNTRY_CODE", "de", "DE"),
        ("PARTY_ID", "x1", "X1"),
        ("MAX_BODY", "5 MiB", 5 * 1024**2),
        ("FORWARD_TIMEOUT", "0.5", 0.5),
        ("ALLOW_HTTP", "true", True),
        ("LENIENT_LISTS", "true", True),
        ("AUTHORIZE_ALL", "true", True),
        ("PLUGIN_TRACE", "true", True),
        ("BROADCAST_OWN_PLATFORM", "true", True),
        ("BROADCAST_ACROSS_HUBS", "false", False),
        ("LOG_LEVEL", "DEBUG", "debug"),
        ("LOG_FORMAT", "console", "console"),
        ("AGREEMENTS_DEFAULT", "closed", "closed"),
        ("MONGODB_DRIVER", "pymongo", "pymongo"),
        ("DATABASE_URL", "mongodb+srv://cluster.example.com/hub", "mongodb+srv://cluster.example.com/hub"),
        ("DATABASE_URL", "mongodb://a:1,b:2/hub?replicaSet=rs0", "mongodb://a:1,b:2/hub?replicaSet=rs0"),
        ("EGRESS_PROXY", "http://proxy.example.com:3128/", "http://proxy.example.com:3128"),
        ("WEBSITE", "https://example.com/?page=hub", "https://example.com/?page=hub"),
    ],
)
def test_accepted(name: str, written: str, read: object) -> None:
    assert getattr(from_environ(**{name: written}), name.lower()) == read


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("HOST", "two words"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PUBLIC_URL", "hub.example.com"),
        ("PUBLIC_URL", "ftp://hub.example.com"),
        ("PUBLIC_URL", "https://hub.example.com/?a=b"),
        ("PUBLIC_URL", "https://user@hub.example.com"),
        ("PUBLIC_URL", "https://hub.example.com:99999"),
        ("NAME", "x" * 101),
        ("COUNTRY_CODE", "NLD"),
        ("COUNTRY_CODE", "N1"),
        ("PARTY_ID", "ABCD"),
        ("PARTY_ID", "A-B"),
        ("PARTY_ID", "Ä"),
        ("DATABASE_URL", "postgres://db.example.com"),
        ("DATABASE_URL", "sqlite://hub.db"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "mongodb:///hub"),
        ("MONGODB_DRIVER", "mongoengine"),
        ("ADMIN_TOKEN", "short"),
        ("SECRET_KEY", f"{'k' * 16},short"),
        ("ALLOWED_NETWORKS", "10.0.0.0/99"),
        ("ALLOWED_NETWORKS", "10.0.0.1/8"),
        ("ALLOW_HTTP", "perhaps"),
        ("LENIENT_LISTS", "some"),
        ("AUTHORIZE_ALL", "2"),
        ("BROADCAST_OWN_PLATFORM", "own"),
        ("BROADCAST_ACROSS_HUBS", "-"),
        ("CA_FILE", "/nowhere/ca.pem"),
        ("EGRESS_PROXY", "socks5://proxy.example.com"),
        ("CONNECT_TIMEOUT", "0"),
        ("FORWARD_TIMEOUT", "nan"),
        ("AUTHORIZE_TIMEOUT", "inf"),
        ("CALLBACK_RETENTION", "a day"),
        ("MAX_BODY", "10"),
        ("STREAM_ABOVE", "1 parsec"),
        ("PLATFORM_CONNECTIONS", "0"),
        ("IN_FLIGHT", "2.5"),
        ("AGREEMENTS_DEFAULT", "ajar"),
        ("PLUGIN_FOLDER", "/nowhere/plugins"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("LOGO", f"https://example.com/{'x' * 255}"),
    ],
)
def test_refused_in_one_sentence_that_names_the_key(name: str, bad: str) -> None:
    sentence = refusal(**{name: bad})

    assert sentence.startswith(f"{name} (set by OCPI_HUB_{name}) must be ")
    assert "\n" not in sentence
    assert "pydantic" not in sentence


def test_a_refused_value_of_the_file_names_the_file(tmp_path: Path) -> None:
    config = toml(tmp_path, "port = true\n")

    with pytest.raises(SettingsError, match=re.escape(f"PORT (set by {config}) must be a whole number")):
        load(config, HOME)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("ADMIN_TOKEN", "s3cret"),
        ("SECRET_KEY", "s3cret"),
        ("DATABASE_URL", "mysql://hub:s3cret@db.example.com"),
        ("EGRESS_PROXY", "socks5://hub:s3cret@proxy.example.com"),
    ],
)
def test_a_refused_secret_is_not_repeated(name: str, bad: str) -> None:
    assert "s3cret" not in refusal(**{name: bad})


def test_secrets_stay_out_of_the_printed_settings() -> None:
    settings = from_environ(
        ADMIN_TOKEN="s3cret-s3cret-s3cret",
        SECRET_KEY="s3cret-s3cret-s3cret",
        DATABASE_URL="mongodb://hub:s3cret@a:1,b:2/hub?authSource=admin",
        EGRESS_PROXY="http://hub:s3cret@proxy.example.com:3128",
    )

    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)
    assert settings.database_shown == "mongodb://a:1,b:2/hub"
    assert settings.sqlite_file is None


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("PROT", "PORT"), ("ALLOWED_NETWORK", "ALLOWED_NETWORKS"), ("PUBLICURL", "PUBLIC_URL")],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(written: str, nearest: str) -> None:
    expected = f"OCPI_HUB_{written} is not a setting; the nearest one is OCPI_HUB_{nearest}"
    assert refusal(**{written: "x"}) == expected


def test_an_unknown_key_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    config = toml(tmp_path, "max_bodys = 1\n")

    with pytest.raises(SettingsError) as caught:
        load(config, HOME)

    assert str(caught.value) == f"max_bodys in {config} is not a setting; the nearest one is MAX_BODY"


def test_a_key_like_no_other_is_refused_without_a_guess() -> None:
    assert refusal(ZZZZZZ="x") == "OCPI_HUB_ZZZZZZ is not a setting"


def test_variables_of_the_test_suite_are_left_alone() -> None:
    assert from_environ(TEST_MONGODB_URL="mongodb://127.0.0.1") == load(None, HOME)


@pytest.mark.parametrize("content", [b"port 9000\n", b'name = "\xff"\n'])
def test_a_file_that_is_not_toml_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "hub.toml"
    config.write_bytes(content)

    with pytest.raises(SettingsError, match=re.escape(f"{config} is not TOML: ")):
        load(config, HOME)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml cannot be read: No such file"):
        load(tmp_path / "absent.toml", HOME)


def test_xdg_decides_where_the_data_lives() -> None:
    assert load(None, HOME | {"XDG_DATA_HOME": "/data"}).data_dir == Path("/data/ocpi-hub")
    assert load(None, HOME | {"XDG_DATA_HOME": "data"}).data_dir == Path("/home/someone/.local/share/ocpi-hub")


def test_the_database_follows_the_data_folder() -> None:
    assert from_environ(DATA_DIR="/srv/hub").sqlite_file == Path("/srv/hub/hub.db")


def test_settings_are_frozen() -> None:
    settings = load(None, HOME)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # mypy knows it too


def test_settings_made_directly_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPI_HUB_PORT", "9001")
    assert Settings().port == 8080


def test_unset_identity_is_warned_about() -> None:
    assert [warning.partition(" ")[0] for warning in defaults_warnings(load(None, HOME))] == [
        "NAME",
        "COUNTRY_CODE",
        "PARTY_ID",
        "PUBLIC_URL",
    ]


def test_a_chosen_identity_is_not_warned_about_even_if_it_equals_the_default() -> None:
    settings = from_environ(NAME="Hub", COUNTRY_CODE="NL", PARTY_ID="HUB", PUBLIC_URL="https://hub.example.com")
    assert defaults_warnings(settings) == ()


def test_every_setting_is_described() -> None:
    rows = describe()

    assert [row.name.lower() for row in rows] == list(Settings.model_fields)
    for row in rows:
        assert row.type
        assert row.default
        assert row.meaning.endswith(".")
    assert next(row for row in rows if row.name == "MAX_BODY").default == "20971520"
    assert next(row for row in rows if row.name == "CONNECT_TIMEOUT").default == "5"
    assert next(row for row in rows if row.name == "ALLOW_HTTP").default == "false"


# ---- secrets that the hub makes for itself


def test_missing_secrets_are_generated_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"

    settings, kept = ensure_secrets(Settings(data_dir=folder))

    assert kept == (
        KeptSecret("SECRET_KEY", folder / "secret.key", created=True),
        KeptSecret("ADMIN_TOKEN", folder / "admin.token", created=True),
    )
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["admin.token", "secret.key"]
    for _, path, _ in kept:
        assert path.stat().st_mode & 0o777 == 0o600
    assert settings.admin_token is not None
    assert settings.admin_token.get_secret_value() == (folder / "admin.token").read_text(encoding="ascii").strip()
    assert len(settings.secret_key) == 1
    assert settings.secret_key[0] != settings.admin_token


def test_the_next_start_finds_the_same_secrets(tmp_path: Path) -> None:
    first, _ = ensure_secrets(Settings(data_dir=tmp_path))
    second, kept = ensure_secrets(Settings(data_dir=tmp_path))

    assert second == first
    assert [secret.created for secret in kept] == [False, False]


def test_what_is_set_is_not_generated(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path / "data", admin_token="a" * 16, secret_key="k" * 16)

    settings, kept = ensure_secrets(given)

    assert (settings, kept) == (given, ())
    assert not (tmp_path / "data").exists()


def test_a_kept_key_file_may_hold_several_keys_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text(f"{'n' * 16}\n{'o' * 16}\n", encoding="ascii")
    path.chmod(0o600)

    settings, _ = ensure_secrets(Settings(data_dir=tmp_path))

    assert [key.get_secret_value() for key in settings.secret_key] == ["n" * 16, "o" * 16]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.key"
    path.write_text("k" * 32, encoding="ascii")
    path.chmod(mode)

    with pytest.raises(SettingsError, match=rf"SECRET_KEY .*secret\.key.* \(mode {mode:04o}\): chmod 600") as caught:
        ensure_secrets(Settings(data_dir=tmp_path))
    assert "k" * 32 not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 32])
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "admin.token"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SettingsError, match=r"ADMIN_TOKEN .*admin\.token, which must hold"):
        ensure_secrets(Settings(data_dir=tmp_path, secret_key="k" * 16))


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"DATA_DIR .* cannot be made: Not a directory"):
        ensure_secrets(Settings(data_dir=tmp_path / "file" / "data"))


def test_hubs_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    count = 8
    start = threading.Barrier(count)
    keys: list[str] = []

    def begin() -> None:
        start.wait(timeout=10)
        settings, _ = ensure_secrets(Settings(data_dir=tmp_path))
        keys.append(settings.secret_key[0].get_secret_value())

    threads = [threading.Thread(target=begin) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert len(keys) == count
    assert len(set(keys)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["admin.token", "secret.key"]


# ---- the tables of plugins


def test_each_plugin_has_a_table(tmp_path: Path) -> None:
    config = toml(tmp_path, "[plugin.rate_limit]\nper_minute = 600\n[plugin.tracing]\n")

    assert load(config, HOME).plugin == {"rate_limit": {"per_minute": 600}, "tracing": {}}


def test_one_key_of_a_table_is_set_by_a_variable(tmp_path: Path) -> None:
    config = toml(tmp_path, "[plugin.rate_limit]\nper_minute = 600\nburst = 5\n")

    settings = load(
        config, HOME | {"OCPI_HUB_PLUGIN__RATE_LIMIT__PER_MINUTE": "30", "OCPI_HUB_PLUGIN__TRACING__SAMPLE": "0.5"}
    )

    assert settings.plugin == {"rate_limit": {"per_minute": 30, "burst": 5}, "tracing": {"sample": 0.5}}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("30", 30),
        ("true", True),
        ('"30"', "30"),
        ('["a", "b"]', ["a", "b"]),
        ('{env = "NAME"}', {"env": "NAME"}),
        ("plain words", "plain words"),
        ("https://example.com/?a=b", "https://example.com/?a=b"),
        ("1\nother = 2", "1\nother = 2"),
    ],
)
def test_a_variable_holds_toml_or_else_text(written: str, read: object) -> None:
    assert from_environ(PLUGIN__OWN__KEY=written).plugin == {"own": {"key": read}}


def test_an_empty_variable_sets_no_key() -> None:
    assert from_environ(PLUGIN__OWN__KEY=" ", PLUGIN="").plugin == {}


@pytest.mark.parametrize("name", ["PLUGIN", "PLUGIN__OWN", "PLUGIN__OWN__", "PLUGIN____KEY"])
def test_a_variable_that_names_no_single_key_is_refused(name: str) -> None:
    sentence = f"OCPI_HUB_{name} sets nothing: one key of one plugin is set by OCPI_HUB_PLUGIN__NAME__KEY"
    assert refusal(**{name: "s3cret"}) == sentence


@pytest.mark.parametrize("written", ['plugin = "s3cret"\n', 'plugin.own = "s3cret"\n'])
def test_what_is_no_table_is_refused_whatever_the_environment_says(tmp_path: Path, written: str) -> None:
    config = toml(tmp_path, written)

    with pytest.raises(SettingsError) as caught:
        load(config, HOME | {"OCPI_HUB_PLUGIN__OWN__KEY": "1"})

    expected = f"PLUGIN (set by {config}) must be tables, one for each plugin: [plugin.NAME] with its keys"
    assert str(caught.value) == expected


def test_the_tables_stay_out_of_the_printed_settings() -> None:
    assert "s3cret" not in repr(from_environ(PLUGIN__OWN__PASSWORD="s3cret"))
