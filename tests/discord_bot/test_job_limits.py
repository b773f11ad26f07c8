"""Jobs in flight."""

from riffusion.discord_bot.job_limits import JobLimits


def test_a_slot_is_taken_and_returned() -> None:
    limits = JobLimits(per_user=1, per_guild=2)
    limits.enter(user=1, guild=9)
    assert limits.user_is_full(1)
    assert not limits.user_is_full(2)
    assert not limits.guild_is_full(9)
    limits.enter(user=2, guild=9)
    assert limits.guild_is_full(9)
    limits.leave(user=1, guild=9)
    assert not limits.user_is_full(1)
    assert not limits.guild_is_full(9)


def test_direct_messages_count_for_the_user_only() -> None:
    limits = JobLimits(per_user=1, per_guild=1)
    limits.enter(user=1, guild=None)
    assert limits.user_is_full(1)
    assert not limits.guild_is_full(None)
    limits.leave(user=1, guild=None)
    assert not limits.user_is_full(1)


def test_users_without_jobs_in_flight_are_forgotten() -> None:
    limits = JobLimits(per_user=1, per_guild=1)
    limits.enter(1, 9)
    limits.leave(1, 9)
    assert not limits._users
    assert not limits._guilds
