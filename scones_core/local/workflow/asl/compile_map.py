"""Compiles a Map state: https://states-language.net/spec.html#map-state"""

import re
from typing import Any

from scones_core.local.workflow.asl.compile_retry import compile_catchers, compile_retriers, next_state
from scones_core.local.workflow.asl.compiler import Compiler, Language
from scones_core.local.workflow.asl.fields import Fields
from scones_core.local.workflow.asl.flow import Evaluate
from scones_core.local.workflow.asl.item_batcher import ItemBatcher
from scones_core.local.workflow.asl.item_reader import (
    DELIMITERS,
    MAX_ITEMS,
    ItemReader,
    ListObjects,
    ReadObject,
    csv_items,
    json_items,
    json_lines_items,
)
from scones_core.local.workflow.asl.jsonata_language import Jsonata
from scones_core.local.workflow.asl.map_distributed import DistributedMap
from scones_core.local.workflow.asl.map_inline import InlineMap
from scones_core.local.workflow.asl.result_writer import ResultWriter
from scones_core.local.workflow.asl.state import State, StateMachine

_S3 = re.compile(r"arn:aws[a-z-]*:states:::s3:(?P<action>.+)")
_LABEL = re.compile(r"[^\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]{1,40}")
_DISTRIBUTED_ONLY = ("ItemReader", "ItemBatcher", "ResultWriter", "Label")


def compile_map(name: str, fields: Fields, compiler: Compiler, language: Language) -> State:
    common: dict[str, Any] = {
        "name": name,
        "item_selector": _item_selector(fields, language),
        "flow": language.flow(fields, "ResultSelector", "ResultPath"),
        "next": next_state(fields),
        "retriers": compile_retriers(fields),
        "catchers": compile_catchers(fields, language),
        "max_concurrency": language.integer(fields, "MaxConcurrency", maximum=MAX_ITEMS),
    }
    tolerance: dict[str, Any] = {
        "tolerated_failure_count": language.integer(fields, "ToleratedFailureCount", maximum=MAX_ITEMS),
        "tolerated_failure_percentage": language.number(fields, "ToleratedFailurePercentage", minimum=0, maximum=100),
    }
    distributed, express, processor = _processor(fields, compiler)
    if distributed:
        return DistributedMap(
            **common, **tolerance, **_distributed(fields, language), processor=processor, express=express
        )
    for field in _DISTRIBUTED_ONLY:
        if field in fields:
            raise fields.error(field, "needs a ProcessorConfig with the Mode DISTRIBUTED")
    # AWS accepts the two fields of failure tolerance in an inline Map too, where they change nothing.
    return InlineMap(**common, items=language.items(fields), processor=processor)


def _item_selector(fields: Fields, language: Language) -> Evaluate | None:
    if isinstance(language, Jsonata):
        return language.template(fields, "ItemSelector") if "ItemSelector" in fields else None
    fields.only_one("ItemSelector", "Parameters")
    for name in ("ItemSelector", "Parameters"):
        if name in fields:
            return language.template(fields, name)
    return None


def _processor(fields: Fields, compiler: Compiler) -> tuple[bool, bool, StateMachine]:
    """Return whether the Map is distributed, whether its children are EXPRESS, and their machine."""
    fields.only_one("ItemProcessor", "Iterator", required=True)
    processor = fields.object("ItemProcessor" if "ItemProcessor" in fields else "Iterator")
    mode, type_ = "INLINE", "STANDARD"
    if "ProcessorConfig" in processor:
        config = processor.object("ProcessorConfig")
        mode = config.choice("Mode", "INLINE", ["INLINE", "DISTRIBUTED"])
        type_ = config.choice("ExecutionType", "STANDARD", ["STANDARD", "EXPRESS"])
        config.finish()
    machine = StateMachine(*compiler.compile_lines(processor, compiler))
    processor.finish()
    return mode == "DISTRIBUTED", type_ == "EXPRESS", machine


