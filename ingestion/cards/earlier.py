"""Cards that correct an earlier one, held against what it said: the rules of a form that name ``previous(…)``.

``when`` of such a rule says which cards correct others. Only these are looked up, by their key, among the cards that
were received earlier and count; the newest of them is the previous one. They lie in the raw table already, so such a
rule can only warn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl
from psycopg import sql
from sqlalchemy import Connection

from ingestion.cards.empty import empty_reading
from ingestion.cards.ledger import Ledger
from ingestion.checks import CheckContext, evaluate
from ingestion.form import Form
from ingestion.load import fetch
from ingestion.raw import SQL_TYPES
from ingestion.rule_tests import asked_of_earlier

# The newest card of each key that counts. The lists of keys are of the types of their columns.
_EARLIER = """
select distinct on ({keys}) {keys}, {fields}
from raw.{form} as c
inner join registry.revision as v on c.revision_id = v.revision_id
inner join registry.report as r on v.revision_id = r.current_revision_id
inner join unnest({given}) as k ({names}) on {same}
where c.set_aside is null and v.received_at < %(before)s
order by {keys}, v.received_at desc, r.report_id desc
"""


@dataclass(frozen=True)
class Earlier:
    """The rules of one form on what its cards said before."""

    form: Form
    sheet: str
    positions: pl.DataFrame

    def correcting(self, cards: pl.DataFrame, counts: pl.Series) -> pl.DataFrame:
        """Those of the cards that count and correct an earlier one, with what the rules ask of them."""
        asked = asked_of_earlier(self.form)
        if asked is None or not set(self._key) <= set(cards.columns):
            return pl.DataFrame()
        which, fields = asked
        absent = [
            pl.lit(None, dtype=self.form.by_code[name].dtype).alias(name)
            for name in sorted(fields - set(cards.columns))
        ]
        mine = cards.lazy().with_columns(counts.alias("counts"), *absent).filter("counts", which)
        places = ("report_no", "record_no", "source_sheet", "source_row", "source_column")
        return mine.select(*places, *sorted({*fields, *self._key})).collect()

    def tell(self, connection: Connection, cards: pl.DataFrame, before: datetime, ledger: Ledger) -> None:
        """Add a finding for each of the cards that breaks a rule beside what it said before that moment."""
        known = self._known(connection, cards, before)
        both = cards.join(known, on=list(self._key), how="inner", maintain_order="left")
        if both.is_empty():
            return
        reading = replace(empty_reading(self.form, self.sheet), positions=self.positions, records=both)
        numbers = both.select(pl.col("report_no").unique())
        blank = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in reading.reports.schema.items()]
        reports = numbers.with_columns(one for one in blank if one.meta.output_name() != "report_no")
        verdicts = evaluate(replace(reading, reports=reports), CheckContext(), "earlier")
        for number in verdicts.failing:
            failed = verdicts.failed[str(number)]
            rule_id = verdicts.tests[number].rule.id
            for report_no in numbers.to_series():
                mine = failed & (both["report_no"] == report_no)
                room = ledger.room(report_no, rule_id, int(mine.sum()))
                told = mine.clone().scatter(mine.arg_true()[room:], False)
                findings = verdicts.findings(number, told)
                cards_told = both.filter(told)["record_no"]
                ledger.tell(replace(f, record_no=no) for f, no in zip(findings, cards_told, strict=True))

    @property
    def _key(self) -> Sequence[str]:
        return self.form.cards.key if self.form.cards else ()

    def _known(self, connection: Connection, cards: pl.DataFrame, before: datetime) -> pl.DataFrame:
        """Key and ``previous.<field>`` of the cards' earlier versions."""
        asked = asked_of_earlier(self.form)
        fields = [field for field in self.form.columns if asked and field.code in asked[1]]
        keys = [self.form.by_code[code] for code in self._key]
        statement = sql.SQL(_EARLIER).format(
            form=sql.Identifier(self.form.code),
            keys=sql.SQL(", ").join(sql.Identifier("c", key.code) for key in keys),
            fields=sql.SQL(", ").join(
                sql.SQL("{}::float8" if field.type == "dec" else "{}").format(sql.Identifier("c", field.code))
                for field in fields
            ),
            given=sql.SQL(", ").join(
                sql.SQL("{}::{}[]").format(sql.Placeholder(key.code), sql.SQL(SQL_TYPES[key.type]))
                for key in keys
            ),
            names=sql.SQL(", ").join(sql.Identifier(key.code) for key in keys),
            same=sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(sql.Identifier("c", key.code), sql.Identifier("k", key.code))
                for key in keys
            ),
        )
        values = {key.code: cards[key.code].to_list() for key in keys} | {"before": before}
        schema = {key.code: key.dtype for key in keys} | {
            f"previous.{field.code}": field.dtype for field in fields
        }
        return pl.DataFrame(fetch(connection, statement, values), schema=schema, orient="row")
