"""Every setting of the hub with its kind, its default and one sentence of meaning; the reasons for the defaults are
in `config/hub.toml`. Reading files and environment is `reading`'s matter, generated secrets are `kept`'s."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hub.settings import kinds
from hub.settings.kinds import Derived

ENV_PREFIX = "OCPI_HUB_"
MIB = 1024 * 1024


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """The user's own folder for application data, by the XDG rule: a relative `XDG_DATA_HOME` does not count."""
    xdg = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(xdg):  # noqa: PTH117  the text is asked, no path is made of it yet
        return Path(xdg) / "ocpi-hub"
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".local" / "share" / "ocpi-hub"


def _local_url(known: dict[str, Any]) -> str:
    """Where a hub without `PUBLIC_URL` is found from its own machine."""
    host: str = known.get("host", "127.0.0.1")
    if host in {"0.0.0.0", "::"}:  # noqa: S104  every address: loopback is one of them
        host = "127.0.0.1"
    if ":" in host:  # IPv6
        host = f"[{host}]"
    return f"http://{host}:{known.get('port', 8080)}"


def _database_in_data_dir(known: dict[str, Any]) -> str:
    return f"sqlite:///{known.get('data_dir', Path()) / 'hub.db'}"


class Settings(BaseSettings):
    """The whole tree, frozen. The name of an attribute is the name of the setting in lower case."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        enable_decoding=False,
    )

    host: kinds.Host = "127.0.0.1"
    """Address the hub listens on."""
    port: kinds.Port = 8080
    """TCP port the hub listens on; 0 lets the system choose one."""
    public_url: Annotated[kinds.BaseUrl, Derived("http://HOST:PORT")] = Field(default_factory=_local_url)
    """Base of every URL the hub hands out; what platforms reach the hub by."""

    name: kinds.BusinessName = "OCPI Hub"
    """Name of the hub's operator in its business details."""
    country_code: kinds.CountryCode = "NL"
    """Country code of the hub's own party."""
    party_id: kinds.PartyId = "HUB"
    """Party id of the hub's own party."""
    website: kinds.PageUrl = None
    """Web page of the operator in the business details."""
    logo: kinds.PageUrl = None
    """Picture of the operator in the business details."""

    data_dir: Annotated[kinds.Folder, Derived("$XDG_DATA_HOME/ocpi-hub, else ~/.local/share/ocpi-hub")] = Field(
        default_factory=lambda: default_data_dir(os.environ)
    )
    """Folder of the embedded database and of generated secrets."""
    database_url: Annotated[kinds.DatabaseUrl, Derived("sqlite:///DATA_DIR/hub.db")] = Field(
        default_factory=_database_in_data_dir, repr=False
    )
    """Where the hub remembers: embedded SQLite or a MongoDB."""
    mongodb_driver: kinds.MongoDriver = "motor"
    """Driver that speaks to a MongoDB."""

    admin_token: Annotated[kinds.Secret, Derived("generated into DATA_DIR/admin.token")] = None
    """Bearer token of the admin API."""
    secret_key: Annotated[kinds.Secrets, Derived("generated into DATA_DIR/secret.key")] = ()
    """Keys that seal what is secret at rest, newest first; the first one seals, every one opens."""

    allowed_networks: kinds.Networks = ()
    """Private networks that party URLs may point to."""
    allow_http: kinds.Flag = False
    """Whether party URLs may be plain http."""
    ca_file: kinds.ExistingFile = None
    """PEM file with further certificate authorities to trust towards platforms."""
    egress_proxy: kinds.ProxyUrl = Field(default=None, repr=False)
    """Proxy that every request to a platform goes through."""

    connect_timeout: kinds.Deadline = 5.0
    """Seconds to open a connection to a platform, TLS included."""
    forward_timeout: kinds.Deadline = 25.0
    """Seconds a platform has to answer a routed request; also how long the hub drains when it stops."""
    authorize_timeout: kinds.Deadline = 8.0
    """Seconds a platform has to answer a real-time authorization."""
    connect_back_timeout: kinds.Deadline = 10.0
    """Seconds for each GET the hub sends during a registration."""
    body_timeout: kinds.Deadline = 30.0
    """Seconds a client has to deliver the body of its request."""
    max_body: kinds.Size = ByteSize(20 * MIB)
    """Bytes of the largest body the hub takes, after decompression."""
    stream_above: kinds.Size = ByteSize(MIB)
    """Bytes of an answer above which it is streamed instead of judged whole."""
    header_limit: kinds.Size = ByteSize(16 * 1024)
    """Bytes of the longest request line and of the longest header line a client may send."""
    platform_connections: kinds.Count = 64
    """Requests in flight to one platform."""
    in_flight: kinds.Count = 2000
    """Requests in flight through the whole hub."""

    alive_check_interval: kinds.Period = 300.0
    """Seconds of silence after which a platform is probed."""
    probe_spacing: kinds.Period = 20.0
    """Seconds between two probes of a platform that does not answer."""
    credentials_debounce: kinds.Period = 60.0
    """Seconds over which changes are gathered into one PUT credentials to a platform."""
    callback_retention: kinds.Period = 86_400.0
    """Seconds the way home of an asynchronous result is kept at least."""
    registration_approval: kinds.Flag = False
    """Whether roles that no invitation names wait for the operator."""
    agreements_default: kinds.AgreementsDefault = "open"
    """Whether parties without an agreement may speak to each other."""
    lenient_lists: kinds.Flag = False
    """Whether a list that names no receiver is answered with the objects of all owners."""
    authorize_all: kinds.Flag = False
    """Whether an authorization of an unknown token is put to every eMSP at once."""
    broadcast_own_platform: kinds.Flag = False
    """Whether a broadcast also reaches other parties of the platform it comes from."""
    broadcast_across_hubs: kinds.Flag = False
    """Whether a broadcast also reaches parties behind peer hubs."""

    plugins: Annotated[kinds.Names, Derived("the bundled set")] = None
    """Plugins to run, in order; an empty list runs none."""
    plugin_folder: kinds.ExistingFolder = None
    """Folder of single-file plugins."""
    plugin_trace: kinds.Flag = False
    """Whether every call of a plugin's hook is a log line, with its verdict."""
    plugin: Annotated[kinds.Tables, Derived("(none)")] = Field(default_factory=dict, repr=False)
    """Configuration of each plugin, in a table of its own."""

    log_level: kinds.LogLevel = "info"
    """Least serious line that is written."""
    log_format: kinds.LogFormat = "json"
    """One JSON object a line, or lines for people."""
    log_buffer: kinds.Count = 20_000
    """Leg records that may wait for the log writer; beyond it new ones are dropped and counted."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in counts: a Settings made in a test never depends on the machine's environment."""
        return (init_settings,)

    @property
    def sqlite_file(self) -> Path | None:
        """The database file, or None when the store is a MongoDB."""
        scheme, _, rest = self.database_url.partition(":///")
        return Path(rest) if scheme == "sqlite" else None

    @property
    def database_shown(self) -> str:
        """`DATABASE_URL` fit for a log or a screen: without user, password and options."""
        if self.sqlite_file is not None:
            return self.database_url
        parts = urlsplit(self.database_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def names() -> tuple[str, ...]:
    """Every setting's public name, in order."""
    return tuple(field.upper() for field in Settings.model_fields)
