"""Writes docs/messages from the processes: each message's JSON schema, and the AsyncAPI document.

`python -m shop_manager.schemas`. There is a file for each command that some process asks and for its reply, beside the
general schemas of messaging/json_schemas.py; asyncapi.json says on which queue each travels, and who answers what.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.document import SECTION_OF
from domain.messages import SHOP_MANAGER, Direction
from messaging.broker import COMMANDS_DESTINATION, REPLIES_DESTINATION, REPLIES_QUEUE, commands_queue
from messaging.json_schemas import (
    DIALECT,
    IS_REPORT,
    JsonSchema,
    command_schema,
    document_schema,
    notice_schema,
    reply_schema,
)
from shop_manager.processes import discover
from shop_manager.processes.definition import NOTHING_TO_UNDO, Process, Step, name_and_version
from shop_manager.saga.replies import FITTING

FOLDER = Path(__file__).parent.parent / "docs" / "messages"
SCHEMA_FORMAT = "application/schema+json;version=2020-12"


@dataclass
class CommandUse:
    """One command of one service: at which steps it is asked, and in which direction."""

    service: str
    name: str
    version: int
    steps: set[str] = field(default_factory=set)
    directions: set[Direction] = field(default_factory=set)

    @property
    def title(self) -> str:
        return f"{self.name}.v{self.version}"

    @property
    def key(self) -> str:
        """As a name inside the AsyncAPI document."""
        return f"{self.name}_v{self.version}"


def asked_of_services(processes: Sequence[Process]) -> list[CommandUse]:
    """Every command that some process asks, in the order of services and names."""
    found: dict[tuple[str, str, int], CommandUse] = {}
    for process in processes:
        for step in process.steps:
            for command, direction in _commands(step):
                place = (step.asks, *name_and_version(command))
                asked = found.setdefault(place, CommandUse(*place))
                asked.steps.add(step.name)
                asked.directions.add(direction)
    return [found[place] for place in sorted(found)]


def _commands(step: Step) -> list[tuple[str, Direction]]:
    asked: list[tuple[str, Direction]] = [(step.do, "do")]
    if step.undo and step.undo != NOTHING_TO_UNDO:
        asked.append((step.undo, "undo"))
    if step.overdue:
        asked.append((step.overdue, "do"))
    return asked


def files(processes: Sequence[Process]) -> dict[str, JsonSchema]:
    """Every file of docs/messages, by its path there."""
    asked = asked_of_services(processes)
    return {
        "document.schema.json": document_schema(),
        "command.schema.json": command_schema(),
        "reply.schema.json": reply_schema(),
        "notice.schema.json": notice_schema(),
        **{f"commands/{each.title}.schema.json": _one_command(each) for each in asked},
        **{f"replies/{each.title}.schema.json": _one_reply(each) for each in asked},
        "asyncapi.json": asyncapi(asked),
    }


def _one_command(asked: CommandUse) -> JsonSchema:
    return {
        "$schema": DIALECT,
        "title": asked.title,
        "description": f"ShopManager to {asked.service}; exchange {COMMANDS_DESTINATION}, routing key "
        f"{asked.service}.{asked.title}.",
        "allOf": [{"$ref": "../command.schema.json"}],
        "properties": {**_fixed(asked), "document": {"$ref": "../document.schema.json"}},
    }


def _one_reply(asked: CommandUse) -> JsonSchema:
    section = SECTION_OF[asked.service]
    return {
        "$schema": DIALECT,
        "title": f"{asked.title} answered",
        "description": f"{asked.service} to ShopManager; exchange {REPLIES_DESTINATION}, routing key "
        f"{SHOP_MANAGER}.{asked.title}. Of the document only the section `{section}` is taken.",
        "allOf": [{"$ref": "../reply.schema.json"}],
        "properties": {**_fixed(asked), "document": {"$ref": "../document.schema.json"}},
        "anyOf": [
            *(
                {"properties": {"direction": {"const": direction}, "outcome": {"enum": list(FITTING[direction])}}}
                for direction in sorted(asked.directions)
            ),
            *([IS_REPORT] if "do" in asked.directions else []),
        ],
    }


def _fixed(asked: CommandUse) -> JsonSchema:
    return {
        "name": {"const": asked.name},
        "version": {"const": asked.version},
        "step": {"enum": sorted(asked.steps)},
        "direction": {"enum": sorted(asked.directions)},
    }


# --- AsyncAPI --------------------------------------------------------------------------------------------------------


def asyncapi(asked: Sequence[CommandUse]) -> dict[str, Any]:
    """The AsyncAPI 3.0 document, from ShopManager's side: it sends commands, and receives replies and notices."""
    services = sorted({each.service for each in asked})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shop Clerk",
            "version": "1",
            "description": "Commands from ShopManager to the services, and their answers, over RabbitMQ. "
            "The body of every delivery is a JSON list of one or more messages with the same routing key. "
            "The addresses of the channels are the queues; the routing key stands with each message. "
            "The AMQP property user_id of each is the broker's user of who may say it: ShopManager's for a command, "
            "for a reply that of the service that was asked, for a notice that of the service that it names. "
            "A message from any other is parked.",
        },
        "defaultContentType": "application/json",
        "channels": {
            **{f"{service}_commands": _commands_channel(service, asked) for service in services},
            "replies": _replies_channel(asked),
        },
        "operations": {
            **{f"ask_{each.key}": _ask(each) for each in asked},
            "hear_of_parked_messages": {
                "action": "receive",
                "channel": {"$ref": "#/channels/replies"},
                "messages": [{"$ref": "#/channels/replies/messages/MessageParked_v1"}],
            },
        },
        "components": {
            "messages": {
                **{each.key: _message(f"commands/{each.title}", f"{each.service}.{each.title}") for each in asked},
                **{
                    f"{each.key}_answered": _message(f"replies/{each.title}", f"{SHOP_MANAGER}.{each.title}")
                    for each in asked
                },
                "MessageParked_v1": _message("notice", f"{SHOP_MANAGER}.MessageParked.v1"),
            }
        },
    }


