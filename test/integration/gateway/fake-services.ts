import { randomBytes, randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { SallyportError } from "../../../platform/errors.ts";
import { createLogger, type Logger } from "../../../platform/logger.ts";
import { Metrics } from "../../../platform/metrics.ts";
import { type Call, type GatewayPeer, type Handlers, implement } from "../../../platform/rpc/call.ts";
import { metricsHandlers } from "../../../platform/rpc/metrics-handlers.ts";
import { type RpcServer, startRpcServer } from "../../../platform/rpc/server.ts";
import {
  type AccountServiceRpcs,
  type AdminServiceRpcs,
  accountService,
  adminService,
  type ChatServiceRpcs,
  chatService,
  type DeliveryServiceRpcs,
  deliveryService,
  leaseService,
  type ModerationServiceRpcs,
  metricsService,
  moderationService,
  type TokenServiceRpcs,
  tokenService,
} from "../../../proto/gen/policy/services.ts";

/** A logger that says nothing. */
export const quiet: Logger = createLogger("test", "silent");

/** The session and account that every good token of the fakes belongs to. */
export const ACCOUNT = "11111111-1111-4111-8111-111111111111";
export const SESSION = "22222222-2222-4222-8222-222222222222";
/** A refresh token that the fake account service accepts. */
export const GOOD_TOKEN: Buffer = Buffer.alloc(1024, 7);
export const NEXT_TOKEN: Buffer = Buffer.alloc(1024, 8);
export const GRANT_ID: string = "0a".repeat(32);

const never = (): never => {
  throw new SallyportError("UNIMPLEMENTED", "not in this fake", { reason: "NOT_FAKED" });
};

/** What a test changes of the fakes' behaviour. */
export interface Overrides {
  token?: Partial<Handlers<TokenServiceRpcs>>;
  account?: Partial<Handlers<AccountServiceRpcs>>;
  admin?: Partial<Handlers<AdminServiceRpcs>>;
  moderation?: Partial<Handlers<ModerationServiceRpcs>>;
  chat?: Partial<Handlers<ChatServiceRpcs>>;
  delivery?: Partial<Handlers<DeliveryServiceRpcs>>;
}

/** A fake service: what it was asked is emitted by method name, with the request and the call. */
export interface Fake extends AsyncDisposable {
  readonly address: string;
  readonly server: RpcServer;
  /** What it says that its run is. */
  readonly copy: string;
  readonly asked: EventEmitter;
  readonly gateways: Set<GatewayPeer>;
  /** What it counts. */
  readonly metrics: Metrics;
}

async function startFake(
  listen: string,
  make: (tell: (name: string, request: unknown, call: Call) => void) => Parameters<typeof startRpcServer>[0]["implementations"],
  copy: string = randomUUID(),
): Promise<Fake> {
  const asked = new EventEmitter();
  asked.setMaxListeners(0);
  const gateways = new Set<GatewayPeer>();
  const metrics = new Metrics();
  const server = await startRpcServer(
    {
      listen,
      copy,
      implementations: [
        ...make((name, request, call) => asked.emit(name, request, call)),
        ...implement(metricsService, metricsHandlers(metrics)),
      ],
      metrics,
      observer: {
        gatewayJoined: (gateway) => gateways.add(gateway),
        gatewayLeft: (gateway) => gateways.delete(gateway),
        woken: (accountId) => asked.emit("woken", accountId),
      },
    },
    quiet,
  );
  server.setHealth("database", true);
  return { address: server.address, server, copy, asked, gateways, metrics, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** An account service that knows one token. */
export function startFakeAccount({ token, account, admin }: Overrides = {}, listen = "127.0.0.1:0"): Promise<Fake> {
  return startFake(listen, (tell) => {
    const tokens: Handlers<TokenServiceRpcs> = {
      presentRefreshToken: ({ refreshToken }) => {
        if (!GOOD_TOKEN.equals(refreshToken)) {
          throw new SallyportError("UNAUTHENTICATED", "refused", { reason: "REFRESH_TOKEN_REFUSED" });
        }
        return {
          accountId: ACCOUNT,
          sessionId: SESSION,
          generation: 2,
          nextRefreshToken: NEXT_TOKEN,
          accessToken: randomBytes(32),
          grantId: GRANT_ID,
        };
      },
      confirmRefreshToken: () => ({}),
      checkAccessToken: ({ accessToken }) => {
        if (accessToken[0] === 0) {
          throw new SallyportError("UNAUTHENTICATED", "refused", { reason: "ACCESS_TOKEN_REFUSED" });
        }
        if (accessToken[0] === 1) {
          throw new SallyportError("PERMISSION_DENIED", "of another service", { reason: "CREDENTIAL_OF_OTHER_SERVICE" });
        }
        return { accountId: ACCOUNT, sessionId: SESSION };
      },
      releaseConnection: () => ({}),
      listRevocations: ({ cursor }) => ({ sessionIds: [], cursor: cursor || "1" }),
      ...token,
    };
    const accounts: Handlers<AccountServiceRpcs> = {
      ...unfaked(accountService.methods),
      getAccount: () => ({ accountId: ACCOUNT, createdAt: new Date(0) }),
      ...account,
    };
    return [
      ...implement(tokenService, telling(tokens, tell)),
      ...implement(accountService, telling(accounts, tell)),
      ...implement(adminService, telling({ ...unfaked(adminService.methods), ...admin }, tell)),
      ...implement(leaseService, telling({ renewLease: () => ({}), endLease: () => ({}) }, tell)),
    ];
  });
}

/** A chat service that attaches everybody. */
export function startFakeChat({ chat, delivery, moderation }: Overrides = {}, listen = "127.0.0.1:0", copy?: string): Promise<Fake> {
  let epoch = 0;
  return startFake(
    listen,
    (tell) => {
      const deliveries: Handlers<DeliveryServiceRpcs> = {
        attach: () => {
          epoch += 1;
          return { epoch };
        },
        activate: () => ({ displaced: false }),
        detach: () => ({}),
        acknowledge: () => ({}),
        credit: () => ({}),
        ...delivery,
      };
      const chats: Handlers<ChatServiceRpcs> = {
        ...unfaked(chatService.methods),
        sendMessage: () => ({ messageId: randomUUID(), sentAt: new Date(0), receipt: "receipt", state: 1 }),
        listBlockedAccounts: () => ({ accountIds: [] }),
        ...chat,
      };
      return [
        ...implement(chatService, telling(chats, tell)),
        ...implement(moderationService, telling({ ...unfaked(moderationService.methods), ...moderation }, tell)),
        ...implement(deliveryService, telling(deliveries, tell)),
        ...implement(leaseService, telling({ renewLease: () => ({}), endLease: () => ({}) }, tell)),
      ];
    },
    copy,
  );
}

function unfaked<T extends object>(methods: T): { [K in keyof T]: () => never } {
  return Object.fromEntries(Object.keys(methods).map((name) => [name, never])) as { [K in keyof T]: () => never };
}

// biome-ignore lint/suspicious/noExplicitAny: handlers of different messages
function telling<H extends Record<string, (request: any, call: Call) => unknown>>(
  handlers: H,
  tell: (name: string, request: unknown, call: Call) => void,
): H {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      (request: unknown, call: Call) => {
        tell(name, request, call);
        return handler(request, call);
      },
    ]),
  ) as H;
}
