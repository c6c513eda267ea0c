import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.core.names import GalleryId, ImageId, Name, VersionId, VersionNumber, encryption_set_id, region_name
from tests.core import strategies
from tests.core.build import GALLERY_ID, IMAGE_ID, SUBSCRIPTION, VERSION_ID, version_id

ALL_KINDS = pytest.mark.parametrize(
    ("kind", "text"), [(GalleryId, GALLERY_ID), (ImageId, IMAGE_ID), (VersionId, VERSION_ID)]
)


@ALL_KINDS
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.swapcase, str.title, str])
def test_ids_in_any_case(kind, text, spelled):
    """An id is the same in every letter case."""
    assert kind.parse(spelled(text)) == kind.parse(text)
    assert hash(kind.parse(spelled(text))) == hash(kind.parse(text))


@ALL_KINDS
def test_ids_are_written_as_azure_writes_them(kind, text):
    """An id is written with Azure's own spelling of the fixed parts."""
    assert str(kind.parse(text)) == text
    assert str(kind.parse(text.replace("resourceGroups", "RESOURCEgroups").replace("Microsoft", "microsoft"))) == text


@given(strategies.versions_ids)
def test_version_ids_round_trip(identity):
    """What is written of any id can be read, as that id."""
    assert VersionId.parse(str(identity)) == identity
    assert ImageId.parse(str(identity.image)) == identity.image
    assert GalleryId.parse(str(identity.image.gallery)) == identity.image.gallery


def _swapped(old: str, new: str) -> str:
    assert old in VERSION_ID
    return VERSION_ID.replace(old, new)


NOT_VERSIONS = {
    "empty": "",
    "no slash in front": VERSION_ID[1:],
    "slash at the end": f"{VERSION_ID}/",
    "line end": f"{VERSION_ID}\n",
    "space around": f" {VERSION_ID} ",
    "query": f"{VERSION_ID}?api-version=1",
    "fragment": f"{VERSION_ID}#x",
    "address": f"https://management.azure.com{VERSION_ID}",
    "child": f"{VERSION_ID}/things/1",
    "definition": IMAGE_ID,
    "gallery": GALLERY_ID,
    "application version": _swapped("/images/", "/applications/"),
    "managed image": _swapped("/galleries/prodgallery/images/ubuntu-2204/versions/1.0.3", "/images/ubuntu"),
    "other provider": _swapped("Microsoft.Compute", "Microsoft.Computer"),
    "any character for the dot": _swapped("Microsoft.Compute", "MicrosoftXCompute"),
    "traversal as group": _swapped("images-rg", ".."),
    "traversal as gallery": _swapped("prodgallery", ".."),
    "traversal as image": _swapped("ubuntu-2204", ".."),
    "traversal in front": f"/../..{VERSION_ID}",
    "traversal behind": f"{VERSION_ID}/../../x",
    "traversal in a name": _swapped("prodgallery", "prod/../gallery"),
    "escaped traversal": _swapped("prodgallery", "%2e%2e"),
    "escaped slash": _swapped("prodgallery", "a%2Fb"),
    "backslash": _swapped("prodgallery", "a\\b"),
    "doubled slash": _swapped("/images/", "//images/"),
    "empty gallery": _swapped("prodgallery", ""),
    "nul": _swapped("prodgallery", "prod\0gallery"),
    "line feed": _swapped("prodgallery", "prod\ngallery"),
    "carriage return": _swapped("ubuntu-2204", "ubuntu\r2204"),
    "escape": _swapped("ubuntu-2204", "ubuntu\x1b[31m"),
    "direction override": _swapped("ubuntu-2204", "ubuntu\u202e2204"),
    "blank in a name": _swapped("ubuntu-2204", "ubuntu 2204"),
    "markup": _swapped("ubuntu-2204", "<!channel>"),
    "dot at the end of a name": _swapped("ubuntu-2204", "ubuntu."),
    "dot at the end of a group": _swapped("images-rg", "images."),
    "gallery too long": _swapped("prodgallery", "g" * 81),
    "image too long": _swapped("ubuntu-2204", "i" * 81),
    "group too long": _swapped("images-rg", "r" * 91),
    "absurdly long": _swapped("images-rg", "r" * 1_000_000),
    "absurdly many dots": _swapped("1.0.3", "1." * 500_000),
    "subscription not a guid": _swapped(SUBSCRIPTION, "prod"),
    "subscription in braces": _swapped(SUBSCRIPTION, f"{{{SUBSCRIPTION}}}"),
    "two numbers": _swapped("1.0.3", "1.0"),
    "four numbers": _swapped("1.0.3", "1.0.3.4"),
    "latest": _swapped("1.0.3", "latest"),
    "only dots": _swapped("1.0.3", "....."),
    "number too large": _swapped("1.0.3", "1.0.2147483648"),
    "foreign digits": _swapped("1.0.3", "\u0661.\u0660.\u0663"),
    "foreign letter as image": _swapped("ubuntu-2204", "ub\u00fcntu"),
    "foreign letter as gallery": _swapped("prodgallery", "pr\u00f6dgallery"),
    "foreign letter as group": _swapped("images-rg", "im\u00e4ges"),
    "long s for s": _swapped("/subscriptions/", "/\u017fubscriptions/"),
    "Kelvin sign for k": _swapped("prodgallery", "prod\u212a"),
}


