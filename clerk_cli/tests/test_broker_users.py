"""Every service's user on a real RabbitMQ: it can do its own work, and none of the others' (security S13)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlsplit

import pika
import pika.exceptions
import pytest

from clerk_cli.tests.processes import clerk
from domain.document import SERVICES
from messaging.broker import DEAD_LETTER_QUEUE, REPLIES_DESTINATION, REPLIES_QUEUE, OutboundMessage, commands_queue
from messaging.rabbitmq.topology import QUEUES
from messaging.rabbitmq.transport import RabbitTransport
from messaging.tests.brokers import channel, connected, eventually
from scenario_tests.servers import attached_servers
from scenario_tests.servers.rabbit import RabbitNode

pytestmark = [pytest.mark.broker, pytest.mark.services]
USERS = ("shop_manager", *SERVICES)
OWN_KEYS = {
    "shop_manager": ("clerk.commands", "risk.ReserveCredit.v1"),
    "shop": ("clerk.replies", "shop_manager.StartShopping.v1"),
    "risk": ("clerk.replies", "shop_manager.ReserveCredit.v1"),
    "payment": ("clerk.replies", "shop_manager.CapturePayment.v1"),
    "fulfillment": ("clerk.replies", "shop_manager.ShipOrder.v1"),
}
OWN_QUEUES = {"shop_manager": [REPLIES_QUEUE, DEAD_LETTER_QUEUE], **{each: [commands_queue(each)] for each in SERVICES}}
ACCESS_REFUSED, WRONG_USER_ID = 403, 406
CTL_LIMIT = 300.0
"""Seconds: some thirty calls of rabbitmqctl, each of which starts an Erlang system."""


@dataclass(frozen=True)
class Shop:
    """A virtual host that was set up by `clerk broker permissions` and `clerk migrate`."""

    node: RabbitNode
    vhost: str
    prefix: str
    variables: dict[str, str]
    tool_log: Path

    def user(self, service: str) -> str:
        return f"{self.prefix}_{service}"

    def url_of(self, service: str, password: str = "") -> str:
        place = urlsplit(self.node.url_of(self.vhost))
        return f"amqp://{self.user(service)}:{password or secret(service)}@127.0.0.1:{place.port}/{self.vhost}"

    def does(self, service: str, act: Callable[[Any], Any]) -> int | None:
        """The code with which the broker refuses what the service's user tries; None when it was done."""
        try:
            with channel(self.url_of(service)) as plain:
                plain.confirm_delivery()
                act(plain)
        except pika.exceptions.ChannelClosedByBroker as error:
            return int(error.reply_code)
        return None


def secret(service: str) -> str:
    return f"hush-{service}-hush"


def passwords() -> dict[str, str]:
    return {f"CLERK_BROKER_PASSWORD_{account.upper()}": secret(account) for account in (*USERS, "owner")}


@pytest.fixture(scope="module")
def node() -> RabbitNode:
    servers = attached_servers()
    if servers is None or not isinstance(servers.broker, RabbitNode):
        pytest.skip("needs a RabbitMQ of our own: python -m scenario_tests.servers run -- pytest …")
    return servers.broker


