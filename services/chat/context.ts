import type { Clock } from "../../platform/clock.ts";
import { newUuid } from "../../platform/ids.ts";
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
import { Wakes } from "./delivery/wakes.ts";
import type { Directory } from "./directory.ts";
import type { ChatEvents } from "./events.ts";
import type { ChatKeys } from "./keys.ts";
import { createReceipts, type Receipts } from "./receipts/receipts.ts";
import { Blocks } from "./store/blocks.ts";
import { Erasures } from "./store/erasures.ts";
import { Inbox, type InboxSize } from "./store/inbox.ts";
import { Presence } from "./store/presence.ts";
import { ReportBuckets, type TimeShift } from "./store/report-buckets.ts";
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
  /** Undefined: reports are not limited. */
  readonly reportBuckets: ReportBuckets | undefined;
  readonly erasures: Erasures;
  readonly directory: Directory;
  readonly leases: Leases;
  readonly sealer: Sealer;
  readonly receipts: Receipts;
  readonly unreadable: Unreadable;
  readonly custody: Custody;
  readonly inboxes: Inboxes;
  readonly wakes: Wakes;
  readonly sending: Sending;
  readonly events: ChatEvents;
}

/** What the context is made of. */
export interface ContextParts {
  readonly config: Pick<ChatConfig, "atRest" | "lingerMs" | "reportRate">;
  readonly db: Db;
  readonly keys: Pick<ChatKeys, "receipt" | "digest" | "atRest">;
  readonly directory: Directory;
  readonly events: ChatEvents;
  readonly bounds: InboxSize;
  readonly now: Clock;
  readonly shift: TimeShift;
}

/** Puts the chat service together. */
export function createContext({ config, db, keys, directory, events, bounds, now, shift }: ContextParts): ChatContext {
  const receipts = createReceipts(keys.receipt);
  const digester = createDigester(keys.digest);
  const sealer = createSealer(config.atRest, keys.atRest);

  const stores = {
    sends: new Sends(db, (messages) => events.batchWritten("sends", messages)),
    inbox: new Inbox(db, (bodies) => events.batchWritten("inbox", bodies)),
    presence: new Presence(db),
    blocks: new Blocks(db),
    reports: new Reports(db),
    reportBuckets: config.reportRate && new ReportBuckets(db, config.reportRate, shift),
    erasures: new Erasures(db),
    leases: new Leases(db),
  };
  const { sends, inbox, presence, blocks, erasures } = stores;
  const hybridClock = new HybridClock(now);
  const unreadable = new Unreadable(events.bodyUnreadable);
  const custody: Custody = new Custody({
    ...{ sends, inbox, erasures, sealer, receipts, digester, hybridClock, now, unreadable },
    delivered: (deliveries) => {
      events.messagesDelivered(deliveries.length);
      announce(deliveries);
    },
  });
  const inboxes: Inboxes = new Inboxes({
    lingerMs: config.lingerMs,
    store: (message) => custody.store(message),
    record: (message) => custody.record(message),
    forget: (recipientId, ids) => custody.forget(recipientId, ids),
    read: (recipientId, page) => custody.read(recipientId, page),
    failed: (error) => (error.status === "UNAVAILABLE" ? undefined : events.inboxUnreadable(error)),
    woken: (actor) => wakes.receive(actor),
  });
  const copy = newUuid();
  const wakes = new Wakes({ inboxes, inbox, presence, copy, events, now });
  const announce = createAnnouncer(inboxes, presence);
  const rooms = new Rooms(inbox, bounds, now);
  const sending = new Sending({
    ...{ inboxes, wakes, custody, sends, blocks, directory, rooms, receipts, hybridClock },
    deadlineNow: Date.now,
  });
  const parts = { directory, hybridClock, sealer, receipts, unreadable, custody, inboxes, wakes, sending, events };
  return { ...stores, ...parts, now, copy };
}
