"""The form that makes a pool; the probe's fields come from the declared kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from pool_manager.core.params import Choice, ParamField, ParamsError, Whole, params_from_text
from pool_manager.fleet.models import Pool, name_valid, slug_valid
from pool_manager.fleet.rules import AddressLine, address_lines_parse
from pool_manager.health.probes import KINDS

if TYPE_CHECKING:
    from django.db.models import Field
    from django.forms.boundfield import BoundWidget

    from pool_manager.health.probes.base import Kind

LINES_MAX = 1000
LINE_FAULTS_SHOWN = 20
# a line is a host name of at most 253 characters, a port, and perhaps a comment
TEXT_MAX = LINES_MAX * 300

TIMINGS: Mapping[str, tuple[str, str]] = {
    "interval_ms": ("Interval (ms)", "Time between probes."),
    "timeout_ms": ("Timeout (ms)", "Connecting, headers and body together."),
    "rise": ("Rise", "Successes in a row until up again."),
    "fall": ("Fall", "Failures in a row until down."),
    "fast_ms": ("Fast (ms)", "Interval while in doubt."),
    "recheck_ms": ("Recheck (ms)", "Wait after a closed connection."),
}


@dataclass(frozen=True, slots=True)
class KindFields:
    """A kind as the template shows it: the button that chooses it, and its settings."""

    choice: BoundWidget
    fields: list[forms.BoundField]


class PoolForm(forms.Form):
    """Everything a pool needs; faults are shown by field, and of the list by line."""

    use_required_attribute = False  # a browser's bubble would hide the other faults

    slug = forms.CharField(
        max_length=63,
        validators=[slug_valid],
        label="Name",
        help_text="Lower-case letters, digits and '-'. It never changes.",
        error_messages={"required": "Name the pool, such as recording."},
    )
    zone = forms.CharField(
        max_length=63,
        validators=[name_valid],
        initial="default",
        label="Zone",
        help_text="For hosts not known yet. A new name makes a new zone.",
        error_messages={"required": "Name a zone, such as default."},
    )
    lines = forms.CharField(
        max_length=TEXT_MAX,
        label="Instances",
        help_text=f"One host:port a line, at most {LINES_MAX:,}. '#' starts a comment.",
        widget=forms.Textarea(
            attrs={"rows": 10, "spellcheck": "false", "placeholder": "10.0.0.5:8080\n10.0.0.6:8080"}
        ),
        error_messages={"required": "Paste at least one host:port line."},
    )
    probe_kind = forms.ChoiceField(
        choices=[(name, kind.title) for name, kind in KINDS.items()],
        initial="http",
        label="Probe",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, zones: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})
        self.zones = zones
        self.addresses: list[AddressLine] = []
        self.probe_params: dict[str, object] = {}
        self.fields["zone"].widget.attrs["list"] = "zones"
        for name, (label, help_text) in TIMINGS.items():
            self.fields[name] = _timing_field(name, label, help_text)
        for kind in KINDS.values():
            for field in kind.fields:
                self.fields[_param_name(kind.name, field.name)] = _param_field(field)

    @property
    def kinds(self) -> Iterator[KindFields]:
        """The kinds with their fields, in the order of the table."""
        for kind, choice in zip(KINDS.values(), self["probe_kind"].subwidgets, strict=True):
            fields = [self[_param_name(kind.name, field.name)] for field in kind.fields]
            yield KindFields(choice, fields)

    @property
    def timings(self) -> list[forms.BoundField]:
        """The timing fields."""
        return [self[name] for name in TIMINGS]

    @property
    def timing_values(self) -> dict[str, int]:
        """The timings as the fleet takes them."""
        return {name: self.cleaned_data[name] for name in TIMINGS}

    def clean_slug(self) -> str:
        """A name that is taken is said at once, not after the probing."""
        slug: str = self.cleaned_data["slug"]
        if Pool.objects.filter(slug=slug).exists():
            raise forms.ValidationError(f"There is a pool {slug!r} already; choose another name.")
        return slug

    def clean_lines(self) -> str:
        """Read the lines; every fault names its line."""
        text: str = self.cleaned_data["lines"]
        self.addresses, faults = address_lines_parse(text, limit=LINES_MAX)
        shown = [f"Line {fault.number}: {fault.problem}." for fault in faults[:LINE_FAULTS_SHOWN]]
        if len(faults) > len(shown):
            shown.append(f"{len(faults) - len(shown)} more lines have faults.")
        if not faults and not self.addresses:
            shown.append("Only comments and blank lines; paste at least one host:port line.")
        if shown:
            raise forms.ValidationError(shown)
        return text

    def clean(self) -> dict[str, Any]:
        """Let the chosen kind read its settings; its faults go to their fields."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = KINDS.get(data.get("probe_kind", ""))
        if kind is not None:
            self._read_params(kind, data)
        return data

    def _read_params(self, kind: Kind, data: Mapping[str, Any]) -> None:
        texts = {
            field.name: str(data.get(_param_name(kind.name, field.name), ""))
            for field in kind.fields
        }
        raw = params_from_text(kind.params, texts)
        try:
            kind.params_parse(raw)
        except ParamsError as error:
            for fault in error.found:
                name = _param_name(kind.name, fault.field)
                self.add_error(name if name in self.fields else None, f"{fault.problem}.")
            return
        defaults = {field.name: field.default for field in kind.fields}
        # a default is left out, so that a better default of a later version reaches this pool too
        self.probe_params = {name: value for name, value in raw.items() if value != defaults[name]}


def _param_name(kind: str, field: str) -> str:
    return f"{kind}-{field}"


def _timing_field(name: str, label: str, help_text: str) -> forms.Field:
    """The bounds and the default are the model's."""
    column: Field[Any, Any] = Pool._meta.get_field(name)  # type: ignore[assignment]  # a column, not a relation  # noqa: SLF001 - documented
    low = max(_limits(column.validators, MinValueValidator))
    high = min(_limits(column.validators, MaxValueValidator))
    problem = f"Give a whole number from {low:,} to {high:,}."
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        initial=column.default,
        min_value=low,
        max_value=high,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), problem),
    )


def _limits(validators: Any, kind: type[MinValueValidator | MaxValueValidator]) -> list[int]:
    return [
        validator.limit_value
        for validator in validators
        if isinstance(validator, kind) and isinstance(validator.limit_value, int)
    ]


def _param_field(field: ParamField) -> forms.Field:
    """A widget for a declared setting; the text is judged by the kind itself, in one place."""
    label = field.name.replace("_", " ").capitalize().replace("Json", "JSON")
    initial = "" if field.default in (None, {}) else str(field.default)
    widget: forms.Widget = forms.TextInput()
    if isinstance(field.reader, Choice):
        widget = forms.Select(choices=[(word, word) for word in field.reader.choices])
    elif isinstance(field.reader, Whole):
        widget = forms.TextInput(attrs={"inputmode": "numeric"})
    elif isinstance(field.default, Mapping):
        widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})
    return forms.CharField(
        required=False,
        strip=False,
        label=label,
        help_text=field.help,
        initial=initial,
        widget=widget,
        max_length=10_000,
    )
