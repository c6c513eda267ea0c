import re
import shlex

import pytest

from tests.infra import bicep

ROOT = bicep.INFRA.parent


def commands(text: str, sign: str) -> list[list[str]]:
    """Give the commands of the block in which something occurs, word by word, without comments.

    Lines of exports that follow each other are one: the same variables, however they are put on lines.
    """
    (block,) = (each for each in re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if sign in each)
    found: list[list[str]] = []
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if found and words[0] == found[-1][0] == "export":
            found[-1] = ["export", *sorted([*found[-1][1:], *words[1:]])]
        else:
            found.append(words)
    return found


@pytest.mark.parametrize(("sign", "count"), [("azd up", 6), ("func azure functionapp publish", 5)])
def test_both_readmes_deploy_alike(sign, count):
    """The commands that deploy are the same in both READMEs, with azd and with az and func."""
    brief, full = (commands((ROOT / name).read_text(), sign) for name in ("README.md", "infra/README.md"))
    assert len(full) == count
    assert brief == full