@pytest.fixture(scope="module")
def shop(node: RabbitNode, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return set_up(node, tmp_path_factory.mktemp("by_tool"), "bytool")


def set_up(node: RabbitNode, folder: Path, name: str, **more: str) -> Shop:
    node.new_vhost(name)
    (folder / "bin").mkdir()
    log = folder / "rabbitmqctl.log"
    log.touch()
    node.put_ctl_into(folder / "bin", log)
    place = urlsplit(node.url_of(name))
    owner = f"amqp://{name}_owner:{secret('owner')}@127.0.0.1:{place.port}/{name}"
    variables = {"CLERK_BROKER_USERS": f"{name}_{{service}}", "CLERK_BROKER_OWNER_URL": owner, **more}
    variables["PATH"] = f"{folder / 'bin'}:/usr/bin:/bin"
    made = Shop(node, name, name, variables, log)
    assert "there is no broker user" in apply(made, folder, code=2)
    words = ("--create-users", "--owner", f"{name}_owner", "--json")
    shown = json.loads(apply(made, folder, *words, variables=passwords()))
    assert [each["account"] for each in shown["users"]] == [*USERS, "owner"]
    assert (shown["applied"], shown["vhost"]) == (True, name)
    migrated(made, folder)
    return made


def apply(
    shop: Shop, folder: Path, *arguments: str, code: int = 0, variables: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What `clerk broker permissions --apply` says, in one line where it refuses."""
    words = ("broker", "permissions", "--apply", *arguments)
    with clerk(*words, folder=folder, **{**shop.variables, **variables}) as running:
        assert running.ended(within=CTL_LIMIT) == code, running.errors
        assert "hush" not in running.errors
        return running.errors if code else "\n".join(running.lines)


def migrated(shop: Shop, folder: Path) -> None:
    """`clerk migrate` declares everything, also when it is there, with an account that may do nothing else."""
    for _ in range(2):
        with clerk("migrate", "--data", "data", "--json", folder=folder, **shop.variables) as running:
            assert running.ended() == 0, running.errors
            declared = json.loads("\n".join(running.lines))[-1]
            assert declared["declared"] is True
            assert declared["broker"].endswith(f"/{shop.vhost}")


def publishing(exchange: str, key: str, user: str | None) -> Callable[[Any], Any]:
    def act(plain: Any) -> None:
        plain.basic_publish(exchange, key, b"[]", pika.BasicProperties(user_id=user), mandatory=True)

    return act


def calling(method: str, *arguments: Any, **more: Any) -> Callable[[Any], Any]:
    """The act of calling this method of a pika channel."""
    return lambda plain: getattr(plain, method)(*arguments, **more)


@pytest.mark.parametrize("service", USERS)
def test_S13_a_service_can_do_its_own_work(shop: Shop, service: str) -> None:
    exchange, key = OWN_KEYS[service]
    assert shop.does(service, publishing(exchange, key, shop.user(service))) is None
    for queue in OWN_QUEUES[service]:
        assert shop.does(service, calling("basic_get", queue)) is None
    if service != "shop_manager":
        notice = publishing("clerk.replies", "shop_manager.MessageParked.v1", shop.user(service))
        assert shop.does(service, notice) is None


@pytest.mark.parametrize("other", USERS)
@pytest.mark.parametrize("service", USERS)
def test_S13_a_service_can_neither_say_nor_read_what_is_anothers(shop: Shop, service: str, other: str) -> None:
    if service == other:
        return
    own = shop.user(service)
    exchange, key = OWN_KEYS[other]
    assert shop.does(service, publishing(exchange, key, own)) == ACCESS_REFUSED
    assert shop.does(service, publishing(exchange, key, None)) == ACCESS_REFUSED
    assert shop.does(service, publishing(*OWN_KEYS[service], shop.user(other))) == WRONG_USER_ID
    for queue in OWN_QUEUES[other]:
        assert shop.does(service, publishing("", queue, own)) == ACCESS_REFUSED, "past all exchanges"
        assert shop.does(service, calling("basic_get", queue)) == ACCESS_REFUSED
        for act in (calling("basic_consume", queue, print), calling("queue_purge", queue)):
            assert shop.does(service, act) == ACCESS_REFUSED


@pytest.mark.parametrize("service", USERS)
def test_S13_a_service_configures_nothing(shop: Shop, service: str) -> None:
    tries = [
        calling("queue_declare", "of.my.own"),
        calling("queue_declare", "", exclusive=True),
        calling("exchange_declare", "of.my.own", "topic"),
        calling("exchange_delete", "clerk.commands"),
        calling("exchange_bind", "clerk.replies", "clerk.commands", "#"),
        publishing("clerk.dead", "risk.Odd.v1", None),
        publishing("amq.topic", "risk.Odd.v1", None),
    ]
    for queue in QUEUES:
        tries += [
            calling("queue_delete", queue.name),
            calling("queue_unbind", queue.name, queue.exchange, queue.pattern),
            calling("queue_bind", queue.name, "clerk.commands", "#"),
            calling("queue_bind", queue.name, "clerk.replies", "#"),
        ]
    assert [shop.does(service, each) for each in tries] == [ACCESS_REFUSED] * len(tries)


@pytest.mark.parametrize("service", USERS)
def test_S13_a_service_has_no_other_virtual_host(shop: Shop, service: str) -> None:
    url = shop.url_of(service).rpartition("/")[0]
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError), channel(f"{url}/{quote('/', safe='')}"):
        pass


def test_S13_what_a_service_may_not_say_holds_up_nothing_that_it_may(shop: Shop) -> None:
    """As after an upgrade, when a process asks something new and the rights were forgotten."""
    with channel(shop.node.url_of(shop.vhost)) as plain:
        plain.queue_purge(REPLIES_QUEUE)
    risk = RabbitTransport(shop.url_of("risk"), consumes=commands_queue("risk"), name="test", declares=False)
    topics = ["ReserveCredit", "Brand.New", "SettleCredit", "ReserveCredit"]
    messages = [
        OutboundMessage(number, REPLIES_DESTINATION, f"shop_manager.{topic}.v1", b"[]")
        for number, topic in enumerate(topics)
    ]
    confirmed: set[int] = set()

    def all_but_one() -> bool:
        confirmed.update(risk.publish(messages, 2.0))
        return confirmed == {0, 2, 3}

    try:
        connected(risk)
        eventually(all_but_one, "all but one go out")
        eventually(lambda: "Brand.New" in (risk.trouble or ""), f"it says what it may not: {risk.trouble}")
        assert risk.publish(messages, 5.0) == {0, 2, 3}
        assert risk.connected
    finally:
        risk.close()


def test_S13_the_owner_declares_and_says_nothing(shop: Shop) -> None:
    for service in USERS:
        assert shop.does("owner", publishing(*OWN_KEYS[service], shop.user("owner"))) == ACCESS_REFUSED
    assert shop.does("owner", publishing("", REPLIES_QUEUE, None)) == ACCESS_REFUSED


def test_S16_passwords_are_in_no_argument_of_rabbitmqctl(shop: Shop) -> None:
    arguments = shop.tool_log.read_text()
    assert f"add_user {shop.user('risk')}\n" in arguments
    assert "hush" not in arguments


def test_passwords_are_changed_by_the_same_command(shop: Shop, tmp_path: Path) -> None:
    apply(shop, tmp_path, "--create-users", variables={**passwords(), "CLERK_BROKER_PASSWORD_RISK": "another-one"})
    with pytest.raises(pika.exceptions.ProbableAuthenticationError), channel(shop.url_of("risk")):
        pass
    with channel(shop.url_of("risk", "another-one")):
        pass
    shop.node.ctl("change_password", shop.user("risk"), secret("risk"))
    with channel(shop.url_of("risk")):
        pass


@pytest.mark.parametrize("tag", ["impersonator", "administrator"])
def test_S13_a_user_whose_tag_gives_it_more_is_refused(shop: Shop, tmp_path: Path, tag: str) -> None:
    shop.node.ctl("set_user_tags", shop.user("shop"), tag)
    try:
        said = apply(shop, tmp_path, code=2)
        assert said.count("\n") == 1
        assert f"has the tags {tag}" in said
    finally:
        shop.node.ctl("set_user_tags", shop.user("shop"))


@pytest.fixture(scope="module")
def management(node: RabbitNode) -> str:
    """The URL of RabbitMQ's HTTP API, for an administrator."""
    return node.enable_management()


def test_S13_the_same_is_set_by_the_http_api_from_another_machine(
    node: RabbitNode, management: str, tmp_path: Path
) -> None:
    shop = set_up(node, tmp_path, "by.api", CLERK_BROKER_MANAGEMENT_URL=management)
    assert shop.tool_log.read_text() == ""
    for service in USERS:
        test_S13_a_service_can_do_its_own_work(shop, service)
        test_S13_a_service_configures_nothing(shop, service)
    for service, other in (("risk", "payment"), ("fulfillment", "shop_manager"), ("shop_manager", "shop")):
        test_S13_a_service_can_neither_say_nor_read_what_is_anothers(shop, service, other)
    test_S13_the_owner_declares_and_says_nothing(shop)
    test_passwords_are_changed_by_the_same_command(shop, tmp_path)


def test_S16_a_wrong_account_of_the_http_api_is_one_line(shop: Shop, management: str, tmp_path: Path) -> None:
    wrong = management.replace("guest:guest", "guest:hush")
    said = apply(shop, tmp_path, code=2, variables={"CLERK_BROKER_MANAGEMENT_URL": wrong})
    assert said == "clerk: RabbitMQ's HTTP API, GET users: 401: its account is wrong, or is no administrator's\n"


def test_B3_a_queue_with_other_arguments_is_one_line_of_migrate_and_left_alone(
    node: RabbitNode, shop: Shop, tmp_path: Path
) -> None:
    name = "otherwise"
    admin = node.new_vhost(name)
    with channel(admin) as plain:
        plain.queue_declare(commands_queue("shop"), durable=True)
        plain.basic_publish("", commands_queue("shop"), b"precious")
    variables = {**shop.variables, "CLERK_BROKER_OWNER_URL": admin, "CLERK_DEVELOPMENT": "yes"}
    with clerk("migrate", "--data", "data", folder=tmp_path, **variables) as running:
        assert running.ended() == 2
        [line] = [each for each in running.errors.splitlines() if not each.startswith("clerk: warning: ")]
        assert "shop.commands.v1" in line
        assert "other arguments" in line
    with channel(admin) as plain:
        assert plain.basic_get(commands_queue("shop"))[2] == b"precious"


@pytest.fixture(autouse=True)
def _no_words_of_pika(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """It logs each refusal that we ask for."""
    with caplog.at_level("CRITICAL", logger="pika"):
        yield