@pytest.mark.parametrize("text", NOT_VERSIONS.values(), ids=NOT_VERSIONS.keys())
def test_not_version_ids(text):
    """Anything but the exact shape of a version's id is refused, in an error that is short and printable."""
    with pytest.raises(Malformed) as caught:
        VersionId.parse(text)
    assert len(str(caught.value)) < 2000
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        GALLERY_ID.replace("prodgallery", "pr\u00f6dgallery"),
        GALLERY_ID.replace("images-rg", "im\u00e4ges"),
        GALLERY_ID.replace("/subscriptions", "/\u017fubscriptions"),
        GALLERY_ID.replace("prodgallery", ".."),
        f"{GALLERY_ID}\n",
        f"{GALLERY_ID}/",
        IMAGE_ID,
    ],
)
def test_galleries_are_as_strict_as_versions(text):
    """A gallery whose versions could never be named is refused too, instead of being managed in vain."""
    with pytest.raises(Malformed, match="a gallery"):
        GalleryId.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        IMAGE_ID.replace("prodgallery", "pr\u00f6dgallery"),
        IMAGE_ID.replace("ubuntu-2204", "ub\u00fcntu"),
        IMAGE_ID.replace("ubuntu-2204", "a/../b"),
        GALLERY_ID,
        VERSION_ID,
    ],
)
def test_definitions_are_as_strict_as_versions(text):
    """A definition whose versions could never be named is refused too."""
    with pytest.raises(Malformed, match="an image definition"):
        ImageId.parse(text)


@given(st.text() | st.text(alphabet="/.%-_()aA1\0\n\u0130\u017f").map(lambda text: f"{IMAGE_ID}/versions/{text}"))
def test_any_text_as_id(text):
    """Any text is an id that is written as it was read, or Malformed, and nothing else is raised."""
    for kind in (GalleryId, ImageId, VersionId):
        try:
            identity = kind.parse(text)
        except Malformed:
            continue
        assert str(identity).casefold() == text.casefold()
        assert text.isascii()


def test_error_shows_no_more_than_a_line():
    """A long text is quoted in an error by its beginning."""
    with pytest.raises(Malformed, match=r"'x{157}\.\.\.' is not the resource id of a gallery"):
        GalleryId.parse("x" * 500)


def test_names_ignore_case():
    """A name is kept as it was given, and compared, looked up and counted without its letter case."""
    name = Name("ProdGallery")
    assert str(name) == "ProdGallery"
    assert name == "prodgallery"
    assert name == Name("PRODGALLERY")
    assert name != "prodgallery2"
    assert not name != "PRODGALLERY"  # noqa: SIM202  this is about !=
    assert name != 7
    assert {name: 1}[Name("prodGALLERY")] == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("westeurope", "westeurope"),
        ("West Europe", "westeurope"),
        ("West US 2", "westus2"),
        ("WESTUS2", "westus2"),
        (" east  us 2 ", "eastus2"),
        ("East US 2 EUAP", "eastus2euap"),
        ("UAE North", "uaenorth"),
    ],
)
def test_region_spellings(text, name):
    """Display names and short names of a region, in any case and with any plain spaces, are one name."""
    assert region_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "eu",
        "2westus",
        "west-europe",
        "west_europe",
        "west/europe",
        "..",
        "west\0europe",
        "w\u00e9st",
        "x" * 41,
        "westeurope;eastus2",
        "west,europe",
        "<b>west</b>",
        "\u0130stanbul",
        "west\u00a0europe",
        "west\teurope",
        "westeurope\n",
        "west\u2028europe",
        "west\u200beurope",
        "westeurope\u3000eastus2",
    ],
)
def test_not_regions(text):
    """What cannot be the name of a region, or joins two by a blank that is no plain space, is refused, printably."""
    with pytest.raises(Malformed, match="is not the name of a region") as caught:
        region_name(text)
    assert str(caught.value).isprintable()


