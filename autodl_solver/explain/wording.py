"""How facts of a run are worded, alike on the terminal and on the page."""

from __future__ import annotations

from autodl_solver.anytime.stage_entries import RunFacts
from autodl_solver.explain.timeline import Pass, Step, Timeline

COLUMNS = ("stage", "at", "fit", "test pass", "rows", "fidelity", "hold-out", "weight", "test NAUC", "remarks")


def printable(text: str) -> str:
    """The text without what would steer a terminal or break a page: control characters and lone surrogates."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def seconds_text(seconds: float) -> str:
    """A duration for people: 8 ms, 0.84 s, 12.5 s, 125 s."""
    if seconds < 0.0995:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s" if seconds < 99.95 else f"{seconds:.0f} s"


def score_text(score: float | None) -> str:
    """Four digits, or a dash."""
    return "-" if score is None else f"{score:.4f}"


def facts_text(facts: RunFacts) -> str:
    """The dataset and the machine, in one line."""
    shape = " x ".join("?" if size < 0 else str(size) for size in facts.shape)
    parts = [
        facts.modality,
        f"{'?' if facts.n_train is None else facts.n_train} training rows",
        f"{facts.n_classes} classes" + (", several a row" if facts.multi_label else ""),
        f"{shape} {facts.format}",
        *([f"{facts.n_vocabulary} tokens"] if facts.n_vocabulary else []),
        f"{facts.n_cores} cores",
        f"autodl_solver {facts.package_version}",
    ]
    return printable("; ".join(parts))


def results_text(timeline: Timeline) -> str:
    """How many stages and passes, how long, and the area if the run was scored."""
    n_stages = sum(step.stage is not None for step in timeline.steps)
    n_passes = sum(len(step.passes) for step in timeline.steps)
    text = f"{n_stages} stages, {n_passes} test passes, the last at {seconds_text(timeline.end_s)}"
    if timeline.scores is None:
        return f"{text}; not scored"
    return f"{text}; ALC {timeline.scores.alc:.4f} (t0 {timeline.scores.t0:g} s)"


def name_of(step: Step) -> str:
    """The name of the stage; what answers before the first one is the class frequencies."""
    return printable(step.stage.name) if step.stage else "(before any stage)"


def cells(step: Step) -> tuple[str, ...]:
    """One cell for each of COLUMNS."""
    test_s = seconds_text(sum(one.entry.predict_s for one in step.passes)) if step.passes else "-"
    stage = step.stage
    if stage is None:
        at = seconds_text(step.passes[0].entry.started_s)
        return (name_of(step), at, "-", test_s, "-", "-", "-", "-", score_text(step.nauc), "")
    return (
        name_of(step),
        seconds_text(stage.started_s),
        seconds_text(stage.fit_s),
        test_s,
        str(stage.n_examples),
        str(stage.fidelity),
        score_text(stage.score),
        "-" if stage.weight is None else f"{stage.weight:.2f}",
        score_text(step.nauc),
        remarks(step),
    )


def remarks(step: Step) -> str:
    """Why the stage failed, what was expected of it, whether it was a refit."""
    stage, parts = step.stage, []
    if stage is None:
        return ""
    if stage.failed:
        parts.append(f"failed: {stage.error}" if stage.error else "failed")
    if stage.refit:
        parts.append("refit on all rows")
    known = {name: value for name, value in (stage.expected or {}).items() if value is not None}
    if known:
        values = (
            f"{name} {value if isinstance(value, str) else format(value, '.4g')}" for name, value in known.items()
        )
        parts.append("expected " + ", ".join(values))
    return printable("; ".join(parts))


def pass_text(one: Pass) -> str:
    """A pass over the test split in a sentence, for a tooltip."""
    shares = ", ".join(f"{name} {weight:.2f}" for name, weight in one.entry.weights.items()) or "class frequencies"
    scored = "" if one.nauc is None else f": test NAUC {one.nauc:.4f}"
    return printable(
        f"test pass at {seconds_text(one.entry.started_s)}, {seconds_text(one.entry.predict_s)}, by {shares}{scored}"
    )
