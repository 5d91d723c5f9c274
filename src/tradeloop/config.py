"""Settings: what may be set, where each value came from, and which folders an installation lives in.

Nothing is read at import. `load` asks, highest first: the command line, environment variables `TRADELOOP_*` (nested with `__`,
for example `TRADELOOP_RUN__MAX_WEIGHT`), a `.env` file in the current folder, `tradeloop.yaml` and `broker.yaml`, and the
defaults below. A name that nobody knows is an error, never ignored: a limit that was misspelt would not hold.

Every source gives text, YAML too, so that no amount passes through a binary float.
"""

# size: what may be set and how each source writes it change together, and a reader looks for both in one place

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from tradeloop.core.errors import BadInput, JournalFailed
from tradeloop.core.people import person
from tradeloop.core.types import Rounding, exact
from tradeloop.yamltext import SHOWN_MAX, document_of, is_text, shown

PREFIX: Final = "TRADELOOP_"
HOME_VARIABLE: Final = "TRADELOOP_HOME"
DEFAULT: Final = "default"
_MASK: Final = "********"
_SECRET_WORDS: Final = ("password", "secret", "token", "key")


def _exactly(value: object) -> object:
    try:
        return exact(str(value), "it")
    except BadInput:
        raise ValueError("a plain decimal number such as 12.34") from None


def _parts(value: object) -> object:
    """A fraction as people write one: `0.25` or `25%`."""
    text = str(value).strip()
    if not text.endswith("%"):
        return _exactly(value)
    try:
        return exact(text[:-1], "it") / 100
    except BadInput:
        raise ValueError("a plain decimal number such as 0.25, or 25%") from None


def _listed(value: object) -> object:
    """A list as YAML has it, or one line of text with commas, as an environment variable has it."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _in_one_line(name: str) -> str:
    if not name.isprintable():
        raise ValueError("no signs that are not seen; type the name anew")
    return name


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(str.isprintable, names)):
        raise ValueError("no signs that are not seen; type the names anew")
    if len(set(map(person, names))) < len(names):
        raise ValueError("each name once, since nobody is two people")
    return names


def _absent(value: object) -> object:
    return None if value in ("", "null", "none") else value


def _zoned(value: str) -> str:
    if value in ("", "open"):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise ValueError("'open' or a time with its zone such as 2013-10-08T13:30:00Z")
    return value


_YEARS: Final = (1971, 2261)
"""Times are nanoseconds since 1970 in 64 bits; these years fit in every zone."""


_AMOUNT_MAX: Final = Decimal(10) ** 18
_DAY_S: Final = 86_400
_DAY_MS: Final = _DAY_S * 1000
_YEAR_S: Final = 366 * _DAY_S
_SEED_MAX: Final = 2**63 - 1


def _accounts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names as an account has them: what can be none would list nobody, and look as if it did."""
    if not all(re.fullmatch(r"[\w.-]{1,32}", name) for name in names):
        raise ValueError("accounts as broker.account names them, each by itself; there is no sign for all of them")
    return names


Number = Annotated[Decimal, BeforeValidator(_exactly)]
Positive = Annotated[Number, Field(ge=0, le=_AMOUNT_MAX)]
Fraction = Annotated[Decimal, BeforeValidator(_parts), Field(ge=0, le=10)]
_T = TypeVar("_T")
Perhaps = Annotated[_T | None, BeforeValidator(_absent)]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_listed)]
Currencies = Annotated[dict[str, Positive], AfterValidator(lambda cash: {code.upper(): each for code, each in cash.items()})]
BrokerKind = Literal["paper", "toy"]
FeedKind = Literal["none", "demo", "replay", "synthetic"]


