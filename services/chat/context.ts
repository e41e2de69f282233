import type { Clock } from "../../platform/clock.ts";
import { newUuid } from "../../platform/ids.ts";
import { KeyRing } from "../../platform/keys.ts";
import { Leases } from "../../platform/leases.ts";
import type { Db } from "../../platform/mongo.ts";
import { createSealer, type Sealer } from "./at-rest/sealer.ts";
import type { ChatConfig } from "./config.ts";
import { createAnnouncer } from "./delivery/announcer.ts";
import { Custody } from "./delivery/custody.ts";
import { createDigester } from "./delivery/digester.ts";
import { HybridClock } from "./delivery/hybrid-clock.ts";
import { Inboxes } from "./delivery/inboxes.ts";
import { Rooms } from "./delivery/rooms.ts";
import { Sending } from "./delivery/sending.ts";
import { Unreadable } from "./delivery/unreadable.ts";
import type { Directory } from "./directory.ts";
import type { ChatEvents } from "./events.ts";
import { createReceipts, type Receipts } from "./receipts/receipts.ts";
import { Blocks } from "./store/blocks.ts";
import { Inbox, type InboxSize } from "./store/inbox.ts";
import { Presence } from "./store/presence.ts";
import { Reports } from "./store/reports.ts";
import { Sends } from "./store/sends.ts";

/** What the calls of the chat service act on. */
export interface ChatContext {
  readonly now: Clock;
  /** This run of this process. */
  readonly copy: string;
  readonly hybridClock: HybridClock;
  readonly sends: Sends;
  readonly inbox: Inbox;
  readonly presence: Presence;
  readonly blocks: Blocks;
  readonly reports: Reports;
  readonly leases: Leases;
  readonly sealer: Sealer;
  readonly receipts: Receipts;
  readonly unreadable: Unreadable;
  readonly custody: Custody;
  readonly inboxes: Inboxes;
  readonly sending: Sending;
  readonly events: ChatEvents;
}

/** What the context is made of. */
export interface ContextParts {
  readonly config: Pick<ChatConfig, "keysDir" | "atRest" | "atRestKeyFile" | "lingerMs">;
  readonly db: Db;
  readonly directory: Directory;
  readonly events: ChatEvents;
  readonly bounds: InboxSize;
  readonly now: Clock;
}

/** Puts the chat service together. @throws Error naming the key file that is missing or malformed. */
export async function createContext({ config, db, directory, events, bounds, now }: ContextParts): Promise<ChatContext> {
  const receipts = createReceipts(await KeyRing.open(config.keysDir, "receipt"));
  const digester = createDigester(await KeyRing.open(config.keysDir, "digest"));
  const sealer = createSealer(config.atRest, await KeyRing.open(config.keysDir, "at-rest", config.atRestKeyFile));

  const stores = {
    sends: new Sends(db),
    inbox: new Inbox(db),
    presence: new Presence(db),
    blocks: new Blocks(db),
    reports: new Reports(db),
  };
  const { sends, inbox, presence, blocks } = stores;
  const hybridClock = new HybridClock(now);
  const unreadable = new Unreadable(events.bodyUnreadable);
  const custody: Custody = new Custody({
    ...{ sends, inbox, sealer, receipts, digester, hybridClock, now, unreadable },
    delivered: (deliveries) => announce(deliveries),
  });
  const inboxes = new Inboxes({
    lingerMs: config.lingerMs,
    store: (message) => custody.store(message),
    record: (message) => custody.record(message),
    forget: (recipientId, ids) => custody.forget(recipientId, ids),
    read: (recipientId, page) => custody.read(recipientId, page),
    failed: (error) => (error.status === "UNAVAILABLE" ? undefined : events.inboxUnreadable(error)),
  });
  const announce = createAnnouncer(inboxes, presence);
  const rooms = new Rooms(inbox, bounds, now);
  const sending = new Sending({ inboxes, custody, sends, blocks, directory, rooms, receipts, hybridClock, deadlineNow: Date.now });
  const leases = new Leases(db);
  return { ...stores, now, copy: newUuid(), hybridClock, leases, sealer, receipts, unreadable, custody, inboxes, sending, events };
}
