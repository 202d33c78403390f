from __future__ import annotations

from normlaw.page.kept import KeptAnswers


def test_an_answer_is_worked_out_once_a_version_and_the_oldest_is_forgotten_first() -> None:
    kept = KeptAnswers(largest=10)
    worked_out: list[str] = []

    def ask(question: str, version: str = "1", length: int = 4) -> bytes:
        def work_out() -> bytes:
            worked_out.append(question + version)
            return (question + version).encode().ljust(length)

        return kept.answer(question, version, work_out)

    assert ask("a") == ask("a") == b"a1  "
    assert ask("b") == b"b1  "
    assert ask("a") == b"a1  "
    assert worked_out == ["a1", "b1"]
    assert ask("a", "2") == b"a2  "
    assert ask("c") == b"c1  "  # 12 bytes with b, the one that was asked longest ago
    ask("a", "2"), ask("c")
    assert worked_out == ["a1", "b1", "a2", "c1"]
    ask("b")
    assert worked_out[4:] == ["b1"]
    assert len(ask("d", length=11)) == 11  # too long to be kept, and the others stay
    ask("b"), ask("c")
    assert worked_out[5:] == ["d1"]