class Section(BaseModel):
    """One block of settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    """Where the journal and the read models are kept."""

    url: str = ""
    """SQLAlchemy URL; empty is a SQLite file in the data folder."""


class Faults(Section):
    """How the paper broker misbehaves, for rehearsals (brokers/paper/README.md)."""

    script: Words = ()
    """`fault:nth`, for example `drop_ack:1`: the fault strikes at its nth opportunity."""
    rates: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    seed: int = Field(default=0, ge=0, le=_SEED_MAX)
    delay_ms: int = Field(default=500, ge=0, le=_DAY_MS)
    late_ms: int = Field(default=500, ge=0, le=1000)
    outage_ms: int = Field(default=2000, ge=0, le=_YEAR_S * 1000)


class Paper(Section):
    """The embedded paper broker."""

    cash: Currencies = {"USD": Decimal(1_000_000), "CNY": Decimal(1_000_000), "HKD": Decimal(1_000_000)}
    """What a new account opens with, by currency; books that exist keep theirs."""
    latency_ms: int = Field(default=20, ge=0, le=_DAY_MS)
    bar_participation: Fraction = Decimal("0.10")
    assumed_size: Perhaps[Positive] = None
    faults: Faults = Faults()
    as_live: bool = False
    """Whether a person is asked for what a broker that trades for real asks for, as `toy.as_live`: to rehearse it. Nothing real
    is traded, whatever the page says then; and a home that was live once stays so."""


class Toy(Section):
    """The toy venue in another process on this machine (venues/toy/README.md): a broker to rehearse trouble with."""

    port: int = Field(default=7001, ge=1, le=65_535)
    token: SecretStr = SecretStr("toy-token")
    answer_ms: int = Field(default=5000, ge=1, le=8000)
    """How long a request waits for its answer; its fate is unknown after that."""
    lives_ms: int = Field(default=5000, ge=1, le=60_000)
    """How long the venue may still act on a request, by its own clock; it throws a later one away."""
    dedupes: Literal["never", "open_only", "day", "for_ever"] = "for_ever"
    """For how long the venue refuses a second order under a known id."""
    as_live: bool = False
    """Whether a person is asked for what a broker that trades for real asks for, such as a second factor: to rehearse it."""


class Broker(Section):
    """Which broker, which account; the whole of broker.yaml. Each kind has a section of its own below."""

    kind: BrokerKind = "paper"
    name: str = Field(default="", min_length=1, max_length=32, pattern=r"^[\w.-]+$")
    """What the journal calls it; the kind, where nothing is said."""
    account: str = Field(default="paper", min_length=1, max_length=32, pattern=r"^[\w.-]+$")
    market_buffer: Fraction = Decimal("0.01")
    """How far above the offer a market order may fill before cash could fall short."""
    paper: Paper = Paper()
    toy: Toy = Toy()

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"name": given.get("kind", "paper"), **given} if isinstance(given, dict) else given


class Live(Section):
    """What may go to a broker that trades live, and what a person confirms before it does (docs/how-to/trade-live.md)."""

    accounts: Annotated[Words, AfterValidator(_accounts)] = ()
    """The accounts that may trade there. Of any other no order leaves."""
    order_value: Positive = Decimal(0)
    """Up to which value, in its currency, an order of its own leaves without a person's confirmation. Runs always need one."""


class Feed(Section):
    """Where quotes come from, and on which clock."""

    kind: FeedKind = "none"
    paths: Paths = ()
    """Recordings of kind `replay`: quotes, minute bars or daily bars, told apart by their header."""
    speed: float = Field(default=1.0, ge=1, le=10_000)
    """How many times faster than the world a recording plays."""
    start: Annotated[str, AfterValidator(_zoned)] = ""
    """When a replay begins: a time with its zone, or `open` for the session's open on the trade date, which recordings do by
    default. A made-up feed without it runs on the wall clock, or goes on in the recorded day of its journal."""
    seed: int = Field(default=1, ge=0, le=_SEED_MAX)
    interval_ms: int = Field(default=1000, ge=1, le=_DAY_MS)
    prices: dict[str, Positive] = {}
    """Where made-up walks begin, by symbol; 10 for the others."""
    goes_on: bool = False
    """Whether quotes are made up when a recording has ended, from where each symbol stood; `tradeloop up --demo` does so."""
    wait_s: float = Field(default=10.0, gt=0, le=600)
    """How long to wait for the first quotes, in seconds of the world."""


