"""Unpacking: everything harmless arrives as it was, nothing hostile gets out of its folder."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import stat

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.byte_sources import seeded, tar_gz, tree
from tests.hostile_archives import (
    END,
    HARMLESS_FILES,
    harmless_archives,
    header,
    hostile_archives,
    member,
    pax,
    tgz,
    zipped,
)
from up42_plugin.core.archives.safe_names import MemberNames, safe_component, slug
from up42_plugin.core.archives.tar_stream import TarReader
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.output_errors import DamagedArchiveError, HostileArchiveError, OutputError, format_bytes
from up42_plugin.core.unpack import RECEIPT, Unpacker, UnpackLimits

SMALL = UnpackLimits(most_bytes=1 << 30, ratio=200, ratio_from=1 << 20, members=50)
RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def unpack(content: bytes, folder, limits=SMALL):
    return Unpacker(folder, ThreadContext(), limits).unpack(io.BytesIO(content))


@pytest.mark.parametrize("archive", hostile_archives(), ids=lambda archive: archive.name)
def test_a_hostile_archive_is_refused_with_its_own_words_and_nothing_gets_out(archive, tmp_path):
    inside = tmp_path / "a" / "b" / "c" / "staging"
    inside.mkdir(parents=True)
    (tmp_path / "a" / "bystander.txt").write_text("untouched")
    with pytest.raises(OutputError) as refusal:
        unpack(archive.content, inside)
    assert archive.words in refusal.value.user_message
    outside = {path: data for path, data in tree(tmp_path).items() if not path.startswith("a/b/c/staging/")}
    assert outside == {"a/bystander.txt": b"untouched"}
    assert all(path.is_file() or path.is_dir() for path in inside.rglob("*"))
    assert not any(path.is_symlink() for path in inside.rglob("*"))


def test_the_corpus_is_large_and_its_names_are_unique():
    names = [archive.name for archive in hostile_archives()]
    assert len(names) == len(set(names)) >= 25


@pytest.mark.parametrize(("label", "content"), harmless_archives().items(), ids=harmless_archives())
def test_harmless_archives_of_every_make_arrive_whole(label, content, tmp_path):
    unpacked = unpack(content, tmp_path)
    found = tree(tmp_path)
    assert found.pop(RECEIPT)
    assert found == HARMLESS_FILES
    assert unpacked.files == 2
    assert unpacked.size == sum(map(len, HARMLESS_FILES.values()))


def test_permissions_of_the_archive_are_not_taken_over(tmp_path):
    unpack(harmless_archives()["pax in output/"], tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    assert not any(mode & 0o7111 for mode in modes)


def test_folders_without_files_are_made(tmp_path):
    unpack(tgz(header(b"output/", kind=b"5"), header(b"output/empty/", kind=b"5"), header(b"output/old/")), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["empty", "old"]


def test_an_archive_of_several_gzip_members_is_read_to_its_end(tmp_path):
    first, second = member(b"output/a", b"1" * 700), member(b"output/b", b"2" * 700)
    unpack(gzip.compress(first[:600]) + gzip.compress(first[600:] + second + END) + bytes(512), tmp_path)
    assert tree(tmp_path)["b"] == b"2" * 700


def test_an_archive_without_end_marker_is_whole_when_its_gzip_is(tmp_path):
    unpack(tgz(member(b"output/a"), end=b""), tmp_path)
    assert tree(tmp_path)["a"] == b"x"


def test_names_windows_forbids_are_replaced_and_the_map_is_kept(tmp_path):
    names = ["building=*_2020-08-31T14:36.geojson", "CON.tif", "dir./trailing. ", "Nul", 'a"b<c>|?', "x/com1.geojson"]
    unpacked = unpack(tar_gz({name: name.encode() for name in names}), tmp_path)
    assert unpacked.renamed == {
        "building=*_2020-08-31T14:36.geojson": "building=__2020-08-31T14_36.geojson",
        "CON.tif": "_CON.tif",
        "dir.": "dir_",
        "dir./trailing. ": "dir_/trailing__",
        "Nul": "_Nul",
        'a"b<c>|?': "a_b_c___",
        "x/com1.geojson": "x/_com1.geojson",
    }
    for original in names:
        assert (tmp_path / unpacked.renamed[original]).read_bytes() == original.encode()


def test_a_harmless_backslash_is_replaced(tmp_path):
    unpacked = unpack(tgz(member(b"output/a\\b.txt", b"kept")), tmp_path)
    assert unpacked.renamed == {"a\\b.txt": "a_b.txt"}
    assert (tmp_path / "a_b.txt").read_bytes() == b"kept"


def test_an_empty_raster_may_pack_a_thousand_to_one(tmp_path):
    unpacked = unpack(tar_gz({"empty.tif": bytes(4 << 20)}, level=9), tmp_path, UnpackLimits())
    assert unpacked.size == 4 << 20


def test_more_bytes_than_allowed_are_refused(tmp_path):
    with pytest.raises(HostileArchiveError, match="more than is allowed"):
        unpack(tar_gz({"a": seeded(1).randbytes(5000)}), tmp_path, UnpackLimits(most_bytes=4000))


def test_every_truncation_is_noticed(tmp_path):
    whole = tar_gz({"data.json": b"{}", "a.tif": seeded(2).randbytes(3000)}, level=9)
    for length in range(len(whole)):
        folder = tmp_path / str(length)
        folder.mkdir()
        with pytest.raises(DamagedArchiveError):
            unpack(whole[:length], folder)


def test_a_flipped_bit_is_noticed_or_does_no_harm(tmp_path):
    files = {"data.json": b'{"type":"FeatureCollection","features":[]}', "a.tif": seeded(3).randbytes(2000)}
    whole = tar_gz(files, level=9)
    chance = seeded(4)
    noticed = 0
    for number in range(300):
        folder = tmp_path / str(number)
        folder.mkdir()
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        try:
            unpack(bytes(flipped), folder)
        except (DamagedArchiveError, HostileArchiveError):
            noticed += 1
        else:  # in gzip's own header: time stamp, operating system
            assert {name: data for name, data in tree(folder).items() if name != RECEIPT} == files
    assert noticed > 250


def test_a_zip_s_directory_may_be_spoilt_anywhere(tmp_path):
    whole = zipped(("output/data.json", b"{}"), ("output/größe/a.tif", b"x" * 3000))
    for place in range(whole.index(b"PK\x01\x02"), len(whole)):
        for value in (0x00, 0x80, 0xFF):
            folder = tmp_path / f"{place}-{value}"
            folder.mkdir()
            with contextlib.suppress(OutputError):  # nothing else comes of it
                unpack(whole[:place] + bytes([value]) + whole[place + 1 :], folder)


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_the_tar_reader_ends_on_any_bytes(content):
    reader = TarReader(io.BytesIO(content).read)
    try:
        for found in reader:
            while reader.read(512):
                pass
            assert found.size <= len(content)
    except (DamagedArchiveError, HostileArchiveError):
        pass


def test_sizes_beyond_octal_are_read():
    field = b"\x80" + (10_000_000_000).to_bytes(11, "big")
    assert next(iter(TarReader(io.BytesIO(header(b"a", size_field=field)).read))).size == 10_000_000_000


def test_a_size_in_a_pax_header_counts():
    content = pax(size="3", path="output/ü.txt") + header(b"short") + b"abc".ljust(512, b"\0") + END
    reader = TarReader(io.BytesIO(content).read)
    found = next(iter(reader))
    assert (found.name, found.size, reader.read(99)) == ("output/ü.txt", 3, b"abc")


parts = st.text(st.characters(blacklist_characters="/"), min_size=1, max_size=12)


@settings(deadline=None)
@given(st.lists(parts, min_size=1, max_size=4))
@example(["output", "..", "x"])
@example(["output", "a\\..\\..", "x"])
@example(["output", "COM¹", "x"])
def test_any_name_is_refused_or_made_safe_for_every_file_system(components):
    names = MemberNames()
    try:
        parent, path = names.file("/".join(components))
    except HostileArchiveError:
        return
    assert path.startswith(f"{parent}/" if parent else "")
    for component in path.split("/"):
        assert component
        assert component not in (".", "..")
        assert not set(component) & set('<>:"|?*\\/\0')
        assert not any(ord(character) < 32 for character in component)
        assert component[-1] not in ". "
        assert not RESERVED.match(component)
        assert len(component.encode()) <= 255


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_slug_is_a_short_folder_name(text):
    name = slug(text)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
    assert len(name) <= 41
    assert safe_component(name) == name


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1.2e9, "1.2 GB"), (3.1e9, "3.1 GB"), (5e15, "5000.0 TB")],
)
def test_bytes_are_written_for_people(count, text):
    assert format_bytes(count) == text.replace(" ", "\u00a0")
