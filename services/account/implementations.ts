import { type Implementation, implement } from "../../platform/rpc/call.ts";
import { leaseHandlers } from "../../platform/rpc/lease-handlers.ts";
import { metricsHandlers } from "../../platform/rpc/metrics-handlers.ts";
import {
  accountService,
  adminService,
  directoryService,
  leaseService,
  metricsService,
  tokenService,
} from "../../proto/gen/policy/services.ts";
import type { AccountContext } from "./context.ts";
import { checkAccessToken } from "./rpc/check-access-token.ts";
import { confirmRefreshToken } from "./rpc/confirm-refresh-token.ts";
import { deleteAccount } from "./rpc/delete-account.ts";
import { endSessions } from "./rpc/end-sessions.ts";
import { filterAccounts } from "./rpc/filter-accounts.ts";
import { findAccount } from "./rpc/find-account.ts";
import { getAccount } from "./rpc/get-account.ts";
import { linkIdentity } from "./rpc/link-identity.ts";
import { listRevocations } from "./rpc/list-revocations.ts";
import { listSecurityEvents } from "./rpc/list-security-events.ts";
import { listSessions } from "./rpc/list-sessions.ts";
import { login } from "./rpc/login.ts";
import { logout } from "./rpc/logout.ts";
import { logoutEverywhere } from "./rpc/logout-everywhere.ts";
import { presentRefreshToken } from "./rpc/present-refresh-token.ts";
import { releaseConnection } from "./rpc/release-connection.ts";
import { revokeSession } from "./rpc/revoke-session.ts";
import { setAccountLocked } from "./rpc/set-account-locked.ts";

/** Every method that the account service serves. */
export function implementations(context: AccountContext): readonly Implementation[] {
  return [
    ...implement(accountService, {
      login: login(context),
      getAccount: getAccount(context),
      listSessions: listSessions(context),
      revokeSession: revokeSession(context),
      logout: logout(context),
      logoutEverywhere: logoutEverywhere(context),
      linkIdentity: linkIdentity(context),
      listSecurityEvents: listSecurityEvents(context),
      deleteAccount: deleteAccount(context),
    }),
    ...implement(adminService, {
      findAccount: findAccount(context),
      setAccountLocked: setAccountLocked(context),
      endSessions: endSessions(context),
    }),
    ...implement(tokenService, {
      presentRefreshToken: presentRefreshToken(context),
      confirmRefreshToken: confirmRefreshToken(context),
      checkAccessToken: checkAccessToken(context),
      releaseConnection: releaseConnection(context),
      listRevocations: listRevocations(context),
    }),
    ...implement(directoryService, { filterAccounts: filterAccounts(context) }),
    ...implement(leaseService, leaseHandlers(context.leases)),
    ...implement(metricsService, metricsHandlers(context.metrics)),
  ];
}
