"""Reads the ledger's topics with another client (librdkafka) and checks every message by another validator of JSON Schema.

Needs confluent-kafka and jsonschema. Prints one JSON object; ends with status 1 when a message is not what the contract says.
"""

import argparse
import json
import sys
import uuid
from pathlib import Path

from confluent_kafka import Consumer, KafkaError
from jsonschema import Draft202012Validator

FAULTS_SHOWN = 10
SILENCE_SECONDS = 30


def readers_schema(schema):
    """As a reader takes it: fields that are not named are ignored."""
    if isinstance(schema, dict):
        return {key: readers_schema(value) for key, value in schema.items() if key != "additionalProperties"}
    return [readers_schema(item) for item in schema] if isinstance(schema, list) else schema


def validators(folder, lenient=False):
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*.json"))]
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
    return {schema["$id"]: Draft202012Validator(readers_schema(schema) if lenient else schema) for schema in schemas}


def every_message(brokers, topic):
    """All committed messages, until each partition has said that it is at its end."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"foreign-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    partitions = len(consumer.list_topics(topic, timeout=SILENCE_SECONDS).topics[topic].partitions)
    consumer.subscribe([topic])
    ended = set()
    while len(ended) < partitions:
        message = consumer.poll(SILENCE_SECONDS)
        if message is None:
            raise SystemExit(f"{topic}: no answer for {SILENCE_SECONDS} s")
        if message.error() is None:
            yield message
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition())
        else:
            raise SystemExit(str(message.error()))
    consumer.close()


def faults_in(validator, value):
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def check_events(args, check, report):
    last = {}
    for message in every_message(args.brokers, args.events):
        headers = {name: value.decode("utf-8") for name, value in message.headers() or []}
        key, kind = message.key().decode("utf-8"), headers.get("ce_type", "")
        value = json.loads(message.value())
        revision = int(headers.get("ce_streamrevision", "-1"))
        schema = "urn:token-ledger:skipped:1" if kind == "ledger.skipped.v1" else headers.get("ce_dataschema", "")
        faults = faults_in(check["urn:token-ledger:headers:1"], headers)
        faults += faults_in(check[schema], value) if schema in check else [f"no schema {schema}"]
        if revision != last.get(key, -1) + 1:
            faults.append(f"revision {revision} after {last.get(key, -1)}")
        if headers.get("ce_subject") != key.replace("Wallet-", ":"):
            faults.append("the subject is not the wallet of the key")
        last[key] = revision
        report["events"] += 1
        report["types"][kind] = report["types"].get(kind, 0) + 1
        report["faults"] += [f"{kind} {key} {revision}: {fault}" for fault in faults]
    report["wallets"] = len(last)


def check_balances(args, check, report):
    balances = {}
    for message in every_message(args.brokers, args.balances):
        value = json.loads(message.value())
        report["balances"] += 1
        report["faults"] += [f"balance {message.key()}: {fault}" for fault in faults_in(check["urn:token-ledger:balance:1"], value)]
        balances[message.key().decode("utf-8")] = value["balance"]
    report["held"] = sum(balances.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--schemas", required=True)
    parser.add_argument("--events", default="ledger.wallet-events.v1")
    parser.add_argument("--balances", default="ledger.wallet-balances.v1")
    parser.add_argument("--lenient", action="store_true", help="as a reader: ignore fields that the schemas do not name")
    args = parser.parse_args()
    check = validators(args.schemas, args.lenient)
    report = {"events": 0, "types": {}, "balances": 0, "faults": []}
    check_events(args, check, report)
    check_balances(args, check, report)
    faults = len(report["faults"])
    print(json.dumps({**report, "faults": faults, "first": report["faults"][:FAULTS_SHOWN]}))
    sys.exit(1 if faults else 0)


main()
