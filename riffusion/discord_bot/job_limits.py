"""How many jobs a user and a Discord server may have in flight."""

from collections import Counter


class JobLimits:
    """Counts jobs in flight. Used from the event loop only, so nothing runs between a check and its `enter`."""

    def __init__(self, per_user: int, per_guild: int) -> None:
        self.per_user = per_user
        self.per_guild = per_guild
        self._users: Counter[int] = Counter()
        self._guilds: Counter[int] = Counter()

    def user_is_full(self, user: int) -> bool:
        """Whether this user has to wait for a job to end."""
        return self._users[user] >= self.per_user

    def guild_is_full(self, guild: int | None) -> bool:
        """Whether this Discord server has to wait for a job to end; None, a direct message, never has."""
        return guild is not None and self._guilds[guild] >= self.per_guild

    def enter(self, user: int, guild: int | None) -> None:
        """Counts one more job."""
        self._users[user] += 1
        if guild is not None:
            self._guilds[guild] += 1

    def leave(self, user: int, guild: int | None) -> None:
        """Counts one job less."""
        _decrease(self._users, user)
        if guild is not None:
            _decrease(self._guilds, guild)


def _decrease(counts: Counter[int], key: int) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]  # or the counter would keep an entry for every user it has ever seen
