"""Charts of figures over time, and over the epochs of a training.

Their colours are variables of console.css, so that they follow light and dark mode.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

from nicegui import ui

from bots.console.figures import Period, Share
from bots.console.formatting import count, percent, with_interval
from bots.learning.training_facts import Epoch
from recognizer import EMOTIONS

Options = dict[str, Any]

_FONT = "system-ui, sans-serif"
"""Named explicitly, because text is measured before it is part of the page."""
_TEXT = {"color": "var(--quiet)", "fontFamily": _FONT, "fontSize": 12}
_LEGEND = {
    "bottom": 0,
    "icon": "roundRect",
    "itemWidth": 12,
    "itemHeight": 12,
    "itemGap": 12,
    "textStyle": _TEXT,
    "inactiveColor": "var(--line)",
}
_TIP_OF_POINT = "points => points.map(point => point.data && point.data.tip).find(Boolean) || 'no answers'"


class TimeChart:
    """A chart that is redrawn only if its figures change; screen readers get one sentence."""

    def __init__(self) -> None:
        self._chart = ui.echart({"series": []}, renderer="svg").classes("chart").props("role=img")

    def show(self, options: Options, sentence: str) -> None:
        """Show new figures. sentence: a description for screen readers."""
        self._chart.set_visibility(True)
        if options == dict(self._chart.options):
            return
        self._chart.props["aria-label"] = sentence
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()

    def hide(self) -> None:
        """Hide the chart, to make room for a sentence that there is nothing to show."""
        self._chart.set_visibility(False)


def agreement_over_time(periods: tuple[Period, ...]) -> Options:
    """Return a line with its uncertainty band, with a gap where there was no feedback."""
    shares = [period.agreement for period in periods]
    line = [{"value": _tenths(share.value), "tip": _tip(period, share)} if share else None
            for period, share in zip(periods, shares, strict=True)]  # fmt: skip
    low = [_tenths(share.low) if share else None for share in shares]
    high = [_tenths(share.high - share.low) if share else None for share in shares]
    band = {"type": "line", "stack": "band", "symbol": "none", "lineStyle": {"opacity": 0}, "silent": True}
    main = {"type": "line", "symbolSize": 7, "lineStyle": {"width": 3}, "color": "var(--accent)", "z": 3}
    return {
        **_frame([_date(period) for period in periods]),
        "yAxis": _axis({"type": "value", "min": 0, "max": 100, "interval": 25}, "{value} %"),
        "tooltip": {**_tooltip("line"), ":formatter": _TIP_OF_POINT},
        "series": [
            {**band, "data": low},
            {**band, "data": high, "areaStyle": {"color": "var(--accent)", "opacity": 0.18}},
            {**main, "data": line, "emphasis": {"disabled": True}},
        ],
    }


def mix_over_time(periods: tuple[Period, ...]) -> Options:
    """Return stacked shares of the emotions that the model read."""
    series = [
        {
            "type": "bar",
            "stack": "mix",
            "name": name,
            "barCategoryGap": "22%",
            "itemStyle": {"color": f"var(--{name})"},
            "emphasis": {"disabled": True},
            "data": [_tenths(period.mix[place] / period.faces) if period.faces else None for period in periods],
        }
        for place, name in enumerate(EMOTIONS)
    ]
    return {
        **_frame([_date(period) for period in periods]),
        "grid": {"left": 44, "right": 12, "top": 14, "bottom": 72},
        "yAxis": _axis({"type": "value", "min": 0, "max": 100, "interval": 25}, "{value} %"),
        "legend": _LEGEND,
        "tooltip": {**_tooltip("shadow"), ":valueFormatter": "value => value == null ? 'no faces' : value + ' %'"},
        "series": series,
    }


def over_epochs(epochs: Sequence[Epoch], what: Literal["loss", "accuracy"]) -> Options:
    """Return the curves of a training: on the augmented faces it learns from, and on those it is chosen by."""
    is_share = what == "accuracy"
    value = {"type": "value", "min": 0, "max": 100, "interval": 25} if is_share else {"type": "value", "scale": True}
    unit = " %" if is_share else ""
    return {
        **_frame([str(each.number) for each in epochs]),
        "grid": {"left": 44, "right": 12, "top": 14, "bottom": 58},
        "yAxis": _axis(value, f"{{value}}{unit}"),
        "legend": _LEGEND,
        "tooltip": {**_tooltip("line"), ":valueFormatter": f"value => value == null ? 'none' : value + '{unit}'"},
        "series": [
            _line("train, augmented", "var(--wrong)", [_drawn(getattr(each, what), is_share) for each in epochs]),
            _line("valid", "var(--accent)", [_drawn(getattr(each, f"valid_{what}"), is_share) for each in epochs]),
        ],
    }


def epochs_in_words(epochs: Sequence[Epoch], what: Literal["loss", "accuracy"]) -> str:
    """Describe the last points of the curves in a sentence."""
    if not epochs:
        return f"The {what} of each epoch. No epoch has ended yet."
    last = epochs[-1]
    train, valid = getattr(last, what), getattr(last, f"valid_{what}")
    told = (percent(train), percent(valid)) if what == "accuracy" else (f"{train:.3f}", f"{valid:.3f}")
    return f"The {what} of each epoch; after epoch {last.number} {told[0]} on train and {told[1]} on valid."


def agreement_in_words(periods: tuple[Period, ...]) -> str:
    """Describe the line in a sentence."""
    told = [_tip(period, period.agreement) for period in periods if period.agreement]
    return "How often the model says what people say. " + ("; ".join(told) if told else "No answers yet.")


def mix_in_words(periods: tuple[Period, ...]) -> str:
    """Describe the latest bar in a sentence."""
    read = [period for period in periods if period.faces]
    if not read:
        return "Which emotions the model read. No faces yet."
    shares = (f"{name} {percent(read[-1].mix[place] / read[-1].faces)}" for place, name in enumerate(EMOTIONS))
    return f"Which emotions the model read, from {_date(read[-1])} on: {', '.join(shares)}."


def _frame(steps: Sequence[str]) -> Options:
    """Return what a chart is drawn in. steps: the names of the places from left to right."""
    axis: Options = {"type": "category", "data": list(steps), "axisTick": {"show": False}}
    axis["axisLine"] = {"lineStyle": {"color": "var(--line)"}}
    return {
        "animation": False,
        "textStyle": {"fontFamily": _FONT},
        "grid": {"left": 44, "right": 12, "top": 14, "bottom": 28},
        "xAxis": {**axis, "axisLabel": {**_TEXT, "hideOverlap": True}},
    }


def _axis(axis: Options, form: str) -> Options:
    rule = {"lineStyle": {"color": "var(--line)"}}
    return {**axis, "axisLabel": {**_TEXT, "formatter": form}, "splitLine": rule}


def _tooltip(pointer: str) -> Options:
    look = {"backgroundColor": "var(--raised)", "borderColor": "var(--line)", "textStyle": {"color": "var(--ink)"}}
    style = {"color": "var(--line)"}
    axis = {"type": pointer, "lineStyle": style, "shadowStyle": {"color": "var(--accent)", "opacity": 0.08}}
    return {"trigger": "axis", "confine": True, "transitionDuration": 0, "axisPointer": axis, **look}


def _line(name: str, color: str, values: Sequence[float | None]) -> Options:
    look: Options = {"symbolSize": 6, "lineStyle": {"width": 3}, "color": color, "emphasis": {"disabled": True}}
    return {"type": "line", "name": name, **look, "data": list(values)}


def _drawn(figure: float, is_share: bool) -> float | None:
    if not math.isfinite(figure):
        return None
    return _tenths(figure) if is_share else round(figure, 4)


def _tip(period: Period, share: Share) -> str:
    return f"{_date(period)}: {with_interval(share)}, of {count(share.of, 'face')}"


def _date(period: Period) -> str:
    return f"{period.begins.day} {period.begins:%b}"


def _tenths(share: float) -> float:
    return round(100 * share, 1)