def _commands_channel(service: str, asked: Sequence[CommandUse]) -> dict[str, Any]:
    keys = [each.key for each in asked if each.service == service]
    text = f"What {service} is asked; bound to the topic exchange {COMMANDS_DESTINATION} by {service}.#"
    return _channel(commands_queue(service), text, keys)


def _replies_channel(asked: Sequence[CommandUse]) -> dict[str, Any]:
    text = f"What ShopManager hears; bound to the topic exchange {REPLIES_DESTINATION} by {SHOP_MANAGER}.#"
    return _channel(REPLIES_QUEUE, text, [*(f"{each.key}_answered" for each in asked), "MessageParked_v1"])


def _channel(queue: str, description: str, keys: Sequence[str]) -> dict[str, Any]:
    queue_binding = {"name": queue, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": queue,
        "description": description,
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in keys},
        "bindings": {"amqp": {"is": "queue", "queue": queue_binding, "bindingVersion": "0.3.0"}},
    }


def _ask(asked: CommandUse) -> dict[str, Any]:
    channel = f"#/channels/{asked.service}_commands"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{asked.key}"}],
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}},
        "reply": {
            "channel": {"$ref": "#/channels/replies"},
            "messages": [{"$ref": f"#/channels/replies/messages/{asked.key}_answered"}],
        },
    }


def _message(schema: str, routing_key: str) -> dict[str, Any]:
    content = {"type": "array", "minItems": 1, "items": {"$ref": f"./{schema}.schema.json"}}
    return {
        "name": routing_key,
        "summary": f"routing key {routing_key}",
        "contentType": "application/json",
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": content},
    }


# --- writing ---------------------------------------------------------------------------------------------------------


def text_of(schema: JsonSchema) -> str:
    """A file's content."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write every file, and take away schemas of what nobody asks any more."""
    wanted = {folder / path: text_of(schema) for path, schema in files(discover()).items()}
    for old in set(folder.rglob("*.json")) - wanted.keys():
        old.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    write(FOLDER)
    sys.stdout.write(f"{FOLDER}\n")
