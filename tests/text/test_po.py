"""Reading .po files: the same as babel reads in them."""

import gettext
from importlib.resources import files
from io import BytesIO

import pytest
from babel.messages.pofile import read_po as babel_reads

from gigacore.text.po import read_po

SAMPLE = r"""# translators
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

#: a.py:1
msgid "Lead"
msgstr "Piste"
msgid "One \"line\"\n"
"and another\\"
msgstr "Une « ligne »\n"
"et une autre\\"

msgid "{count} lead"
msgid_plural "{count} leads"
msgstr[0] "{count} piste"
msgstr[1] "{count} pistes"

#, fuzzy
msgid "Guess"
msgstr "Devine"

msgid "Not yet"
msgstr ""

#~ msgid "Gone"
#~ msgstr "Parti"
"""


def by_babel(text: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for message in babel_reads(BytesIO(text.encode()), locale="fr"):
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not message.fuzzy and all(forms):
            found[message.id if isinstance(message.id, str) else message.id[0]] = tuple(map(str, forms))
    return found


@pytest.mark.parametrize("package", ["", "gigacore", "gigacore.crm", "host_app"])
def test_every_file_reads_as_babel_reads_it(package: str) -> None:
    text = files(package).joinpath("translations", "fr.po").read_text("utf-8") if package else SAMPLE
    read = read_po(text)
    assert read.texts == by_babel(text)
    rule = gettext.c2py(read.plural)
    assert [rule(count) for count in (0, 1, 2)] == [0, 0, 1]


@pytest.mark.parametrize("line", ["msgid Lead", '"Lead"', 'msgid "Lead'])
def test_a_line_that_makes_no_sense_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 1 "):
        read_po(line)
