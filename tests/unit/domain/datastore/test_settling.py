from __future__ import annotations

from dataclasses import replace

from nekonex.domain.datastore import NO_SLOT, Flag, StoredObject
from nekonex.domain.datastore.model import Upload
from nekonex.domain.datastore.ports import FileOperation, Outcome
from nekonex.domain.datastore.rules import uploads
from nekonex.domain.datastore.rules.lifetimes import release
from nekonex.domain.datastore.rules.settling import removals, settle

HOLDER = StoredObject(owner=1, data_id=5, key="k", slot=3, complete=True, version=2, size=4)
WAITING = replace(HOLDER, data_id=6, complete=False, version=1, upload=Upload(1, 3, 100))


def test_who_has_the_slot_and_the_key_is_replaced_without_a_removal() -> None:
    settled = settle(uploads.publication(WAITING, 200), holder=HOLDER, sharers=[HOLDER])
    assert (settled.changed, settled.deleted) == ((), (HOLDER,))
    assert settled.files == (FileOperation("k~6.1", "k"),)


def test_who_has_the_slot_and_another_key_is_removed_first() -> None:
    other = replace(HOLDER, key="other", upload=Upload(3, 1, 100))
    settled = settle(uploads.publication(WAITING, 200), holder=other, sharers=[])
    assert settled.files == (
        FileOperation("other"),
        FileOperation("other~5.3"),
        FileOperation("k~6.1", "k"),
    )


def test_who_has_the_key_gives_way_and_keeps_its_content_and_its_upload() -> None:
    sharer = replace(HOLDER, slot=NO_SLOT, upload=Upload(3, 1, 100))
    settled = settle(uploads.publication(WAITING, 200), holder=None, sharers=[sharer])
    (moved,) = settled.changed
    assert moved.key == "k~5.2-kept"
    assert moved.staging_key == sharer.staging_key == "k~5.3"
    assert settled.files == (FileOperation("k", "k~5.2-kept"), FileOperation("k~6.1", "k"))
    assert list(removals(moved)) == [FileOperation("k~5.2-kept"), FileOperation("k~5.3")]


def test_who_only_loses_its_slot_gives_way_once() -> None:
    outcome = uploads.publication(replace(WAITING, replaces=False), 200)
    settled = settle(outcome, holder=HOLDER, sharers=[HOLDER])
    assert settled.deleted == ()
    assert settled.changed == (replace(release(HOLDER, 200), key="k~5.2-kept"),)


def test_what_has_no_file_has_nothing_to_move_or_remove() -> None:
    bare = replace(HOLDER, key="", flags=int(Flag.NO_FILE))
    assert settle(Outcome(bare), holder=None, sharers=[]).files == ()
    assert uploads.deletion(bare) == Outcome(None)
    assert uploads.publication(replace(bare, complete=False), 200).files == ()
