"""Check digits, by the example of GitHub's own description."""

from __future__ import annotations

from app.redaction import redact_text
from app.redaction.check_digits import check_digits, has_check_digits

PAYLOAD = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"


def test_the_check_digits_are_those_that_github_appends() -> None:
    assert check_digits(PAYLOAD) == "0mLq17"
    assert has_check_digits(f"ghp_{PAYLOAD}0mLq17")
    assert not has_check_digits(f"ghp_{PAYLOAD}0mLq18")
    assert not has_check_digits("0mLq17")


def test_right_digits_make_sure_of_a_token_and_wrong_ones_do_not_clear_it() -> None:
    assert redact_text(f"found {PAYLOAD}0mLq17 here") == "found [redacted:token] here"
    assert redact_text(f"found {PAYLOAD}0mLq18 here") == f"found {PAYLOAD}0mLq18 here"
    assert redact_text(f"ghp_{PAYLOAD}0mLq18") == "[redacted:github-token]"
