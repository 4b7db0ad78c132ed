"""Cron schedules of five fields: en.wikipedia.org/wiki/Cron, as Kubernetes reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes, hours, days, months and days of the week that a schedule names."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool  # both kinds of days are restricted: one of them is enough

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Reads a schedule.

        Raises:
            ValueError: It is none.
        """
        fields = _MACROS.get(text.strip(), text).split()
        if len(fields) != 5:
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: {fields}")
        minute, hour, day, month, weekday = fields
        weekdays = frozenset(number % 7 for number in _numbers(weekday, 0, 7, _DAYS))
        either = not day.startswith(("*", "?")) and not weekday.startswith(("*", "?"))
        return cls(
            _numbers(minute, 0, 59), _numbers(hour, 0, 23), _numbers(day, 1, 31), _numbers(month, 1, 12, _MONTHS),
            weekdays, either,
        )  # fmt: skip

    def next_after(self, epoch: float, zone: str | None = None) -> float | None:
        """Returns the first time after another, both in seconds since the epoch; None if there is none for 5 years."""
        moment = datetime.fromtimestamp(epoch, ZoneInfo(zone) if zone else UTC)
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = moment + timedelta(days=5 * 366)
        while moment < last:
            if moment.month not in self.months or not self._on(moment):
                moment = (moment + timedelta(days=1)).replace(hour=0, minute=0)
            elif moment.hour not in self.hours:
                moment = (moment + timedelta(hours=1)).replace(minute=0)
            elif moment.minute not in self.minutes:
                moment += timedelta(minutes=1)
            else:
                return moment.timestamp()
        return None

    def _on(self, moment: datetime) -> bool:
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return day or weekday if self.either_day else day and weekday


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = lowest, highest
        else:
            start, _, end = span.partition("-")
            first = _number(start, names)
            last = _number(end, names) if end else (highest if step else first)
        if not lowest <= first <= last <= highest:
            raise ValueError(f"{part!r} is not between {lowest} and {highest}")
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, names: dict[str, int] | None) -> int:
    return names[text.lower()] if names and text.lower() in names else int(text)
