/** A deliberate bug, and what it breaks. */
export interface Flaw {
  readonly core: "inbox" | "presence" | "tokens";
  readonly about: string;
}

/** The name of a deliberate bug. */
export type FlawName =
  | "answers-before-the-body"
  | "forgets-without-the-ledger"
  | "believes-the-page"
  | "reads-by-a-cursor"
  | "counts-repeated-acks"
  | "refusals-take-the-id"
  | "loses-wakes"
  | "looks-before-it-stores"
  | "takes-over-uncompared"
  | "takes-over-unfenced"
  | "ranks-by-the-last-epoch"
  | "gives-up-any-epoch"
  | "pushes-without-epoch"
  | "activates-closed-sockets"
  | "has-no-grace"
  | "judges-too-late"
  | "advances-uncompared"
  | "mints-on-every-repeat"
  | "confirms-any-generation"
  | "sends-before-durable"
  | "answers-unconfirmed"
  | "forgives-theft"
  | "believes-old-frames";

/** The deliberate bugs: each is a switch of the model's drivers, none is in the production code. */
export const FLAWS: Readonly<Record<FlawName, Flaw>> = {
  "answers-before-the-body": { core: "inbox", about: "a send is answered OK when it is claimed, before its body is stored" },
  "forgets-without-the-ledger": { core: "inbox", about: "an acknowledgement removes the body and leaves the ledger as it is" },
  "believes-the-page": { core: "inbox", about: "a page of an inbox is not checked against the ledger" },
  "reads-by-a-cursor": { core: "inbox", about: "an inbox is paged by the order of what was read last" },
  "counts-repeated-acks": { core: "inbox", about: "a repeated acknowledgement ends its message again" },
  "refusals-take-the-id": { core: "inbox", about: "a send is claimed before it is known whether it may be accepted" },
  "loses-wakes": { core: "inbox", about: "wakes are lost, and no round heals them" },
  "looks-before-it-stores": { core: "presence", about: "a sender looks for the recipient's socket before the message is stored" },
  "takes-over-uncompared": { core: "presence", about: "a socket takes over without comparing epochs" },
  "takes-over-unfenced": { core: "presence", about: "a socket takes over however late it is" },
  "ranks-by-the-last-epoch": { core: "presence", about: "a socket that is attached again counts as newer for it" },
  "gives-up-any-epoch": { core: "presence", about: "an old socket's end gives up the newer socket's place" },
  "pushes-without-epoch": { core: "presence", about: "a gateway takes pushes of any epoch" },
  "activates-closed-sockets": { core: "presence", about: "a gateway activates a socket without looking whether it is still open" },
  "has-no-grace": { core: "tokens", about: "a token that was retired a moment ago is taken for stolen" },
  "judges-too-late": { core: "tokens", about: "a judgement goes on after its deadline" },
  "advances-uncompared": { core: "tokens", about: "a judgement is written whatever became of the family since it was read" },
  "mints-on-every-repeat": { core: "tokens", about: "a repeated presentation gets another successor than the first" },
  "confirms-any-generation": { core: "tokens", about: "a late confirmation of an older generation counts for the newer one" },
  "sends-before-durable": { core: "tokens", about: "a successor is sent before it is durable" },
  "answers-unconfirmed": { core: "tokens", about: "a reply leaves before the confirmation is durable" },
  "forgives-theft": { core: "tokens", about: "an old token is refused, and no conclusion drawn" },
  "believes-old-frames": { core: "tokens", about: "a gateway that was paused has a token judged as if it had just arrived" },
};

/** All names. */
export const FLAW_NAMES: readonly FlawName[] = Object.keys(FLAWS) as FlawName[];

/** Whether a text names a deliberate bug. */
export function isFlawName(text: string): text is FlawName {
  return Object.hasOwn(FLAWS, text);
}