class Run(Section):
    """How runs are planned, and the limits they are checked against; an absent limit is off."""

    rounding: Rounding = Rounding.FLOOR_TO_LOT
    order_timeout_s: Perhaps[Annotated[float, Field(gt=0, le=_YEAR_S)]] = None
    sell_unlisted: bool = True
    min_cash: Positive = Decimal(0)
    max_weight: Perhaps[Fraction] = None
    max_positions: Perhaps[Annotated[int, Field(ge=0, le=100_000)]] = None
    max_total_weight: Fraction = Decimal(1)
    max_industry_weight: Perhaps[Fraction] = None
    blacklist: Words = ()
    max_quote_age_s: float = Field(default=60.0, gt=0, le=_YEAR_S)
    """How old a price may be, in seconds of the market. On a replay faster than the world the limit in force is the larger
    of this and `engine.ack_timeout_s` times `feed.speed` (at speed 500: 2,500 s), since the machine needs its time too."""


class EngineTimes(Section):
    """Times of the engine, in seconds of the world."""

    ack_timeout_s: float = Field(default=5.0, gt=0, le=_DAY_S)
    unknown_alert_s: float = Field(default=10.0, gt=0, le=_DAY_S)
    ready_within_s: float = Field(default=30.0, gt=0, le=_DAY_S)
    """How long a command waits for a broker that does not let itself be heard."""
    reconcile_every_s: float = Field(default=30.0, gt=0, le=_DAY_S)
    max_drift: Fraction = Decimal("0.02")


class Markets(Section):
    """What the market tables do not know."""

    facts: Perhaps[Path] = None
    """A CSV of instrument facts (markets/facts.py): names, industries, Hong Kong lots."""
    rules: Perhaps[Path] = None
    """A folder of rule files that stand in the place of the packaged ones of the same name (markets/own_rules.py)."""


class Risk(Section):
    """Limits by the names that other programs know, and who may change limits; the limits themselves stand in risk.yaml."""

    max_order_value: Perhaps[Positive] = None
    """`max_order_value`, globally; `MAX_ORDER_VALUE` in the environment is the same."""
    max_position_size: Perhaps[Positive] = None
    """`max_position_qty`, globally; `MAX_POSITION_SIZE` in the environment is the same."""
    approvers: Annotated[Words, AfterValidator(_once_each)] = ()
    """Who may change a limit while trading goes on; where there are two or more, one of them changes and another approves."""


class Access(Section):
    """Who may use the desk over HTTP, beside the users themselves."""

    master_key: SecretStr = SecretStr("")
    """What secrets of brokers and second factors are sealed with: 32 bytes in base64 or hexadecimal digits. Several, the new
    one first, while a new one is brought in. Empty is the file below. `TRADELOOP_MASTER_KEY` is the same.
    """
    master_file: Perhaps[Path] = None
    """A file with it, of mode 0600; empty is one in the configuration folder, made at the first use.
    `TRADELOOP_MASTER_KEY_FILE` is the same.
    """
    idle_s: int = Field(default=28_800, ge=60, le=7 * _DAY_S)
    """After how long a session ends that nobody uses."""
    longest_s: int = Field(default=_DAY_S, ge=60, le=30 * _DAY_S)
    """After how long a session ends however it is used."""


