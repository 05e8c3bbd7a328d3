"""Plugins are put into an order that does not depend on chance, and what cannot run is left out with its reason."""

from hypothesis import given
from hypothesis import strategies as st

from gigacore.messages import msg
from gigacore.plugins import Plugin, arrange, dependents

NAMES = "abcdef"


def plugins(**requires: str) -> dict[str, Plugin]:
    return {name: Plugin(name, requires=wanted.split()) for name, wanted in requires.items()}


def names(found: list[Plugin]) -> list[str]:
    return [p.name for p in found]


def test_what_is_required_comes_first_and_the_name_breaks_ties() -> None:
    order, out = arrange(plugins(a="z", b="", c="a", z=""), {})
    assert names(order) == ["b", "z", "a", "c"]
    assert not out


def test_after_orders_without_requiring() -> None:
    order, out = arrange({"a": Plugin("a", after=["b", "missing"]), "b": Plugin("b")}, {})
    assert names(order) == ["b", "a"]
    assert not out


def test_soft_wishes_in_a_circle_keep_nobody_out() -> None:
    order, out = arrange({"a": Plugin("a", after=["b"]), "b": Plugin("b", after=["a"])}, {})
    assert sorted(names(order)) == ["a", "b"]
    assert not out


def test_a_missing_requirement_is_named() -> None:
    order, out = arrange(plugins(a="nowhere", b=""), {})
    assert names(order) == ["b"]
    assert str(out["a"]) == "It requires nowhere, which is not installed or not enabled."


def test_a_circle_of_requirements_is_left_out_with_its_path() -> None:
    order, out = arrange(plugins(a="b", b="c", c="a", d="a", e=""), {})
    assert names(order) == ["e"]
    assert set(out) == {"a", "b", "c", "d"}
    assert "→" in str(out["a"])


def test_the_dependents_of_a_refused_plugin_are_refused_too() -> None:
    order, out = arrange(plugins(a="", b="a", c="b", d=""), {"a": msg("broken")})
    assert names(order) == ["d"]
    assert str(out["c"]) == "It requires b, which is out of order."


def test_dependents_are_found_through_others() -> None:
    assert dependents(plugins(a="", b="a", c="b", d=""), "a") == ["b", "c"]


@given(st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=3)), st.randoms())
def test_the_order_holds_every_requirement_whatever_the_graph(graph: dict[str, set[str]], random: object) -> None:
    items = [(name, Plugin(name, requires=sorted(wanted))) for name, wanted in graph.items()]
    random.shuffle(items)  # type: ignore[attr-defined]
    order, out = arrange(dict(items), {})
    seen: set[str] = set()
    for plugin in order:
        assert set(plugin.requires) <= seen
        seen.add(plugin.name)
    assert seen | set(out) == set(graph)
    assert names(order) == names(arrange(dict(sorted(items)), {})[0])
