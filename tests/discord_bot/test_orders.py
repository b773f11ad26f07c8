"""The book of open orders."""

from pathlib import Path

from riffusion.discord_bot.orders import Order, OrderBook
from riffusion.requests import AnyRequest, InterpolationEnd, JobResult
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

REQUESTS: tuple[AnyRequest, ...] = (
    TextToAudio(prompt="funk", seed=1),
    Riff(prompt="funk", init=JobResult(job="a" * 32)),
    Interpolate(start=InterpolationEnd(prompt="a"), end=InterpolationEnd(prompt="b"), alpha=0.5),
)


def order(number: int, request: AnyRequest) -> Order:
    return Order(
        id=f"discord-{number}", request=request, user=1, guild=None, channel=2, message=3, token="t", asked_at=4.5,
        file_limit=5,
    )  # fmt: skip


def test_orders_are_there_again_after_a_restart(tmp_path: Path) -> None:
    orders = [order(number, request) for number, request in enumerate(REQUESTS)]
    book = OrderBook(tmp_path / "data" / "orders")
    for each in orders:
        book.add(each)
    book.close()
    book = OrderBook(tmp_path / "data" / "orders")
    assert book.all() == orders
    book.remove(orders[1])
    assert book.all() == [orders[0], orders[2]]


def test_an_order_of_another_version_keeps_nobody_from_starting(tmp_path: Path) -> None:
    book = OrderBook(tmp_path / "orders")
    book.add(order(1, TextToAudio(prompt="funk")))
    book._database.execute("UPDATE orders SET data = '{}'")
    book.add(good := order(2, TextToAudio(prompt="funk")))
    assert book.all() == [good]


def test_only_its_owner_reads_the_tokens(tmp_path: Path) -> None:
    OrderBook(tmp_path / "orders").close()
    assert (tmp_path / "orders").stat().st_mode & 0o777 == 0o600
