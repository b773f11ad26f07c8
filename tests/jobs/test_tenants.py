"""Who owns what, and who may see it."""

import pytest

from riffusion.jobs.tenants import key_tenant, may_see, owns

ALICE, BOB, SITE = key_tenant("a1"), key_tenant("b2"), key_tenant("c3", "visitor/7")


@pytest.mark.parametrize(
    ("client", "maker", "owner", "sees"),
    [
        (ALICE, ALICE, True, True),
        (BOB, ALICE, False, False),
        (SITE, key_tenant("c3", "visitor/8"), True, True),
        (key_tenant("c3"), SITE, True, True),
        (key_tenant("c"), SITE, False, False),
        ("address:192.0.2.1", ALICE, False, False),
        ("address:192.0.2.1", "address:192.0.2.2", False, True),
        (ALICE, "address:192.0.2.2", False, True),
        ("address:192.0.2.1", "address:192.0.2.1", True, True),
    ],
)
def test_what_a_key_made_is_the_keys(client: str, maker: str, owner: bool, sees: bool) -> None:
    assert (owns(client, maker), may_see(client, maker)) == (owner, sees)
