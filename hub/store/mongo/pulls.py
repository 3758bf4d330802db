"""How pulls stand, in MongoDB: one document per platform, owner and module."""

from hub.store.documents import record_from, text_of
from hub.store.mongo.driver import Mongo
from hub.store.records import PullState


class MongoPulls:
    """The PullStore port."""

    def __init__(self, mongo: Mongo) -> None:
        self._pulls = mongo.collection("pulls")

    async def load_all(self) -> list[PullState]:
        found = await self._pulls.find({}, "platform_id", "doc")
        states = [record_from(PullState, one["doc"], f"of platform {one['platform_id']}") for one in found]
        return sorted(states, key=lambda state: (state.platform_id, state.owner.key, state.module))

    async def save(self, state: PullState) -> None:
        key = text_of([state.platform_id, state.owner.key, state.module])
        document = {"_id": key, "platform_id": state.platform_id, "doc": text_of(state)}
        await self._pulls.replace({"_id": key}, document, upsert=True)

    async def remove_of(self, platform_id: str) -> int:
        return await self._pulls.delete({"platform_id": platform_id})
