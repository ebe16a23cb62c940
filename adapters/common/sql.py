"""SQL made ready for delta-rs' engine, which takes no parameters: one SELECT, its parameters set in as literals.

Everything is done on the syntax tree that SQLGlot makes, never on the text, so that a value stays a value whatever it
holds. SQLGlot has no dialect of DataFusion's. DuckDB's is near, and knows `$name`.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from shared.errors import InvalidInput

_TYPES: Final = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "integer": "INT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
_MOMENT: Final = 'Timestamp(Microsecond, Some("UTC"))'
_CHANGING: Final = (exp.DML, exp.DDL, exp.Command, exp.Into)


class DataFusion(DuckDB):
    """DuckDB's dialect as DataFusion reads it: nulls come last only where that is said."""

    NULL_ORDERING = "nulls_are_large"


class Query:
    """One SELECT. Raises InvalidInput for any other SQL, and where its parameters are not those that are given."""

    def __init__(self, sql: str, parameters: Mapping[str, object]) -> None:
        try:
            statements = sqlglot.parse(sql, read=DuckDB)
        except sqlglot.errors.SqlglotError as error:
            raise refused(f"the query is not understood: {error}") from None
        tree = statements[0] if len(statements) == 1 else None
        if not isinstance(tree, exp.Query) or any(tree.find_all(*_CHANGING)):
            raise refused("the warehouse answers one SELECT at a time; it changes nothing")
        self._tree = _bound(tree, parameters)

    def tables(self) -> set[str]:
        """The names of the tables that it reads."""
        return {_name(table) for table in self._stored()}

    def complete(self, name: str, missing: Mapping[str, str]) -> None:
        """Let columns, by their Delta type, be null in a table that has not got them."""
        self._replace(name, exp.select("*", *_nulls(missing)).from_(name))

    def empty(self, name: str, columns: Mapping[str, str]) -> None:
        """Let a table that is not there have these columns and no rows."""
        self._replace(name, exp.select(*_nulls(columns)).where(exp.false()))

    def steps(self) -> Iterator[str]:
        """The statements to run one after the other, as DataFusion reads them; the last one answers.

        DataFusion works out a common table anew wherever it is named. One that the query calls MATERIALIZED is made
        once, as a table of the session, which lies in memory.
        """
        common = self._tree.args.get("with_")
        before: list[exp.Expr] = []
        for each in list(common.expressions) if common else []:
            if each.args.get("materialized"):
                made = each.this.copy()
                if before:
                    made.set("with_", exp.With(expressions=[one.copy() for one in before]))
                yield _text(exp.Create(this=exp.to_table(each.alias), kind="TABLE", expression=made))
                each.pop()
            else:
                before.append(each)
        if common and not common.expressions:
            common.pop()
        yield _text(self._tree)

    def _stored(self) -> list[exp.Table]:
        own = {cte.alias_or_name for cte in self._tree.find_all(exp.CTE)}
        return [table for table in self._tree.find_all(exp.Table) if _name(table) not in own]

    def _replace(self, name: str, rows: exp.Select) -> None:
        for table in self._stored():
            if _name(table) == name:
                table.replace(rows.copy().subquery(table.alias or name))


def _text(tree: exp.Expr) -> str:
    return tree.sql(dialect=DataFusion, comments=False)


def refused(why: str) -> InvalidInput:
    """What is wrong with a query."""
    return InvalidInput(why, reason="sql")


def _bound(tree: exp.Query, parameters: Mapping[str, object]) -> exp.Query:
    places = list(tree.find_all(exp.Placeholder, exp.Parameter))
    asked = {place.name for place in places}
    if asked != {*parameters}:
        wrong = ", ".join(sorted(asked ^ {*parameters}))
        raise refused(f"parameters that the query or its caller does not name: {wrong or 'those without a name'}")
    for place in places:
        place.replace(_literal(parameters[place.name]))
    return tree


def _literal(value: object) -> exp.Expr:
    """A value as SQL says it. Raises InvalidInput for what is no value of a table."""
    match value:
        case None | bool():
            said: exp.Expr = exp.convert(value)
        case int() if abs(value) < 2**63:
            said = exp.paren(exp.Literal.number(value)) if value < 0 else exp.Literal.number(value)
        case float():
            said = exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
        case str():
            said = exp.Literal.string(value)
        case dt.datetime():
            utc = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
            said = _moment(exp.Literal.string(utc.isoformat()))
        case dt.date():
            said = exp.cast(exp.Literal.string(value.isoformat()), "DATE")
        case _:
            raise refused(f"{type(value).__name__} {value!r:.40} cannot be a query's parameter")
    return said


def _nulls(columns: Mapping[str, str]) -> list[exp.Expr]:
    return [
        exp.alias_(_moment(exp.null()) if kind == "timestamp" else exp.cast(exp.null(), _TYPES[kind]), name)
        for name, kind in columns.items()
    ]


def _moment(value: exp.Expr) -> exp.Expr:
    """Of the very type that the history's times have, so that files are left out by what the log says of them."""
    return exp.Anonymous(this="arrow_cast", expressions=[value, exp.Literal.string(_MOMENT)])


def _name(table: exp.Table) -> str:
    quoted = isinstance(table.this, exp.Identifier) and table.this.args.get("quoted")
    return table.name if quoted else table.name.lower()
