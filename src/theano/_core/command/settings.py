"""`python -m theano config`: the settings, where their values are from, and what they decide."""

from __future__ import annotations

from collections.abc import Sequence

from theano._core.base.near_misses import did_you_mean
from theano._core.base.settings import config


def changed() -> dict[str, str]:
    """Return the settings that the environment or a settings file gives, by name."""
    settings = {**config.__dict__["_files"], **config.__dict__["_flags"]}
    return {name: str(config.get(name)) for name in sorted(settings) if name in config.settings()}


def show_settings(names: Sequence[str]) -> int:
    """Print settings: all, or those whose names hold one of `names`."""
    table, changed_settings = config.settings(), changed()
    chosen = [s for s in table if not names or any(n.lower() in s.lower() for n in names)]
    for name in chosen:
        setting = table[name]
        kinds = setting.choices or setting.kind
        values = ", ".join(map(str, kinds)) if isinstance(kinds, (list, tuple)) else str(kinds)
        where = "  (given by THEANO_FLAGS or a settings file)" if name in changed_settings else ""
        print(f"{name} = {config.get(name)!s}{where}\n    {setting.doc}\n    {values}")
    if not chosen:
        near = "".join(did_you_mean(name, table) for name in names)
        print(f"no setting is called {' or '.join(names)}.{near}")
        return 1
    return 0
