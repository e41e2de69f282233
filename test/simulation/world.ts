import { beginFamily } from "../../services/account/tokens/family.ts";
import { type Random, seeded } from "../fuzz/random.ts";
import { AccountCopy } from "./account-copy.ts";
import { ChatCopy } from "./chat-copy.ts";
import { Database } from "./database.ts";
import { Device } from "./device.ts";
import type { FlawName } from "./flaws.ts";
import { GatewayModel } from "./gateway-model.ts";
import { LetterWatch } from "./letter-watch.ts";
import { Network } from "./network.ts";
import type { OutgoingLetter } from "./outbox.ts";
import type { Plan } from "./plan.ts";
import { SocketWatch } from "./socket-watch.ts";
import { type Log, Timeline } from "./timeline.ts";
import { TokenWatch } from "./token-watch.ts";
import { Mint, type Token } from "./tokens.ts";
import { Verdict } from "./verdict.ts";

/** How often a gateway reads the log of revocations. */
const LOG_MS = 500;

/** Everything of one history: processes, database, network, clients, and the virtual time that they share. */
export class World {
  readonly plan: Plan;
  readonly flaw: FlawName | undefined;
  readonly random: Random;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly database: Database;
  readonly verdict: Verdict;
  readonly letterWatch: LetterWatch;
  readonly socketWatch: SocketWatch;
  readonly tokenWatch: TokenWatch;
  readonly mint: Mint = new Mint();
  readonly chats: readonly ChatCopy[];
  readonly accounts: readonly AccountCopy[];
  readonly gateways: readonly GatewayModel[];
  readonly devices: readonly Device[];
  readonly accountIds: readonly string[];
  readonly letters: Map<string, OutgoingLetter> = new Map();
  thief: Device | undefined;
  #isQuiet = false;

  constructor(plan: Plan, flaw: FlawName | undefined, log: Log | undefined) {
    this.plan = plan;
    this.flaw = flaw;
    this.random = seeded(plan.seed ^ 0x9e3779b9);
    this.timeline = new Timeline(log);
    this.network = new Network(this.timeline, this.random, plan);
    this.database = new Database(this.timeline, this.random, plan);
    this.verdict = new Verdict(this.timeline);
    this.letterWatch = new LetterWatch(this);
    this.socketWatch = new SocketWatch(this);
    this.tokenWatch = new TokenWatch(this);
    this.chats = Array.from({ length: plan.chatCopies }, (_, index) => new ChatCopy(this, index));
    this.accounts = Array.from({ length: plan.accountCopies }, (_, index) => new AccountCopy(this, index));
    this.gateways = Array.from({ length: plan.gateways }, (_, index) => new GatewayModel(this, index));
    this.accountIds = Array.from({ length: plan.accounts }, (_, index) => `a${index}`);
    this.devices = this.accountIds.flatMap((accountId, index) => {
      const names = index < plan.twins ? [`${accountId}'s phone`, `${accountId}'s desk`] : [`${accountId}'s phone`];
      return names.map((name) => new Device(this, name, accountId, this.logIn(accountId)));
    });
    for (const process of [...this.chats, ...this.accounts, ...this.gateways]) {
      process.start();
    }
  }

  get processes(): readonly (ChatCopy | AccountCopy | GatewayModel)[] {
    return [...this.chats, ...this.accounts, ...this.gateways];
  }

  /** How many messages an inbox holds. */
  get room(): number {
    return this.#isQuiet ? Number.POSITIVE_INFINITY : this.plan.room;
  }

  /** A new session of an account. */
  logIn(accountId: string): Token {
    const id = this.database.sessions.length;
    const token = this.mint.make(id, 1);
    this.database.sessions.push({ id, accountId, family: beginFamily(token.bytes, new Date(this.timeline.now)), revokedAt: undefined });
    return token;
  }

  newMessageId(): string {
    return `00000000-0000-8000-8000-${(this.letters.size + 1).toString(16).padStart(12, "0")}`;
  }

  /** How long an app takes to acknowledge. */
  ackDelay(): number {
    if (this.#isQuiet) {
      return this.random.below(50);
    }
    return this.random.below(5) === 0 ? this.random.below(6_000) : this.random.below(300);
  }

  /** Whatever gateways are not told of an ended session, they read in the log. */
  readRevocationLog(sessionId: string): void {
    for (const gateway of this.gateways) {
      const readAt = Math.max(this.timeline.now, this.database.outageUntil) + this.random.below(LOG_MS) + 5;
      this.timeline.at(readAt, gateway.process, () => gateway.revoked(sessionId));
    }
  }

  /** When all pauses and outages are over that have begun. */
  get unhinderedAt(): number {
    return Math.max(this.timeline.now, this.database.outageUntil, ...this.processes.map(({ process }) => process.resumeAt));
  }

  /** From here on nothing breaks any more. */
  calmDown(): void {
    this.#isQuiet = true;
    this.network.calmDown();
    this.database.calmDown();
    this.database.blocks.clear();
  }
}
