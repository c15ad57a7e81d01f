"""The same call sent by many at once acts once and is answered the same to each; another under its key is refused."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from battery.calling import at_once, call, small, to_card, told
from battery.crowd import crowd
from battery.stage import Place, Shop, address, opened

from tillgate.guards.outcome import Outcome

CALLERS, PROCESSES = 64, 4
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.long)])


def effects(shop: Shop, reason: str) -> int:
    """How often the refund with this reason stands in the ledger."""
    return int(shop.rows("SELECT count(*) FROM transfer WHERE kind = 'refund' AND reason = ?", reason)[0][0])


def but_replayed(answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The different answers there are, whether given the first time or again."""
    found: list[dict[str, Any]] = []
    for answer in answers:
        plain = {name: value for name, value in answer.items() if name != "replayed"}
        found += [] if plain in found else [plain]
    return found


@ROUNDS
def test_sixty_four_times_the_same_key_is_one_act_and_one_answer(anywhere: Callable[..., Place], rounds: int) -> None:
    shop = opened(anywhere(), customers=rounds).open()
    for who in range(1, rounds + 1):
        answers = [each.as_json() for each in at_once(shop, [small(who, "once", idempotency_key="k")] * CALLERS)]
        assert len(but_replayed(answers)) == 1
        assert [answer["replayed"] for answer in answers].count(False) == 1
    assert effects(shop, "once") == rounds
    shop.store.close()


@ROUNDS
def test_from_four_processes_too(anywhere: Callable[..., Place], rounds: int) -> None:
    place = opened(anywhere(), customers=rounds)
    with crowd(place, PROCESSES) as many:
        for who in range(1, rounds + 1):
            calls = [small(who, "once", idempotency_key="k")] * (CALLERS // PROCESSES)
            answers = [answer for each in many.all(told, [calls] * PROCESSES) for answer in each]
            assert len(but_replayed(answers)) == 1
            assert [answer["replayed"] for answer in answers].count(False) == 1
    shop = place.open()
    assert effects(shop, "once") == rounds
    shop.store.close()


@ROUNDS
def test_while_the_first_is_still_at_the_provider_the_others_are_told_so(
    anywhere: Callable[..., Place], rounds: int
) -> None:
    place = opened(anywhere(), customers=rounds)
    shop = place.open()
    for who in range(1, rounds + 1):
        made = to_card(who, "once", idempotency_key="k")
        first, *others = sorted(at_once(shop, [made] * CALLERS), key=lambda outcome: outcome.replayed)
        assert (first.status, first.executed) == ("completed", True)
        again = call(shop, *made[:2], **made[2])
        for outcome in others:
            assert outcome.call_id == first.call_id
            assert _in_progress(outcome) or but_replayed([outcome.as_json()]) == but_replayed([again.as_json()])
    assert effects(shop, "once") == rounds
    assert list(place.provider.acts().values()) == [1] * rounds
    assert place.times_asked() == rounds
    shop.store.close()


def _in_progress(outcome: Outcome) -> bool:
    return outcome.status == "escalated" and [reason.code for reason in outcome.reasons] == ["under_way"]


@ROUNDS
def test_another_call_under_the_same_key_is_refused_and_does_nothing(
    anywhere: Callable[..., Place], rounds: int
) -> None:
    shop = opened(anywhere(), customers=rounds).open()
    for who in range(1, rounds + 1):
        first = small(who, "first", idempotency_key="k")
        assert call(shop, *first[:2], **first[2]).status == "completed"
        other = small(who, "other", idempotency_key="k")
        more = small(who, "first", amount="2.00", idempotency_key="k")
        elsewhere = (who, "update_address", {"idempotency_key": "k", "address": address(1)})
        outcomes = at_once(shop, [other, more, elsewhere] * (CALLERS // 3))
        codes = {(outcome.status, outcome.reasons[0].code) for outcome in outcomes}
        assert codes == {("denied", "idempotency_conflict")}
    assert (effects(shop, "first"), effects(shop, "other")) == (rounds, 0)
    assert shop.rows("SELECT DISTINCT amount FROM transfer WHERE kind = 'refund'") == [(100,)]
    assert shop.rows("SELECT count(*) FROM customer WHERE address_changed_at IS NOT NULL") == [(0,)]
    shop.store.close()