class Web(Section):
    """The desk over HTTP (`tradeloop up`)."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255, pattern=r"^[\w.:-]+$")
    """The address to listen on. One that others reach needs TLS, here or at a proxy in front."""
    port: int = Field(default=8003, ge=0, le=65_535)
    """0 is any that is free."""
    hosts: Words = ()
    """Names under which the desk is called, beside those of this machine's own loopback."""
    origins: Words = ()
    """Other origins that its page is served from, such as https://desk.example.org."""
    proxies: Words = ()
    """Addresses of proxies in front that end TLS; what they say of the client's address and scheme is believed."""
    tls_certificate: Perhaps[Path] = None
    tls_private: Perhaps[Path] = None
    """The private part of the certificate, a file that its owner alone can read."""
    metrics_open: bool = False
    """Whether /metrics answers whoever reaches the port."""
    reads_per_s: float = Field(default=100, gt=0, le=1_000_000)
    orders_per_s: float = Field(default=100, gt=0, le=1_000_000)
    """How many requests each asker may make in the long run; four times as many at once."""


class Settings(BaseSettings):
    """Everything that may be set."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    group: str = Field(default="main", min_length=2, max_length=16, pattern=r"^[a-z0-9]+$")
    """The account group: one writer, one journal; its first two characters begin every order id."""
    operator: Annotated[str, AfterValidator(_in_one_line)] = ""
    """Whose name stands under a command; empty is the login name."""
    database: Database = Database()
    broker: Broker = Broker.model_validate({})
    feed: Feed = Feed()
    run: Run = Run()
    engine: EngineTimes = EngineTimes()
    risk: Risk = Risk()
    live: Live = Live()
    markets: Markets = Markets()
    access: Access = Access()
    web: Web = Web()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The layers that `load` read, and nothing that would look at the world by itself."""
        del env_settings, dotenv_settings, file_secret_settings
        layers = init_settings().pop("layers", ())
        return tuple(_LayerSource(settings_cls, layer) for layer in layers)


@dataclass(frozen=True)
class Home:
    """The folders of one installation: all one under TRADELOOP_HOME, the XDG folders otherwise."""

    config: Path
    data: Path
    state: Path

    @property
    def database(self) -> Path:
        """The SQLite file that holds journal and read models by default."""
        return self.data / "tradeloop.db"

    @property
    def limits(self) -> Path:
        """The limits of risk."""
        return self.config / "risk.yaml"

    @property
    def paper_books(self) -> Path:
        """The paper broker's own books."""
        return self.data / "paper.db"

    @property
    def artefacts(self) -> Path:
        """Where runs leave their files, a folder each."""
        return self.data / "artefacts"

    @property
    def socket(self) -> Path:
        """Where the writing process takes requests of others."""
        return self.data / "control.sock"

    @property
    def latch(self) -> Path:
        """The file that stops everything while it is there."""
        return self.data / "HALT"

    @property
    def second_factor(self) -> Path:
        """The secret of the second factor, and which of its codes were used."""
        return self.data / "second-factor.json"

    @property
    def access(self) -> Path:
        """The users, sessions and keys of an installation on SQLite, beside the journal."""
        return self.data / "access.db"

    @property
    def master_key(self) -> Path:
        """What their secrets are sealed with, apart from them where the folders are apart: a backup of the data opens none."""
        return self.config / "master.key"

    def open_to_others(self) -> str | None:
        """A sentence where others may look into the data folder; what is inside is its owner's alone all the same."""
        if os.name == "nt" or not self.data.exists():
            return None
        mode = stat.S_IMODE(self.data.stat().st_mode)
        if not mode & 0o077:
            return None
        return f"{self.data} has mode {mode:04o}; expected 0700, run: chmod 700 {shlex.quote(str(self.data))}"

    def inside(self, name: str) -> Home:
        """A home of its own below this one's data folder."""
        below = self.data / name
        return Home(below, below, below)

    def prepare(self) -> None:
        """Make the folders, for their owner alone. Raises BadInput where the name is that of something else, JournalFailed
        where the system does not allow it: a disk that is full or may not be written.
        """
        for folder in dict.fromkeys((self.config, self.data, self.state)):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise BadInput(
                    f"the folder {folder} can not be made ({error.strerror or error}); set {HOME_VARIABLE} to one that can"
                ) from None
            except OSError as error:
                raise JournalFailed(
                    f"the folder {folder} can not be made ({error.strerror or error}), so nothing could be recorded; free space"
                    f" on the disk, make it writable, or set {HOME_VARIABLE} to another folder"
                ) from None


