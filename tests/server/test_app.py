"""What the composition root promises: who calls, whom a process may serve, and which policy decides."""

from pathlib import Path

import pytest
from worlds import OPEN, SHOP, World

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Agent, Assurance
from tillgate.server.app import build
from tillgate.server.callers import Callers
from tillgate.server.seeding import seed_text
from tillgate.server.settings import settings


def _process(world: World, name: str) -> Callers:
    return Callers(Agent("agent", "stdio"), name, None, Assurance.ANONYMOUS, world.clock.now())


def test_naming_the_conversation_of_another_process_gives_nothing(world: World) -> None:
    first, second = _process(world, "cnv_1"), _process(world, "cnv_2")
    world.call("identify_customer", first("shared"), email="person1@example.com")
    assert world.call("get_order", first("shared"), order_id="ord_1").status == "completed"
    assert world.call("get_order", second("shared"), order_id="ord_1").status == "verification_required"
    assert world.call("get_order", first("other"), order_id="ord_1").status == "verification_required"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import json

    monkeypatch.chdir(tmp_path)
    seed_text(json.dumps(SHOP).encode(), db="shop.db", replace=False, source="a test")
    (tmp_path / "served.yaml").write_text(OPEN)
    (tmp_path / "other.yaml").write_text(OPEN.replace("version: 1", "version: 2"))
    return tmp_path / "shop.db"


def test_every_command_decides_by_the_policy_the_store_is_served_under(database: Path, tmp_path: Path) -> None:
    served = build(settings(db=str(database), policy=tmp_path / "served.yaml"), serving=True)
    served.store.close()
    (tmp_path / "policy.yaml").write_text((tmp_path / "other.yaml").read_text())
    deciding = build(settings(db=str(database)))
    assert deciding.policy.digest == served.policy.digest
    deciding.store.close()
    with pytest.raises(ConfigurationError, match="served under another policy"):
        build(settings(db=str(database), policy=tmp_path / "other.yaml"))


def test_serving_another_policy_is_written_down(database: Path, tmp_path: Path) -> None:
    for name in ("served.yaml", "served.yaml", "other.yaml"):
        app = build(settings(db=str(database), policy=tmp_path / name), serving=True)
        app.store.close()
    app = build(settings(db=str(database)))
    with app.store.reading() as desk:
        kinds = [row[0] for row in desk.sql.rows("SELECT record ->> 'kind' FROM audit ORDER BY seq")]
    app.store.close()
    assert kinds == ["seed", "policy", "policy"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"customer": "cus_nobody"}, "no such customer"),
        ({"assurance": "stepped_up"}, "needs --customer"),
        ({"customer": "cus_1", "assurance": "certain"}, "ASSURANCE"),
        ({"now": "2026-01-01T00:00:00"}, "zone"),
        ({"db": "mysql://somewhere/shop"}, "postgresql://"),
        ({"db": "postgresql:///shop?host=/nowhere"}, "cannot open"),
        ({"db": "nowhere/at/all.db"}, "no directory"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_mend(
    database: Path, tmp_path: Path, flags: dict[str, str], words: str
) -> None:
    chosen: dict[str, object] = {"db": str(database), "policy": tmp_path / "served.yaml", **flags}
    with pytest.raises(ConfigurationError, match=words):
        build(settings(**chosen), serving=True)


def test_a_policy_in_another_currency_is_not_served(database: Path, tmp_path: Path) -> None:
    (tmp_path / "euro.yaml").write_text(OPEN.replace("currency: USD", "currency: EUR"))
    with pytest.raises(ConfigurationError, match="the shop's is USD"):
        build(settings(db=str(database), policy=tmp_path / "euro.yaml"), serving=True)


def test_a_customer_is_known_by_no_more_than_is_said() -> None:
    assert settings(customer="cus_1").level is Assurance.IDENTIFIED
    assert settings().level is Assurance.ANONYMOUS
