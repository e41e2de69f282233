import { expect } from "chai";
import fc from "fast-check";
import { advanceExchange, type Exchange, type ExchangeEffect, type ExchangeInput } from "../../../client/exchange.ts";
import { accessToken, refreshToken } from "./tokens.ts";

const HELD = [
  { service: "account", refreshToken: refreshToken(1) },
  { service: "chat", refreshToken: refreshToken(2) },
] as const;

function run(inputs: readonly ExchangeInput[]): { state: Exchange; effects: ExchangeEffect[] } {
  let state: Exchange = { at: "opening", held: HELD };
  const all: ExchangeEffect[] = [];
  for (const input of inputs) {
    const [next, effects] = advanceExchange(state, input);
    state = next;
    all.push(...effects);
  }
  return { state, effects: all };
}

const OPENED: ExchangeInput = { kind: "opened" };
const SAVED: ExchangeInput = { kind: "saved" };
const REFRESH: ExchangeInput = { kind: "binary", bytes: refreshToken(9) };
const ACCESS: ExchangeInput = { kind: "binary", bytes: accessToken(9) };

describe("the token exchange of a client", () => {
  it("sends the tokens of all services at once, in the order of the URL", () => {
    const { effects } = run([OPENED]);

    expect(effects).to.deep.equal(HELD.map((token) => ({ kind: "send", bytes: token.refreshToken })));
  });

  it("saves each new refresh token for its service", () => {
    const { effects } = run([OPENED, REFRESH, ACCESS, REFRESH]);

    const saves = effects.filter(({ kind }) => kind === "save");
    expect(saves).to.deep.equal([
      { kind: "save", token: { service: "account", refreshToken: refreshToken(9) } },
      { kind: "save", token: { service: "chat", refreshToken: refreshToken(9) } },
    ]);
  });

  it("is not complete before the last token is saved", () => {
    const all = [OPENED, REFRESH, ACCESS, REFRESH, ACCESS, SAVED];

    expect(run(all).state.at).to.equal("exchanging");
    expect(run([...all, SAVED]).state.at).to.equal("complete");
  });

  it("gives the access token of each service", () => {
    const { effects } = run([
      OPENED,
      REFRESH,
      { kind: "binary", bytes: accessToken(3) },
      SAVED,
      REFRESH,
      { kind: "binary", bytes: accessToken(4) },
      SAVED,
    ]);

    const complete = effects.at(-1);
    expect(complete?.kind === "complete" && [...complete.accessTokens]).to.deep.equal([
      ["account", accessToken(3)],
      ["chat", accessToken(4)],
    ]);
  });

  for (const [what, inputs] of [
    ["an access token where a refresh token is due", [OPENED, ACCESS]],
    ["a refresh token where an access token is due", [OPENED, REFRESH, REFRESH]],
    ["an empty frame", [OPENED, { kind: "binary", bytes: new Uint8Array() }]],
    ["a frame before the client sent anything", [REFRESH]],
    ["a frame more than was due", [OPENED, REFRESH, ACCESS, REFRESH, ACCESS, ACCESS]],
  ] as const) {
    it(`breaks at ${what}`, () => {
      const { state, effects } = run(inputs);

      expect(state.at).to.equal("broken");
      expect(effects.at(-1)).to.deep.equal({ kind: "break" });
    });
  }

  it("sends nothing but the held tokens, and completes only when every new token is saved, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(OPENED, SAVED, REFRESH, ACCESS)), (inputs) => {
        let [state, unsaved]: [Exchange, number] = [{ at: "opening", held: HELD }, 0];
        for (const input of inputs) {
          // A save is told only of a token that there was.
          if (input.kind === "saved" && unsaved === 0) {
            continue;
          }
          const before = unsaved;
          const [next, effects] = advanceExchange(state, input);
          unsaved += effects.filter(({ kind }) => kind === "save").length - (input.kind === "saved" ? 1 : 0);
          if (effects.some(({ kind }) => kind === "complete")) {
            expect(unsaved).to.equal(0);
          }
          if (effects.some(({ kind }) => kind === "send")) {
            expect(before).to.equal(0);
          }
          state = next;
        }
      }),
    );
  });
});
