import { randomBytes, randomUUID } from "node:crypto";
import { openDatabase } from "../../platform/mongo.ts";
import type { AccountDocument } from "../../services/account/store/schema.ts";
import { orderAt } from "../../services/chat/delivery/hybrid-clock.ts";
import type { InboxDocument, SendDocument } from "../../services/chat/store/schema.ts";

const ALL = 1_000_000;
const AT_ONCE = 5_000;
const PENDING_EACH = 100;
const LIFETIME_MS = 2_592_000_000;

/** Fills the databases of a stack with a million accounts and as many messages that wait, for people who never come. */
export async function grow(uri: string): Promise<void> {
  await using account = openDatabase(uri, "account");
  await using chat = openDatabase(uri, "chat");
  let recipientId: string = randomUUID();
  for (let made = 0; made < ALL; made += AT_ONCE) {
    const messages = Array.from({ length: AT_ONCE }, (_, index) => {
      recipientId = index % PENDING_EACH === 0 ? randomUUID() : recipientId;
      return messageTo(recipientId);
    });
    const accounts = Array.from({ length: AT_ONCE }, accountOf);
    await Promise.all([
      chat.db.collection<SendDocument>("sends").insertMany(messages.map(({ claim }) => claim)),
      chat.db.collection<InboxDocument>("inbox").insertMany(messages.map(({ body }) => body)),
      account.db.collection<AccountDocument>("accounts").insertMany(accounts),
    ]);
  }
}

function messageTo(recipientId: string): { readonly claim: SendDocument; readonly body: InboxDocument } {
  const [_id, senderId, clientMessageId] = [randomUUID(), randomUUID(), randomUUID()];
  const acceptedAt = new Date();
  const expiresAt = new Date(acceptedAt.getTime() + LIFETIME_MS);
  const sealed = { scheme: "caesar", shift: 1, body: randomBytes(128) } as const;
  const order = orderAt(acceptedAt.getTime());
  return {
    claim: { _id, state: "pending", acceptedAt, kid: "growth", digest: randomBytes(32), digestKid: "growth", expiresAt },
    body: { _id, recipientId, senderId, clientMessageId, acceptedAt, order, size: 128, receiptKid: "growth", sealed },
  };
}

function accountOf(): AccountDocument {
  const _id = randomUUID();
  return { _id, devName: `grown-${_id}`, createdAt: new Date() };
}