def _distributed(fields: Fields, language: Language) -> dict[str, Any]:
    label = fields.optional_text("Label")
    if label is not None and not _LABEL.fullmatch(label):
        raise fields.error("Label", "must have 1 to 40 characters, and none of those that a file name cannot have")
    if "ItemReader" in fields and "Items" in fields:
        raise fields.error("Items", "cannot be given next to ItemReader")  # AWS ignores an ItemsPath there
    reader = _item_reader(fields.object("ItemReader"), language) if "ItemReader" in fields else None
    return {
        "items": language.items(fields),
        "reader": reader,
        "batcher": _item_batcher(fields.object("ItemBatcher"), language) if "ItemBatcher" in fields else None,
        "writer": _result_writer(fields.object("ResultWriter"), language) if "ResultWriter" in fields else None,
        "label": label,
    }


def _action(fields: Fields, *allowed: str) -> str:
    found = _S3.fullmatch(fields.text("Resource"))
    if found is None or found["action"] not in allowed:
        names = " or ".join(f"arn:aws:states:::s3:{action}" for action in allowed)
        raise fields.error("Resource", f"must be {names}")
    return found["action"]


def _item_reader(fields: Fields, language: Language) -> ItemReader:
    action = _action(fields, "listObjectsV2", "getObject")
    arguments = language.template(fields, language.arguments_field)
    config = fields.object("ReaderConfig") if "ReaderConfig" in fields else Fields({}, f"{fields.where}: ReaderConfig")
    max_items = language.integer(config, "MaxItems", minimum=_least(config, "MaxItems", 0), maximum=MAX_ITEMS)
    if action == "listObjectsV2":
        reader: ItemReader = ListObjects(arguments, max_items)
    else:
        reader = ReadObject(arguments, max_items, _parser(config))
    config.finish()
    fields.finish()
    return reader


def _least(fields: Fields, name: str, least: int) -> int:
    """Return the bound of a given number; what a path gives is judged when the Map Run has started."""
    return least if name in fields else -(10**9)


def _parser(config: Fields) -> Any:
    kind = config.choice("InputType", "", ["CSV", "JSON", "JSONL"])
    if kind != "CSV":
        return json_items if kind == "JSON" else json_lines_items
    location = config.choice("CSVHeaderLocation", "", ["FIRST_ROW", "GIVEN"])
    headers = config.any("CSVHeaders") if location == "GIVEN" else None
    if headers is not None and (not isinstance(headers, list) or not all(isinstance(name, str) for name in headers)):
        raise config.error("CSVHeaders", "must be a list of texts")
    return csv_items(headers, DELIMITERS[config.choice("CSVDelimiter", "COMMA", list(DELIMITERS))])


def _item_batcher(fields: Fields, language: Language) -> ItemBatcher:
    batcher = ItemBatcher(
        language.integer(fields, "MaxItemsPerBatch", minimum=_least(fields, "MaxItemsPerBatch", 1), maximum=MAX_ITEMS),
        language.integer(fields, "MaxInputBytesPerBatch", minimum=_least(fields, "MaxInputBytesPerBatch", 1)),
        language.template(fields, "BatchInput") if "BatchInput" in fields else None,
    )
    if batcher.max_items is None and batcher.max_bytes is None:
        raise fields.error("MaxItemsPerBatch", "or MaxInputBytesPerBatch must be given")
    fields.finish()
    return batcher


def _result_writer(fields: Fields, language: Language) -> ResultWriter:
    if "Resource" not in fields and "WriterConfig" not in fields:
        raise fields.error("Resource", "or WriterConfig must be given")
    arguments = None
    if "Resource" in fields:  # without it, the results are only transformed
        _action(fields, "putObject")
        arguments = language.template(fields, language.arguments_field)
    config = fields.object("WriterConfig") if "WriterConfig" in fields else Fields({}, fields.where)
    transformation = config.choice("Transformation", "NONE", ["NONE", "COMPACT", "FLATTEN"])
    lines = config.choice("OutputType", "JSON", ["JSON", "JSONL"]) == "JSONL"
    config.finish()
    fields.finish()
    return ResultWriter(arguments, transformation, lines)
