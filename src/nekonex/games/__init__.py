"""Games: title profiles, and what single titles add in code."""

from nekonex.games.profiles import all_profiles, load_profile, search
from nekonex.games.schema import GameIdentity, TitleProfile

__all__ = ["GameIdentity", "TitleProfile", "all_profiles", "load_profile", "search"]
