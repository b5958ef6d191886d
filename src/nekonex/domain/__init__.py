"""What accounts, identities, access rules, reports and players are and may do.

Pure Python: no sockets, no SQL, no wire types. What it needs from outside are the protocols of
`nekonex.domain.ports`.
"""

from __future__ import annotations

from nekonex.domain.access import (
    ALL_GAMES,
    AccessRules,
    AccessService,
    Ban,
    MaintenanceWindow,
    Whitelist,
)
from nekonex.domain.account_import import (
    ImportProblem,
    ImportReport,
    import_accounts,
    read_csv,
    read_json,
)
from nekonex.domain.accounts import Account, AccountService
from nekonex.domain.callbacks import call_user, on_loop
from nekonex.domain.errors import AccountError, DomainError
from nekonex.domain.identity import (
    AccountSource,
    CallbackSource,
    Identity,
    IdentityService,
    KnownUser,
    UserSource,
)
from nekonex.domain.players import Notification, Player, PlayerRegistry
from nekonex.domain.reports import Report, ReportService
from nekonex.domain.special import (
    AUTHENTICATION_PID,
    GUEST_PID,
    MAX_PID,
    SECURE_SERVER_PID,
    SPECIAL_PIDS,
    AuthenticationUser,
    SpecialUsers,
)
from nekonex.domain.unique_ids import UniqueId, UniqueIdError, UniqueIdLimits, UniqueIds

__all__ = [
    "ALL_GAMES",
    "AUTHENTICATION_PID",
    "GUEST_PID",
    "MAX_PID",
    "SECURE_SERVER_PID",
    "SPECIAL_PIDS",
    "AccessRules",
    "AccessService",
    "Account",
    "AccountError",
    "AccountService",
    "AccountSource",
    "AuthenticationUser",
    "Ban",
    "CallbackSource",
    "DomainError",
    "Identity",
    "IdentityService",
    "ImportProblem",
    "ImportReport",
    "KnownUser",
    "MaintenanceWindow",
    "Notification",
    "Player",
    "PlayerRegistry",
    "Report",
    "ReportService",
    "SpecialUsers",
    "UniqueId",
    "UniqueIdError",
    "UniqueIdLimits",
    "UniqueIds",
    "UserSource",
    "Whitelist",
    "call_user",
    "import_accounts",
    "on_loop",
    "read_csv",
    "read_json",
]
