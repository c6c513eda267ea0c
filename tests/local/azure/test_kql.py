import pytest

from local.azure import kql

COLUMNS = {"id": kql.Kind.STRING, "name": kql.Kind.STRING, "tags": kql.Kind.DYNAMIC, "properties": kql.Kind.DYNAMIC}
ROWS = [
    {"id": "/S/b", "name": "Beta", "tags": None, "properties": {"mode": "Flexible", "image": {"id": "/I/One"}}},
    {"id": "/S/a", "name": "alpha", "tags": {"team": "x"}, "properties": {"mode": "Uniform", "image": {}}},
    {"id": "/S/c", "name": "", "tags": None, "properties": {"mode": "uniform", "cores": 4, "image": {"id": "/i/two"}}},
]
TABLES = {"resources": kql.Table(COLUMNS, ROWS)}


def answer(query):
    """Return the rows that a query finds in the table `resources`."""
    return list(kql.run(f"resources {query}", TABLES).rows)


def names(condition):
    """Return the last letters of the ids for which a condition holds, in the order of the table."""
    return "".join(row["id"][-1] for row in answer(f"| where {condition}"))


@pytest.mark.parametrize("name", ["resources", "Resources", "RESOURCES"])
def test_a_table_is_all_its_rows(name):
    """A table's name alone is a query, in any case."""
    assert kql.run(f" {name}\n", TABLES).rows == ROWS


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("name == 'alpha'", "a"),
        ('name == "ALPHA"', ""),
        ("name =~ 'ALPHA'", "a"),
        ("name != 'alpha'", "bc"),
        ("name !~ 'ALPHA'", "bc"),
        ("name in ('alpha', 'beta')", "a"),
        ("name in~ ('ALPHA', 'BETA')", "ba"),
        ("properties.mode in ('Uniform')", "a"),
        ("id startswith '/s/'", "bac"),
        ("id startswith_cs '/s/'", ""),
        ("id startswith_cs '/S/'", "bac"),
        ("id endswith '/A'", "a"),
        ("name contains 'ET'", "b"),
        ("properties.image.id startswith '/i/'", "bc"),
        ("'alpha' == name", "a"),
        (r"name == 'it\'s' or name == 'al\\pha' or name == 'Beta'", "b"),
    ],
)
def test_texts_compare_with_or_without_regard_to_case(condition, found):
    """`==`, `in` and `startswith_cs` mind the case; `=~`, `in~`, `startswith`, `endswith` and `contains` do not."""
    assert names(condition) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("name == 'Beta' or name == 'alpha' and id == 'none'", "b"),
        ("(name == 'Beta' or name == 'alpha') and id endswith 'a'", "a"),
        ("not(name == 'Beta') and not(isempty(name))", "a"),
        ("iff(name == 'Beta', id, name) == '/S/b'", "b"),
        ("iif(isempty(name), 'none', name) == 'none'", "c"),
        ("tolower(name) == 'beta'", "b"),
        ("strcat(name, '-', properties.mode) == 'Beta-Flexible'", "b"),
        ("coalesce(name, id) == '/S/c'", "c"),
        ("tostring(coalesce(properties.nothing, properties.mode)) == 'Flexible'", "b"),
        ("tostring(properties.cores) == '4'", "c"),
        ('tostring(tags) == \'{"team":"x"}\'', "a"),
    ],
)
def test_conditions_are_put_together(condition, found):
    """`and` binds more than `or`, parentheses more than both, and functions may stand in functions."""
    assert names(condition) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("isnull(properties.image.id)", "a"),
        ("isnotnull(properties.image.id)", "bc"),
        ("isempty(properties.image.id)", "a"),
        ("isnotempty(properties.image.id)", "bc"),
        ("isnull(name)", ""),
        ("isnotnull(name)", "bac"),
        ("isempty(name)", "c"),
        ("tostring(properties.nothing.at.all) == ''", "bac"),
        ("properties.nothing == 'x'", ""),
        ("properties.nothing != 'x'", "bac"),
        ("properties.Mode == 'Uniform'", ""),
        ("properties.mode.deeper == 'Uniform'", ""),
        ("tags.team == 'x' or isnull(tags)", "bac"),
        ("not(tags.team == 'x')", "bc"),
    ],
)
def test_what_is_missing_is_null(condition, found):
    """A missing property is null and empty, and equals nothing; a text is never null; names of properties have case."""
    assert names(condition) == found


