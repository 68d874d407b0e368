"""A step is done again when, and only when, one of its inputs changed."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tools.runtime_tree import steps
from tools.runtime_tree.layout import Layout
from tools.runtime_tree.progress import Progress
from tools.runtime_tree.stamps import Stamps, digest, files_below, files_digest, link_atomically, write_atomically


class Counted:
    """A step that notes how often it was done; its input is one file, its result another."""

    def __init__(self, root: Path) -> None:
        self.source, self.result, self.runs = root / "source", root / "result", 0
        self.step = steps.Step("counted", "a test", self._key, self._is_made, self._run)

    def _key(self, layout: Layout) -> str:
        return files_digest(layout.checkout, [self.source])

    def _is_made(self, layout: Layout) -> bool:
        return layout.checkout == self.result.parent and self.result.is_file()

    def _run(self, layout: Layout, progress: Progress, key: str) -> None:
        self.runs += 1
        self.result.write_text(key)


def run(counted: Counted, layout: Layout) -> bool:
    return steps.run_all(layout, Stamps(layout.runtime / "stamps"), Progress(), (counted.step,))


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    layout, counted = Layout(tmp_path, "x86_64"), Counted(tmp_path)
    counted.source.write_text("one")
    assert run(counted, layout)
    assert not run(counted, layout)
    assert counted.runs == 1


def test_a_changed_input_or_a_lost_result_runs_it_again(tmp_path: Path) -> None:
    layout, counted = Layout(tmp_path, "x86_64"), Counted(tmp_path)
    counted.source.write_text("one")
    run(counted, layout)
    counted.source.write_text("two")
    assert run(counted, layout)
    counted.result.unlink()
    assert run(counted, layout)
    assert counted.runs == 3


def test_the_same_content_written_again_is_no_change(tmp_path: Path) -> None:
    layout, counted = Layout(tmp_path, "x86_64"), Counted(tmp_path)
    counted.source.write_text("one")
    run(counted, layout)
    counted.source.unlink()
    counted.source.write_text("one")
    assert not run(counted, layout)


def test_check_names_what_waits(tmp_path: Path) -> None:
    layout, counted = Layout(tmp_path, "x86_64"), Counted(tmp_path)
    counted.source.write_text("one")
    stamps = Stamps(layout.runtime / "stamps")
    assert steps.pending(layout, stamps, (counted.step,)) == ["counted"]
    run(counted, layout)
    assert steps.pending(layout, stamps, (counted.step,)) == []


def test_a_moved_checkout_needs_a_new_tree(tmp_path: Path) -> None:
    assert steps.tree_key(Layout(tmp_path / "a", "x86_64")) != steps.tree_key(Layout(tmp_path / "b", "x86_64"))


def test_every_step_has_a_key_before_anything_was_built(tmp_path: Path) -> None:
    layout = Layout(tmp_path, "x86_64")
    waiting = steps.pending(layout, Stamps(layout.runtime / "stamps"))
    assert waiting == [step.name for step in steps.STEPS]


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_digest_tells_where_texts_end(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_a_missing_file_and_an_empty_one_differ(tmp_path: Path) -> None:
    path = tmp_path / "file"
    missing = files_digest(tmp_path, [path])
    path.touch()
    assert files_digest(tmp_path, [path]) != missing


def test_files_below_looks_at_endings(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.cc").touch()
    (tmp_path / "b.h").touch()
    assert files_below(tmp_path, ".cc") == [tmp_path / "deep" / "a.cc"]
    assert len(files_below(tmp_path)) == 2
    assert files_below(tmp_path / "none") == []


def test_links_and_files_are_replaced_in_one_go(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        link_atomically(tmp_path / "used", tmp_path / name)
        assert (tmp_path / "used").resolve() == tmp_path / name
        write_atomically(tmp_path / "note", name)
        assert (tmp_path / "note").read_text() == name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["note", "one", "two", "used"]


def test_a_folder_in_the_way_of_a_link_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    (tmp_path / "one").mkdir()
    link_atomically(tmp_path / "used", tmp_path / "one")
    assert (tmp_path / "used.replaced" / "file").read_text() == "mine"
