"""What a killed pool left on disk goes; what a living one holds stays."""

from __future__ import annotations

from pathlib import Path

from queries.workers.spill import SpillRoom


def test_rooms_are_private_and_apart(tmp_path: Path) -> None:
    room = SpillRoom(tmp_path / "spill")
    one, two = room.new(), room.new()
    assert one != two
    assert one.stat().st_mode & 0o777 == one.parent.stat().st_mode & 0o777 == 0o700
    room.remove(one)
    assert not one.exists()
    assert two.exists()
    room.close()
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_room_that_nobody_holds_is_swept(tmp_path: Path) -> None:
    (tmp_path / "pool-left" / "worker-left").mkdir(parents=True)
    (tmp_path / "pool-left" / "worker-left" / "spilled").write_bytes(b"ciphertext")
    (tmp_path / "other").mkdir()
    held = SpillRoom(tmp_path)
    kept = held.new()
    SpillRoom(tmp_path).close()
    assert not (tmp_path / "pool-left").exists()
    assert (tmp_path / "other").exists()
    assert kept.exists()
    held.close()