def login() -> str:
    """The name under which commands are given where no other is set."""
    try:
        return getuser()
    except (OSError, KeyError):
        return "cli"


@dataclass(frozen=True)
class Loaded:
    """Settings, the folders they hold for, and where each value came from: dotted name -> origin."""

    settings: Settings
    home: Home
    origins: Mapping[str, str]

    @property
    def database_url(self) -> str:
        """The URL in force."""
        return self.settings.database.url or f"sqlite:///{self.home.database}"

    @property
    def operator(self) -> str:
        """The name under which commands are given."""
        return self.settings.operator or login()

    def shown(self) -> list[tuple[str, str, str]]:
        """(name, value with secrets masked, origin) of every setting, in order."""
        flat = _flat(self.settings.model_dump(mode="json"))
        return [(name, _masked(name, value), _origin(name, self.origins)) for name, value in flat.items()]


@dataclass(frozen=True)
class _Layer:
    """What one source says: dotted name -> (value, where exactly)."""

    values: Mapping[str, tuple[Any, str]]


class _LayerSource(PydanticBaseSettingsSource):
    """One layer as pydantic-settings takes it; it merges them, the first one winning."""

    def __init__(self, settings_cls: type[BaseSettings], layer: _Layer) -> None:
        super().__init__(settings_cls)
        self._layer = layer

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: a layer is given whole."""
        del field
        return None, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for name, (value, _) in self._layer.values.items():
            *parents, leaf = name.split(_SEPARATOR)
            inner = tree
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[leaf] = value
        return tree


_SEPARATOR: Final = "."


def find_home(given: Path | None = None, environ: Mapping[str, str] | None = None) -> Home:
    """The folders of this installation: `given`, else TRADELOOP_HOME, else the XDG ones. Raises BadInput."""
    try:
        home = _find_home(given, os.environ if environ is None else environ)
    except RuntimeError as error:  # a ~ of nobody, or no home directory at all
        raise BadInput(f"no folder for the installation could be found ({error}); set {HOME_VARIABLE} to one") from None
    for folder in (home.config, home.data, home.state):
        if os.path.isfile(folder):  # noqa: PTH113 -- Path.is_file() raises where a folder above may not be looked into
            raise BadInput(f"the folder of the installation was {str(folder)!r}, which is a file; name a folder with --home")
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            # Bytes that the encoding in force cannot read; the database could not be opened under such a name.
            raise BadInput(
                f"the folder was {str(folder)!r}, which is no Unicode text in the encoding of this terminal; set LC_ALL=C.UTF-8"
                " or PYTHONUTF8=1, or name another folder"
            ) from None
    return home


def _find_home(given: Path | None, environment: Mapping[str, str]) -> Home:
    named = given or (Path(environment[HOME_VARIABLE]) if environment.get(HOME_VARIABLE) else None)
    if named is not None:
        whole = named.expanduser().absolute()
        return Home(whole, whole, whole)

    # An empty HOME is none: the folder that the account itself has. A relative one would move with every change of folder.
    own = Path.home() if environment.get("HOME") != "" else Path(f"~{getuser()}").expanduser()
    if not own.is_absolute():
        raise RuntimeError(f"HOME was {str(own)!r}; expected the whole path of a folder")

    def xdg(variable: str, fallback: str) -> Path:
        written = environment.get(variable, "")
        base = Path(written) if written and Path(written).is_absolute() else own / fallback
        return base / "tradeloop"

    return Home(xdg("XDG_CONFIG_HOME", ".config"), xdg("XDG_DATA_HOME", ".local/share"), xdg("XDG_STATE_HOME", ".local/state"))


def load(
    given: Mapping[str, object] | None = None,
    *,
    home: Home | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """The settings in force. `given` are the command line's, by dotted name; None among them are not given.

    Raises BadInput with one sentence that names the source and the setting.
    """
    environment = os.environ if environ is None else environ
    place = home or find_home(environ=environment)
    known = _names(Settings)
    dotenv = (folder or Path()) / ".env"
    layers = [
        _Layer({name: (value, "command line") for name, value in (given or {}).items() if value is not None}),
        _variables(environment, known, "environment"),
        _variables(_dotenv(dotenv), known, ".env"),
        _yaml(place.config / "broker.yaml", known, below="broker"),
        _yaml(place.config / "tradeloop.yaml", known),
    ]
    origins: dict[str, str] = {}
    for layer in layers:
        _refuse_what_cannot_be_meant(layer)
        for name, (_, origin) in layer.values.items():
            origins.setdefault(name, origin)
    try:
        settings = Settings(layers=tuple(layers))  # type: ignore[call-arg]
    except ValidationError as error:
        raise BadInput(_complaint(error, origins)) from None
    loaded = Loaded(settings, place, origins)
    _refuse_an_open_secret(loaded)
    return loaded


# --- sources


def _variables(variables: Mapping[str, str], known: Mapping[str, bool], source: str) -> _Layer:
    """TRADELOOP_A__B=… as `a.b`."""
    values: dict[str, tuple[Any, str]] = {}
    for variable, value in variables.items():
        upper = variable.upper()
        name = _SHORT_NAMES.get(upper if upper.startswith(PREFIX) else variable, "")
        if not name:
            if not upper.startswith(PREFIX) or upper in _NOT_SETTINGS or upper.startswith(_TEST_PREFIX):
                continue
            name = variable[len(PREFIX) :].lower().replace("__", _SEPARATOR)
            _must_be_known(name, known, f"{source}: {variable}", lambda each: PREFIX + each.upper().replace(_SEPARATOR, "__"))
        if name in values:
            raise BadInput(f"{source} {variable} and {values[name][1]} are the same setting; keep one of them")
        values[name] = (value, f"{source} {variable}")
    parents = {name.rpartition(_SEPARATOR)[0] for name in values}  # a map and a name in it are refused together, later
    for name in [each for each in values if known.get(each, False) and each not in parents]:
        value, origin = values[name]
        values[name] = (_map(value, origin), origin)
    return _Layer(values)


def _map(value: str, origin: str) -> dict[str, str]:
    """The map that a variable holds as JSON, whose numbers stay the text they were written as."""
    try:
        found = json.loads(value, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise BadInput(
            f'{origin} was {value[:SHOWN_MAX]!r}; expected a map as JSON such as {{"NAME": "1.5"}},'
            f" or a variable for each name such as {origin.rpartition(' ')[2]}__NAME=1.5"
        )
    return found


_NOT_SETTINGS: Final = frozenset({HOME_VARIABLE, "TRADELOOP_DEBUG", "TRADELOOP_DATA"})
_SHORT_NAMES: Final = {
    f"{prefix}{name.upper()}": f"risk.{name}" for name in ("max_order_value", "max_position_size") for prefix in ("", PREFIX)
} | {"TRADELOOP_MASTER_KEY": "access.master_key", "TRADELOOP_MASTER_KEY_FILE": "access.master_file"}
_TEST_PREFIX: Final = "TRADELOOP_TEST_"


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        return {name: value or "" for name, value in dotenv_values(path, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name} can not be read ({error}); expected lines NAME=value") from None


def _refuse_what_cannot_be_meant(layer: _Layer) -> None:
    """A setting and one below it in the same source, and text that no journal could hold."""
    for name, (value, origin) in layer.values.items():
        above = name.rpartition(_SEPARATOR)[0]
        if above in layer.values:
            raise BadInput(f"{origin}: {above} and {shown(name)} are both set; keep one of them")
        if isinstance(value, str) and not is_text(value):
            raise BadInput(f"{origin}: {shown(name)} was {value[:SHOWN_MAX]!r}; expected text in UTF-8, correct it")


def _yaml(path: Path, known: Mapping[str, bool], below: str = "") -> _Layer:
    document = document_of(path)
    if document in (None, ""):
        return _Layer({})
    if not isinstance(document, dict):
        raise BadInput(f"{path.name}: was a {type(document).__name__}; expected names with values, such as `run:`")
    values: dict[str, tuple[Any, str]] = {}
    prefix = f"{below}{_SEPARATOR}" if below else ""
    for name, value in _leaves(document, known, prefix):
        written = shown(name.removeprefix(prefix))
        _must_be_known(name, known, f"{path.name}: {written}", lambda each: each.removeprefix(prefix))
        if name in values:
            raise BadInput(f"{path.name}: {written} stands twice; keep one of them")
        values[name] = (value, path.name)
    return _Layer(values)


def _leaves(document: Mapping[str, Any], known: Mapping[str, bool], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and not known.get(name, False):
            yield from _leaves(value, known, name + _SEPARATOR)
        else:
            yield name, value


# --- names


def _names(model: type[BaseModel], prefix: str = "") -> dict[str, bool]:
    """Every dotted name that may be set -> whether it takes names of its own below it."""
    found: dict[str, bool] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found |= _names(kind, f"{prefix}{name}{_SEPARATOR}")
        else:
            found[f"{prefix}{name}"] = getattr(kind, "__origin__", kind) is dict or dict in _origins(kind)
    return found


def _origins(kind: object) -> set[object]:
    return {getattr(each, "__origin__", each) for each in get_args(kind)}


def _must_be_known(name: str, known: Mapping[str, bool], where: str, written: Any) -> None:
    parent = name.rpartition(_SEPARATOR)[0]
    if name in known or known.get(parent, False):
        return
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {written(near[0])}" if near else "see `tradeloop config show` for all"
    raise BadInput(f"{where} is not a setting; {hint}")


# --- words


def _complaint(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    name = _SEPARATOR.join(str(part) for part in first["loc"] if part != "__key__")
    origin = _origin(name, origins)
    where = "" if origin == DEFAULT else f"{origin}: "
    expected = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    more = error.error_count() - 1
    others = f" ({more} more below)" if more > 0 else ""
    was = _masked(name, first["input"])
    was = was if len(was) <= SHOWN_MAX else f"{was[:SHOWN_MAX]}…"
    return f"{where}{shown(name)} was {was!r}; expected {expected[:1].lower()}{expected[1:]}{others}"


def _origin(name: str, origins: Mapping[str, str]) -> str:
    while name:
        for written in (name, name.lower()):  # a variable has no case, codes of currencies are written in capitals
            if written in origins:
                return origins[written]
        name = name.rpartition(_SEPARATOR)[0]
    return DEFAULT


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{prefix}{key}{_SEPARATOR}")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _masked(name: str, value: object) -> str:
    """A value fit to be shown: no password, no token."""
    if value is None:
        return ""
    if value and _is_secret(name):
        return _MASK
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    text = "" if isinstance(value, dict) else str(value)
    return _without_password(text) if "://" in text else text


def _without_password(url: str) -> str:
    before, at, rest = url.rpartition("@")
    scheme, _, login = before.partition("://")
    user, colon, _ = login.partition(":")
    return f"{scheme}://{user}:{_MASK}@{rest}" if at and colon else url


def _refuse_an_open_secret(loaded: Loaded) -> None:
    """A file that holds a password is its owner's alone."""
    held = [origin for name, origin in loaded.origins.items() if _is_secret(name)]
    if urlsplit(loaded.settings.database.url).password:
        held.append(loaded.origins.get("database.url", ""))
    for origin in held:
        if os.name == "nt" or not origin.endswith(".yaml"):
            continue
        path = loaded.home.config / origin
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise BadInput(f"{path} holds a password and its mode was {mode:04o}; expected 0600, run: chmod 600 {path}")


def _is_secret(name: str) -> bool:
    return any(word in name.rpartition(_SEPARATOR)[2] for word in _SECRET_WORDS)
