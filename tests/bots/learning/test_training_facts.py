from pathlib import Path

import pytest

from bots.learning.training_facts import Epoch, Metrics, best, history, read

HEAD = "epoch,fer2013_accuracy,learning_rate,loss,val_fer2013_accuracy,val_loss\n"


def test_a_history_is_read_by_its_columns_without_the_line_that_is_being_written(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(f"{HEAD}0,0.25,0.001,1.9,0.3,1.8\n1,0.5,0.001,1.5,0.45,1.6\n2,0.6,0.0")
    assert history(file) == (Epoch(1, 1.9, 1.8, 0.25, 0.3), Epoch(2, 1.5, 1.6, 0.5, 0.45))


def test_an_epoch_that_was_repeated_after_an_interruption_counts_once(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(f"{HEAD}0,0.2,0,2,0.3,2\n1,0.4,0,2,0.9,2\n1,0.5,0,1,0.6,1\n")
    assert [each.valid_accuracy for each in history(file)] == [0.3, 0.6]
    top = best(history(file))
    assert top is not None
    assert top.number == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\0",
        b"epoch,loss\n1,2\n",
        HEAD.encode() + b"0,many,0,2,0.3,2\n",
        HEAD.encode() + b"inf,1,1,1,1,1\n",
    ],
)
def test_a_history_that_is_none_has_no_epochs(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "history.csv").write_bytes(content)
    assert history(tmp_path / "history.csv") == ()
    assert history(tmp_path / "nothing.csv") == ()


def test_a_loss_that_is_no_number_is_kept_for_the_table(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(f"{HEAD}0,0.2,0,nan,0.3,nan\n")
    assert len(history(tmp_path / "history.csv")) == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"finished": "perhaps", "epochs": 3}', "{" * 5000])
def test_facts_that_are_none_are_not_there(tmp_path: Path, content: str) -> None:
    (tmp_path / "metrics.json").write_text(content)
    assert read(Metrics, tmp_path / "metrics.json") is None


def test_facts_may_have_more_than_is_shown(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"finished": true, "epochs": 3, "parameters": 12}')
    assert read(Metrics, tmp_path / "metrics.json") == Metrics(finished=True, epochs=3)