def test_project_keeps_columns_and_names_them():
    """The order is the query's; a path without a name is called after its parts, and a property stays what it is."""
    query = (
        "| where id endswith 'b' | project properties.image.id, id, kind = tolower(properties.mode), properties.image"
    )
    (row,) = answer(query)
    assert list(row.items()) == [
        ("properties_image_id", "/I/One"),
        ("id", "/S/b"),
        ("kind", "flexible"),
        ("properties_image", {"id": "/I/One"}),
    ]


def test_extend_adds_columns_and_leaves_the_table_alone():
    """A new column has properties if its value has, and may replace another one; the stored rows do not change."""
    query = "| extend image = properties.image, id = tolower(id) | where image.id == '/I/One' | project id, image.id"
    assert answer(query) == [{"id": "/s/b", "image_id": "/I/One"}]
    assert [row["id"] for row in ROWS] == ["/S/b", "/S/a", "/S/c"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("id asc", "abc"),
        ("id desc", "cba"),
        ("id", "cba"),
        ("name asc", "cba"),
        ("tolower(name) asc", "cab"),
        ("tolower(tostring(properties.mode)) desc, id asc", "acb"),
        ("tolower(tostring(properties.mode)), id desc", "cab"),
    ],
)
def test_rows_are_sorted(order, found):
    """By one or several texts, each up or down; down is the default."""
    assert "".join(row["id"][-1] for row in answer(f"| order by {order}")) == found


@pytest.mark.parametrize("operator", ["limit", "take"])
def test_rows_are_limited(operator):
    """The first so many stay, and operators follow each other in the order in which they stand."""
    query = f"| order by id asc | {operator} 2 | where id != '/S/a' | project id"
    assert answer(query) == [{"id": "/S/b"}]
    assert answer(f"| {operator} 0") == []


@pytest.mark.parametrize(
    ("query", "pageable"),
    [
        ("| project id", True),
        ("| project properties, name = tostring(properties.a)", True),
        ("| project properties, properties.image", False),
        ("| take 100 | project id", False),
    ],
)
def test_some_results_have_no_pages(query, pageable):
    """After `take`, or when every column is dynamic, Resource Graph has no pages."""
    assert kql.run(f"resources {query}", TABLES).pageable is pageable


UNKNOWN = [
    "",
    "securityresources",
    "where id == 'x'",
    "resources | union computeresources",
    "union resources, computeresources",
    "resources, computeresources",
    "resources | join (computeresources) on id",
    "resources | summarize count()",
    "resources | mv-expand tags",
    "resources | sort by id asc",
    "resources | Where id == 'x'",
    "resources | ",
    "resources where id == 'x'",
    "let x = 'y'; resources",
]
FAULTY = [
    "where",
    "where id",
    "where properties.flag",
    "where nothing == 'x'",
    "where ID == 'x'",
    "where id.name == 'x'",
    "where id = 'x'",
    "where id == 'x' 'y'",
    "where id == 'x",
    r"where id == 'a\nb'",
    "where id == 3",
    "where id == 'x' == 'y'",
    "where (id == 'x'",
    "where id in 'x'",
    "where id in ()",
    "where id has 'x'",
    "where id !in ('x')",
    "where id matches regex 'x'",
    "where id == 'x' and name",
    "where name or id == 'x'",
    "where not(name)",
    "where toupper(id) == 'X'",
    "where ToLower(id) == 'x'",
    "where tolower(id, name) == 'x'",
    "where coalesce(id) == 'x'",
    "where coalesce(id, properties.a) == 'x'",
    "where iff(name, id, id) == 'x'",
    "where iff(name == 'x', id, properties.a) == 'x'",
    "where properties.a == tags.b",
    "where properties.a in (tags.b)",
    "where (id == 'x') == 'y'",
    "where tostring(id == 'x') == 'true'",
    "where properties['a'] == 'x'",
    "where properties.a[0] == 'x'",
    "order by properties.mode asc",
    "order by tags",
    "order by id asc nulls last",
    "order id asc",
    "order by",
    "limit",
    "limit 'x'",
    "limit -1",
    "take 99999999999999999999",
    "project",
    "project id,",
    "project id, id",
    "project x = id, x = name",
    "project tolower(id)",
    "project id | where name == 'x'",
    "extend 'x'",
    "extend a = id, b = a",
    "extend a = id, a = name",
    "distinct id",
    "count",
    "project-away tags",
]


@pytest.mark.parametrize("query", [*UNKNOWN, *(f"resources | {faulty}" for faulty in FAULTY)])
def test_what_is_wrong_or_not_known_is_refused(query):
    """Never a plausible result, whatever the rows are: the query is refused over an empty table too."""
    for rows in (ROWS, []):
        with pytest.raises(kql.InvalidQuery):
            kql.run(query, {"resources": kql.Table(COLUMNS, rows), "computeresources": kql.Table(COLUMNS, rows)})
