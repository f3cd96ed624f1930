"""Regions that a bureau declares itself: dated events of codes that the project's own list lacks or has otherwise."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ingestion.site_files import SiteRow

RegionCode = Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{3})?$")]


class RegionEvent(SiteRow):
    """One dated change of a region: a county, prefecture or province of six digits, a township of nine.

    Statistics follow a change from 1 January on, that of ``event_date`` or the one after, unless ``statistics_from``
    says otherwise. The lines of a code stand in place of all that the project's list has of it.
    """

    region_code: RegionCode
    event_date: date
    event_type: Literal["open", "close", "reopen", "rename", "move", "boundary"]
    statistics_from: date = date.max
    name_zh: str | None = None
    level: Literal["province", "prefecture", "county", "township"] | None = None
    region_type: Literal["administrative", "functional_area"] | None = None
    parent_code: RegionCode | None = None
    inside_code: RegionCode | None = None
    is_counted_inside: bool | None = None
    became_code: RegionCode | None = Field(
        None, description="Of a region that closes: the region into which it went whole."
    )
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _follow_from_new_year(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("statistics_from") or not values.get("event_date"):
            return values
        try:
            day = date.fromisoformat(str(values["event_date"]))
        except ValueError:
            return values
        return {
            **values,
            "statistics_from": day if (day.month, day.day) == (1, 1) else date(day.year + 1, 1, 1),
        }

    @model_validator(mode="after")
    def _says_what_it_is_about(self) -> "RegionEvent":
        if self.event_type in ("open", "reopen") and not (self.name_zh and self.level):
            raise ValueError("a region that opens needs name_zh and level")
        if self.event_type == "rename" and not self.name_zh:
            raise ValueError("a rename needs name_zh")
        if self.became_code is not None and self.event_type != "close":
            raise ValueError("became_code belongs to a region that closes")
        return self
