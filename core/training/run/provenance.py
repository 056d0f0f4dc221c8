"""What a model's header says it was trained on."""

from collections.abc import Sequence

from core.model.checkpoint import ModelInfo
from core.training.data.corpus import Piece
from core.training.data.sources import KNOWN, UNKNOWN_LICENCE, combined_licence

_THEN = "; then "


def trained_on(pieces: Sequence[Piece], base: ModelInfo | None) -> dict[str, str]:
    """Licence, data and credit of what is trained on these pieces, going on from `base`."""
    sources = sorted({p.source for p in pieces})
    credits = [KNOWN[s].credit if s in KNOWN else s for s in sources]
    licences, data = {p.licence for p in pieces}, ", ".join(sources)
    if base is None:
        return {"licence": combined_licence(licences), "data": data, "credit": "; ".join(credits)}
    before = base.provenance
    stages = before.get("data", "not stated").split(_THEN)
    credits = list(dict.fromkeys([*before.get("credit", "").split("; "), *credits]))
    return {
        "licence": combined_licence({before.get("licence", UNKNOWN_LICENCE), *licences}),
        "data": _THEN.join(stages if stages[-1] == data else [*stages, data]),
        "credit": "; ".join(filter(None, credits)),
        "base": base.name,
        "events_seen_before": str(sum(int(before.get(key, "0")) for key in ("events_seen", "events_seen_before"))),
    }
