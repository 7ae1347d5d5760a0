"""What photos show: their labels, and the words that labels are found by.

Labels come from a vocabulary of some thousand names, so each is written down, and indexed for its words, once.
Words are taken apart here and not by the databases, for the same question to have the same answer on both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, func, literal_column, select, text

from facesearch.domain import Box
from facesearch.domain.files import Content
from facesearch.errors import UsageError
from facesearch.records.columns import storable
from facesearch.records.tables import LABELS, PHOTO_LABELS, TAGGED
from facesearch.records.unit import AnyRow, Unit, chunks, path_id

if TYPE_CHECKING:  # while it runs, imported where they are made: few commands are about labels
    from facesearch.domain.labels import FoundLabel, Label, LabelInstance, PhotoLabels

_WORD = re.compile(r"[^\W_]+")
_INDEX = "labels_text"  # the FTS5 table of SQLite


class LabelRecords(Unit):
    """Photos by their labels. A photo has those it was given last."""

    def known_labels(self, engine: str, photos: Sequence[str]) -> dict[str, PhotoLabels]:
        """What an engine said of those photos, by path."""
        by_id = {path_id(photo): photo for photo in photos}
        known: dict[str, PhotoLabels] = {}
        for some in chunks(by_id):
            chosen = select(TAGGED).where(TAGGED.c.path_id.in_(some), TAGGED.c.engine == engine)
            for row in self._connection.execute(chosen).all():
                known[by_id[row.path_id]] = _photo_labels(row, self._labels_of(row.id))
        return known

    def keep_labels(self, engine: str, labels: PhotoLabels) -> None:
        """Write down the labels of a photo, in place of those it had."""
        here = path_id(labels.photo)
        self._upsert(
            TAGGED,
            [
                {
                    "path": labels.photo,
                    "path_id": here,
                    "digest": labels.content.digest,
                    "size": labels.content.size,
                    "version": labels.content.version,
                    "engine": engine,
                    "model_version": labels.model_version,
                    "min_confidence": labels.request.min_confidence,
                    "max_labels": labels.request.max_labels,
                    "custom_model": labels.request.custom_model,
                    "tagged_at": labels.tagged_at,
                }
            ],
            unique=["path_id"],
            changed=_OVERWRITTEN,
        )
        number = self._connection.scalar(select(TAGGED.c.id).where(TAGGED.c.path_id == here))
        self._connection.execute(delete(PHOTO_LABELS).where(PHOTO_LABELS.c.tagged == number))
        numbers = self._vocabulary(labels.labels)
        rows = [
            {
                "tagged": number,
                "place": place,
                "label": numbers[_digest(label)],
                "confidence": label.confidence,
                "instances": [_written(instance) for instance in label.instances],
            }
            for place, label in enumerate(labels.labels)
        ]
        if rows:
            self._connection.execute(self._insert(PHOTO_LABELS), rows)

    def find_labels(
        self, words: str | None = None, parent: str | None = None, min_confidence: float = 0.0
    ) -> Iterator[FoundLabel]:
        """Photos with a label whose name or alias has all the words, below a parent that has all of those.

        Surest first. Rows are read as they are asked for, so the transaction must stay open as long as the
        iteration runs. Raises UsageError when nothing is asked for.
        """
        from facesearch.domain.labels import FoundLabel

        conditions = [
            *([self._has("words", words)] if words is not None else []),
            *([self._has("above", parent)] if parent is not None else []),
        ]
        if not conditions:
            raise UsageError("say what to look for: the words of a label, or of what is above it")
        statement = (
            select(TAGGED.c.path, TAGGED.c.tagged_at, PHOTO_LABELS, LABELS)
            .select_from(LABELS)
            .join(PHOTO_LABELS, PHOTO_LABELS.c.label == LABELS.c.id)
            .join(TAGGED, TAGGED.c.id == PHOTO_LABELS.c.tagged)
            .where(*conditions, PHOTO_LABELS.c.confidence >= min_confidence)
            .order_by(PHOTO_LABELS.c.confidence.desc(), TAGGED.c.id, PHOTO_LABELS.c.place)
        )
        with self._connection.execute(statement.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield FoundLabel(row.path, _label(row), row.tagged_at)

    def _has(self, column: str, asked: str) -> ColumnElement[bool]:
        """That a column of the vocabulary has all the words."""
        words = _words([asked])
        if not words:
            raise UsageError(f"{asked!r} has no word to look for")
        if self._connection.dialect.name == "sqlite":
            quoted = " ".join(f'"{word}"' for word in words.split())
            match = f"{column} : ({quoted})"
            # Names of ours alone; what was asked for is a parameter: letters and digits between quotation marks.
            found = f"labels.id IN (SELECT rowid FROM {_INDEX} WHERE {_INDEX} MATCH :{column}_words)"  # noqa: S608
            return text(found).bindparams(**{f"{column}_words": match})  # type: ignore[return-value]
        # Without an index: the vocabulary is read in less time than a photo's labels take to be fetched.
        simple: ColumnElement[str] = literal_column("'simple'::regconfig")
        asked_for = func.plainto_tsquery(simple, words)
        return func.to_tsvector(simple, LABELS.c[column]).bool_op("@@")(asked_for)

    def _vocabulary(self, labels: Sequence[Label]) -> Mapping[str, int]:
        """The row numbers of the labels, by digest; those that are new are written down."""
        rows = {
            _digest(label): {
                "digest": _digest(label),
                "name": _kept(label.name),
                "custom": label.custom,
                "parents": list(map(_kept, label.parents)),
                "aliases": list(map(_kept, label.aliases)),
                "categories": list(map(_kept, label.categories)),
                "words": _words([label.name, *label.aliases]),
                "above": _words(label.parents),
            }
            for label in labels
        }
        numbers = self._numbers(rows)
        new = [row for digest, row in rows.items() if digest not in numbers]
        if new:
            insert = self._insert(LABELS).on_conflict_do_nothing(index_elements=["digest"])
            self._connection.execute(insert, new)
            numbers = self._numbers(rows)
        return numbers

    def _numbers(self, digests: Iterable[str]) -> dict[str, int]:
        statement = select(LABELS.c.digest, LABELS.c.id)
        return {
            digest: number
            for some in chunks(digests)
            for digest, number in self._connection.execute(statement.where(LABELS.c.digest.in_(some)))
        }

    def _labels_of(self, tagged: int) -> tuple[Label, ...]:
        statement = (
            select(PHOTO_LABELS, LABELS)
            .select_from(PHOTO_LABELS)
            .join(LABELS, LABELS.c.id == PHOTO_LABELS.c.label)
            .where(PHOTO_LABELS.c.tagged == tagged)
            .order_by(PHOTO_LABELS.c.place)
        )
        return tuple(_label(row) for row in self._connection.execute(statement))


_OVERWRITTEN = tuple(column.name for column in TAGGED.c if column.name not in ("id", "path", "path_id"))


def _words(texts: Iterable[str]) -> str:
    """The words of the texts, in lower case; letters and digits of any script, nothing else."""
    return " ".join(word for one in texts for word in _WORD.findall(one.casefold()) if storable(word))


def _kept(name: str) -> str:
    """A name as it is stored: what a database cannot hold, and no service of Amazon's sends, becomes an escape."""
    return name if storable(name) else ascii(name)


def _digest(label: Label) -> str:
    whole = [label.name, label.custom, label.parents, label.aliases, label.categories]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _written(instance: LabelInstance) -> list[float]:
    box = instance.box
    return [box.left, box.top, box.width, box.height, instance.confidence]


def _label(row: AnyRow) -> Label:
    from facesearch.domain.labels import Label, LabelInstance

    return Label(
        name=row.name,
        confidence=row.confidence,
        parents=tuple(row.parents),
        aliases=tuple(row.aliases),
        categories=tuple(row.categories),
        instances=tuple(LabelInstance(Box(*sides), confidence) for *sides, confidence in row.instances),
        custom=row.custom,
    )


def _photo_labels(row: AnyRow, labels: tuple[Label, ...]) -> PhotoLabels:
    from facesearch.domain.labels import LabelRequest, PhotoLabels

    return PhotoLabels(
        photo=row.path,
        content=Content(row.digest, row.size, row.version),
        request=LabelRequest(row.min_confidence, row.max_labels, row.custom_model),
        model_version=row.model_version,
        labels=labels,
        tagged_at=row.tagged_at,
    )
