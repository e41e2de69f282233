import { GroupCommit } from "../../../platform/group-commit.ts";
import { leasesSchema } from "../../../platform/leases.ts";
import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import type { GrantSocket } from "../tokens/access-token.ts";
import { type GrantDocument, grantsSchema } from "./schema.ts";

/** The access tokens of a socket that has closed: by their digests, or, from a gateway of the version before, by the socket's place. */
export type SocketTokens = { readonly digests: readonly string[] } | Pick<GrantSocket, "incarnation" | "connection">;

/** The access tokens that are out. */
export interface Grants {
  /** Durable when it resolves. */
  add(grant: GrantDocument): Promise<void>;
  /** By the SHA-256 of the token in hexadecimal. */
  find(digest: string): Promise<GrantDocument | null>;
  /** Ends one token. Repeating it is fine. */
  forget(digest: string): Promise<void>;
  /** Ends the tokens of a socket; group-committed. Repeating it is fine. */
  release(tokens: SocketTokens): Promise<void>;
  /** Ends the tokens of an account. Repeating it is fine. */
  erase(accountId: string): Promise<void>;
  /** Ends the tokens from before an instant whose gateway has no lease left, not even one that ran out. Repeating it is fine. */
  sweep(before: Date): Promise<void>;
}

/** The access tokens in a database. */
export function createGrants(db: Db): Grants {
  const grants = db.collection<GrantDocument>(grantsSchema.name);
  const leases = db.collection<{ _id: string }>(leasesSchema.name);
  const additions = new GroupCommit((items: readonly GrantDocument[]) => commitAdditions(grants, items));
  const releases = new GroupCommit((sockets: readonly SocketTokens[]) => commitReleases(grants, sockets));

  return {
    add: (grant) => additions.add(grant),
    find: (digest) => asking(() => grants.findOne({ _id: digest })),
    forget: async (digest) => {
      await asking(() => grants.deleteOne({ _id: digest }));
    },
    release: (tokens) => releases.add(tokens),
    erase: async (accountId) => {
      await asking(() => grants.deleteMany({ accountId }));
    },
    sweep: (before) =>
      asking(async () => {
        const named: readonly unknown[] = await grants.distinct("socket.incarnation");
        const incarnations = named.filter((name) => typeof name === "string");
        const kept = new Set(
          (await leases.find({ _id: { $in: incarnations } }, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id),
        );
        const gone = incarnations.filter((incarnation) => !kept.has(incarnation));
        if (gone.length > 0) {
          await grants.deleteMany({ "socket.incarnation": { $in: gone }, createdAt: { $lt: before } });
        }
      }),
  };
}

async function commitAdditions(grants: Collection<GrantDocument>, items: readonly GrantDocument[]): Promise<readonly undefined[]> {
  await asking(() => grants.insertMany([...items], { ordered: false }));
  return items.map(() => undefined);
}

/** One of each: a deletion of many may pass documents by while the database moves a range to another shard (SERVER-20361). */
async function commitReleases(grants: Collection<GrantDocument>, sockets: readonly SocketTokens[]): Promise<readonly undefined[]> {
  const named = sockets.flatMap((tokens) => ("digests" in tokens ? tokens.digests : []));
  const digests = [...named, ...(await findPlaced(grants, sockets))];
  if (digests.length > 0) {
    const deletions = digests.map((digest) => ({ deleteOne: { filter: { _id: digest } } }));
    await asking(() => grants.bulkWrite(deletions, { ordered: false }));
  }
  return sockets.map(() => undefined);
}

async function findPlaced(grants: Collection<GrantDocument>, sockets: readonly SocketTokens[]): Promise<readonly string[]> {
  const places = sockets.flatMap((tokens) =>
    "incarnation" in tokens ? [{ "socket.incarnation": tokens.incarnation, "socket.connection": tokens.connection }] : [],
  );
  const found = places.length > 0 ? await asking(() => grants.find({ $or: places }, { projection: { _id: 1 } }).toArray()) : [];
  return found.map(({ _id }) => _id);
}
