"""Every secret setting may come from a file that `…_FILE` names, and passwords by themselves go into URLs (S16)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from messaging.secret_files import LARGEST, BadSecretFile, secret_fields, variable_of
from messaging.settings import ServiceSettings


class Settings(ServiceSettings):
    """As a service has them: one secret by its field's name, and one under a name of its own."""

    model_config = SettingsConfigDict(populate_by_name=True)
    secret: SecretStr = Field(default=SecretStr(""))
    provider_secret: SecretStr = Field(default=SecretStr(""), validation_alias="CLERK_PAYMENT_PROVIDER_SECRET")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plain(settings: Settings, field: str) -> str:
    value: SecretStr = getattr(settings, field)
    return value.get_secret_value()


@pytest.mark.parametrize("field", secret_fields(Settings))
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_S16_every_secret_may_come_from_a_file(
    field: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it").write_bytes(b"amqp://u@h/ and what else" + end.encode())
    monkeypatch.setenv(f"{variable_of(Settings, field)}_FILE", str(tmp_path / "it"))
    assert plain(Settings(), field) == "amqp://u@h/ and what else"


def test_the_file_may_be_named_in_dotenv_and_a_variable_set_to_nothing_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CLERK_SECRET_FILE=it\nCLERK_SECRET=\n")
    (tmp_path / "it").write_text("from the file")
    monkeypatch.setenv("CLERK_PAYMENT_PROVIDER_SECRET", "")
    monkeypatch.setenv("CLERK_PAYMENT_PROVIDER_SECRET_FILE", "it")
    assert plain(Settings(), "secret") == plain(Settings(), "provider_secret") == "from the file"
    monkeypatch.setenv("CLERK_SECRET_FILE", "")
    assert plain(Settings(), "secret") == ""


@pytest.mark.parametrize("where", ["environment", "dotenv"])
def test_a_secret_that_is_set_in_two_ways_is_refused(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it").write_text("hush-1")
    (tmp_path / ".env").write_text("CLERK_SECRET=hush-2\n" if where == "dotenv" else "")
    monkeypatch.setenv("CLERK_SECRET_FILE", "it")
    if where == "environment":
        monkeypatch.setenv("CLERK_SECRET", "hush-2")
    with pytest.raises(BadSecretFile, match="CLERK_SECRET and CLERK_SECRET_FILE are both set") as refused:
        Settings()
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"hush\nhush", "more than one line"),
        (b"hush\x00", "control characters"),
        (b"\xff\xfehush", "is not UTF-8 text"),
        (b"hush" * LARGEST, "is no file of at most 64 KiB"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused_in_one_line_without_it(
    content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it").write_bytes(content)
    monkeypatch.setenv("CLERK_SECRET_FILE", "it")
    with pytest.raises(BadSecretFile, match="CLERK_SECRET_FILE") as refused:
        Settings()
    assert says in str(refused.value)
    assert "hush" not in str(refused.value) and "\n" not in str(refused.value)


def test_a_secret_that_was_taken_for_the_name_of_its_file_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_SECRET_FILE", "hush/hush")
    with pytest.raises(BadSecretFile, match="CLERK_SECRET_FILE names a file that cannot be read: No such") as refused:
        Settings()
    assert "hush" not in str(refused.value)


def test_no_folder_and_no_file_that_everybody_may_change_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLERK_SECRET_FILE", str(tmp_path))
    with pytest.raises(BadSecretFile, match="is no file"):
        Settings()
    (tmp_path / "it").write_text("hush")
    (tmp_path / "it").chmod(0o666)
    monkeypatch.setenv("CLERK_SECRET_FILE", "it")
    with pytest.raises(BadSecretFile, match="everybody on this machine may change 'it': chmod o-w it"):
        Settings()
    (tmp_path / "it").chmod(0o444)  # as Docker and Kubernetes hand them over
    assert plain(Settings(), "secret") == "hush"


# --- passwords by themselves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("server", "scheme"), [("database", "postgresql"), ("broker", "amqp")])
@pytest.mark.parametrize("kind", ["PASSWORD", "PASSWORD_FILE"])
def test_a_password_by_itself_is_put_into_the_url(
    server: str, scheme: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "p@ss/w:rd%41?#"
    (tmp_path / "it").write_text(password)
    monkeypatch.setenv(f"CLERK_{server.upper()}_URL", f"{scheme}://clerk@host/{{service}}")
    monkeypatch.setenv(f"CLERK_{server.upper()}_{kind}", password if kind == "PASSWORD" else "it")
    assert plain(Settings(), f"{server}_url") == f"{scheme}://clerk:p%40ss%2Fw%3Ard%2541%3F%23@host/{{service}}"


@pytest.mark.parametrize("url", ["postgresql://host/x", "postgresql://clerk:hush@host/x", "postgresql://cl@rk@host/x"])
def test_a_password_that_has_no_place_in_its_url_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_DATABASE_URL", url)
    monkeypatch.setenv("CLERK_DATABASE_PASSWORD", "hush")
    with pytest.raises(ValidationError) as refused:
        Settings()
    [error] = refused.value.errors(include_input=False)
    assert error["msg"].startswith("setting CLERK_DATABASE_PASSWORD cannot be put into CLERK_DATABASE_URL: ")
    assert "hush" not in error["msg"]


def test_a_password_is_not_needed_by_a_file_of_sqlite_and_may_wait_for_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLERK_DATABASE_PASSWORD", "hush")
    assert plain(Settings(), "database_url") == "sqlite:///.clerk/{service}.db"
    monkeypatch.setenv("CLERK_DATABASE_URL", "sqlite:///x/{service}.db")
    assert plain(Settings(), "database_url") == "sqlite:///x/{service}.db"
