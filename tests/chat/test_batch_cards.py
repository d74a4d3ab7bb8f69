"""The card of a batch on a busy account, over real MTProto and from a real database."""

from pathlib import Path

from sandbox import DataCentre, World
from sandbox.people import Person as Human
from tests.sandbox.clients import connected
from tests.storage.test_batches import ITEMS
from uploader.chat.batch_cards import STARVED_S, BatchCards
from uploader.chat.progress import EDIT_S
from uploader.model import Dues, Person
from uploader.storage.batches import Batches
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway
from uploader.telegram.pacing import Pacer
from uploader.texts import Texts

EDIT = "messages.editMessage"


async def make_busy(pacer: Pacer) -> None:
    """Others take all the room that an account has for edits that may be skipped."""
    going = True
    while going:
        async with pacer.edit(10**6) as going:
            pass


async def test_card_when_the_account_is_busy_is_drawn_once_in_a_while_all_the_same(
    dc: DataCentre, world: World, tmp_path: Path
) -> None:
    """Files go first, but a person does not read for a minute that none has come.

    The account stays as busy as it is: its time stands still, and only that of the cards goes on.
    """
    now, bot, account = [1000.0], world.add_bot(), world.add_user("Ada")
    pacer = Pacer(lambda: 1000.0)
    async with (
        await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database,
        connected(dc, bot) as client,
        Human.connect(dc, account) as human,
    ):
        sent = await human.send("/start")
        access_hash = world.accounts.access_hash(bot, "user", account.id)
        ada = Person(user_id=account.id, access_hash=access_hash, language="en", name="Ada")
        gateway, batches, people = Gateway(client, pacer), Batches(database), People(database, bot.id)
        cards = BatchCards(gateway, batches, people, Texts("en"), lambda: now[0])
        await people.see(ada)
        made = await batches.add(ada, sent.id, ITEMS, dues=Dues())
        assert made is not None
        await cards.adopt(made[0], await gateway.say(ada, "none of 3"))
        await make_busy(pacer)
        edits = []
        for passed_s in (0.0, STARVED_S - 1.0, 1.0, EDIT_S):
            now[0] += passed_s
            if passed_s in (0.0, EDIT_S):
                job = await Jobs(database).claim("w")
                assert job is not None
                await Jobs(database).finish(job, None)
            cards.changed(made[0].id)
            await cards.draw(made[0].id)
            edits.append(world.stats.calls[EDIT])
            shown = (await human.client.get_messages(human.bot, limit=1))[0].raw_text
            assert ("none of 3" == shown) == (not edits[-1])
    assert [0, 0, 1, 1] == edits