@given(st.text() | st.text(alphabet="wW eE\t2\u00a0\u212a", min_size=3))
@example("\u212aoreacentral")
def test_any_text_as_region(text):
    """Any text is a region's clean short name, which stays as it is when read again, or Malformed."""
    try:
        name = region_name(text)
    except Malformed:
        return
    assert name.isascii()
    assert name.isalnum()
    assert name == name.lower() == region_name(name) == region_name(name.upper())


SET_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/keys-rg/providers/Microsoft.Compute/diskEncryptionSets/des-1"


@pytest.mark.parametrize("text", [SET_ID, SET_ID.lower(), SET_ID.upper(), SET_ID.replace("des-1", "d" * 80)])
def test_encryption_sets(text):
    """The id of a disk encryption set is taken in any letter case, as it was given."""
    assert encryption_set_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "des-1",
        f"{SET_ID}/",
        f"{SET_ID}\n",
        f" {SET_ID}",
        f"https://management.azure.com{SET_ID}",
        SET_ID.replace("/providers", "//providers"),
        SET_ID.replace("diskEncryptionSets", "disks"),
        SET_ID.replace("Microsoft.Compute", "Microsoft.KeyVault"),
        SET_ID.replace("Microsoft.Compute", "MicrosoftXCompute"),
        SET_ID.replace("des-1", "d" * 81),
        SET_ID.replace("des-1", ""),
        SET_ID.replace("des-1", ".."),
        SET_ID.replace("des-1", "d\u00e9s"),
        SET_ID.replace("des-1", "a/b"),
        SET_ID.replace("keys-rg", ".."),
        SET_ID.replace("keys-rg", "k" * 2000),
        SET_ID.replace(SUBSCRIPTION, "prod"),
        GALLERY_ID,
    ],
)
def test_not_encryption_sets(text):
    """Anything but the exact shape of a set's id is refused, in an error that is short and printable."""
    with pytest.raises(Malformed, match="is not the resource id of a disk encryption set") as caught:
        encryption_set_id(text)
    assert len(str(caught.value)) < 2000
    assert str(caught.value).isprintable()


@given(st.text() | st.text(alphabet="/.%-_aA1\0\n\u017f").map(lambda text: SET_ID.replace("des-1", text)))
def test_any_text_as_encryption_set(text):
    """Any text is a set's id that goes as it came, or Malformed, and nothing else is raised."""
    try:
        assert encryption_set_id(text) == text
    except Malformed:
        return
    assert text.isascii()
    assert ".." not in text


def test_versions_compare_as_numbers():
    """Versions are ordered as numbers, part by part, not as text."""
    texts = ["0.0.0", "0.0.9", "0.0.10", "0.9.0", "0.10.0", "1.0.0", "9.0.0", "10.0.0", "2147483647.0.0"]
    assert [str(number) for number in sorted(VersionNumber.parse(text) for text in reversed(texts))] == texts


@given(st.lists(st.tuples(*[st.integers(0, 2**31 - 1)] * 3), min_size=2, max_size=2))
def test_version_order_is_the_order_of_tuples(pair):
    """Any two versions are ordered as their three numbers are."""
    first, second = (VersionNumber.parse(".".join(map(str, parts))) for parts in pair)
    assert (first < second) == (pair[0] < pair[1])
    assert (first == second) == (pair[0] == pair[1])


@pytest.mark.parametrize("text", ["1.2.2147483647", "2147483647.2147483647.2147483647", "0.0.0"])
def test_version_parts_of_32_bits(text):
    """Each part goes up to the largest signed number of 32 bits."""
    assert str(VersionNumber.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "1.2.",
        ".1.2",
        "1..2",
        "-1.0.0",
        "+1.0.0",
        "1.0.0-rc",
        "v1.0.0",
        "1.0.2147483648",
        "4294967296.0.0",
        "99999999999.0.0",
        "1.0.0\n",
        " 1.0.0",
        "1,0,0",
        "\u0661.\u0660.\u0660",
        "1_0.0.0",
        "1e1.0.0",
    ],
)
def test_not_versions(text):
    """What is not three plain numbers of 32 bits is refused."""
    with pytest.raises(Malformed, match=r"wanted Major\.Minor\.Patch"):
        VersionNumber.parse(text)


def test_version_keeps_its_spelling():
    """A version is called as Azure calls it, and is the same version however many zeros it is spelled with."""
    assert str(version_id("1.0.03").number) == "1.0.03"
    assert VersionNumber.parse("1.0.03") == VersionNumber.parse("1.0.3")
