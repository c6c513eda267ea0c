"""The regions that the simulated Azure knows, and the two spellings of their names.

Requests may use either spelling; `targetRegions` in answers uses the display name and `replicationStatus`
the short one (both seen in captured traffic).
"""

from typing import Final

_DISPLAY_NAMES: Final = """
Australia Central|Australia Central 2|Australia East|Australia Southeast|Austria East|Belgium Central|Brazil South
Brazil Southeast|Canada Central|Canada East|Central India|Central US|Central US EUAP|Chile Central|East Asia|East US
East US 2|East US 2 EUAP|France Central|France South|Germany North|Germany West Central|Indonesia Central
Israel Central|Italy North|Japan East|Japan West|Jio India Central|Jio India West|Korea Central|Korea South
Malaysia West|Mexico Central|New Zealand North|North Central US|North Europe|Norway East|Norway West|Poland Central
Qatar Central|South Africa North|South Africa West|South Central US|South India|Southeast Asia|Spain Central
Sweden Central|Sweden South|Switzerland North|Switzerland West|UAE Central|UAE North|UK South|UK West|West Central US
West Europe|West India|West US|West US 2|West US 3
"""


def short(name: str) -> str:
    """Return the short spelling: `East US 2` becomes `eastus2`. Any text is accepted."""
    return name.replace(" ", "").lower()


DISPLAY: Final[dict[str, str]] = {
    short(name): name for line in _DISPLAY_NAMES.split("\n") for name in line.split("|") if name
}


def known(name: str) -> bool:
    """Tell whether Azure has a region of this name, in either spelling."""
    return short(name) in DISPLAY


def display(name: str) -> str:
    """Return the display name (`East US 2`), or the text itself for a region that does not exist."""
    return DISPLAY.get(short(name), name)
