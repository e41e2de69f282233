import { expect } from "chai";
import { SallyportError } from "../../../../../platform/errors.ts";
import { COOL_DOWN_MS, STALE_MS } from "../../../../../services/account/identity/provider-keys.ts";
import { makeKey, type ProviderKey } from "./fake-provider.ts";
import { ask, LIFETIME_MS, openCache, settle, soFar } from "./key-cache.ts";

const crowd = <T>(each: () => Promise<T>): Promise<T>[] => Array.from({ length: 100 }, each);

describe("the keys of a provider", () => {
  let old: ProviderKey;
  let next: ProviderKey;
  let garbage: ProviderKey;

  before(async () => {
    [old, next, garbage] = await Promise.all([makeKey("old", "ES256"), makeKey("next", "ES256"), makeKey("garbage", "ES256")]);
  });

  it("are not asked for before the first token", async () => {
    const cache = openCache(old);

    await settle();

    expect(cache.fetches()).to.equal(0);
  });

  it("are fetched once for a crowd", async () => {
    const cache = openCache(old);

    const answers = await Promise.all(crowd(() => ask(cache, old)));

    expect(new Set(answers)).to.deep.equal(new Set(["found"]));
    expect(cache.fetches()).to.equal(1);
  });

  it("are kept for their lifetime, and fetched again after it", async () => {
    const cache = openCache(old);
    await ask(cache, old);

    await cache.passTime(LIFETIME_MS - 1);
    await ask(cache, old);
    expect(cache.fetches()).to.equal(1);

    await cache.passTime(1);
    await Promise.all(crowd(() => ask(cache, old)));
    expect(cache.fetches()).to.equal(2);
  });

  it("that the provider took back are not used after their lifetime", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    cache.publish(next);

    await cache.passTime(LIFETIME_MS);

    expect(await ask(cache, old)).to.equal("unknown");
  });

  it("that are new are found at once, with one fetch for a crowd", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    cache.publish(old, next);

    const answers = await Promise.all(crowd(() => ask(cache, next)));

    expect(new Set(answers)).to.deep.equal(new Set(["found"]));
    expect(cache.fetches()).to.equal(2);
  });

  it("are found by who comes while they are being fetched, without a fetch of their own", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    cache.publish(next);
    cache.hold();
    const first = ask(cache, next);
    await settle();
    const second = ask(cache, next);

    await cache.release();

    expect([await soFar(first), await soFar(second), cache.fetches()]).to.deep.equal(["found", "found", 2]);
  });

  it("that nobody has cost one fetch a cool-down, however many are asked for", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    expect(await ask(cache, garbage)).to.equal("unknown");
    expect(cache.fetches()).to.equal(2);

    const asked = crowd(() => ask(cache, garbage));
    await cache.passTime(COOL_DOWN_MS - 1);
    expect([await soFar(asked[0] ?? fail()), cache.fetches()]).to.deep.equal(["waiting", 2]);

    await cache.passTime(1);
    expect(new Set(await Promise.all(asked))).to.deep.equal(new Set(["unknown"]));
    expect(cache.fetches()).to.equal(3);
  });

  it("that nobody has are not asked for again right after a fetch for the same question", async () => {
    const cache = openCache(old);

    expect(await ask(cache, garbage)).to.equal("unknown");

    expect(cache.fetches()).to.equal(1);
  });

  it("that are new are found by the end of the cool-down while garbage keeps coming, and those that are known at once", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    await ask(cache, garbage);
    cache.publish(old, next);
    const flood = crowd(() => ask(cache, garbage));

    const rotated = ask(cache, next);
    expect(await ask(cache, old)).to.equal("found");
    expect(await soFar(rotated)).to.equal("waiting");

    await cache.passTime(COOL_DOWN_MS);
    expect([await soFar(rotated), cache.fetches()]).to.deep.equal(["found", 3]);
    expect(new Set(await Promise.all(flood))).to.deep.equal(new Set(["unknown"]));
  });

  it("that appear while a fetch is under way are found by another one", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    cache.hold();
    const early = ask(cache, garbage);
    await settle();
    cache.publish(next);
    const late = ask(cache, next);
    await cache.release();
    expect([await soFar(early), await soFar(late)]).to.deep.equal(["unknown", "waiting"]);

    await cache.passTime(COOL_DOWN_MS);

    expect([await soFar(late), cache.fetches()]).to.deep.equal(["found", 3]);
  });

  it("go on being used through an outage of the provider, for a day, with one attempt a cool-down", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    cache.goDown();
    await cache.passTime(LIFETIME_MS);

    const answers = await Promise.all(crowd(() => ask(cache, old)));
    answers.push(...(await Promise.all(crowd(() => ask(cache, old)))));
    expect(new Set(answers)).to.deep.equal(new Set(["found"]));
    expect([cache.fetches(), cache.failures()]).to.deep.equal([2, 1]);

    await cache.passTime(STALE_MS - 1);
    expect(await ask(cache, old)).to.equal("found");
    await cache.passTime(1);
    expect(await ask(cache, old)).to.equal("unavailable");
  });

  it("are fetched again once the provider is back", async () => {
    const cache = openCache(old);
    cache.goDown();
    expect(await ask(cache, old)).to.equal("unavailable");
    cache.publish(old);

    await cache.passTime(COOL_DOWN_MS - 1);
    expect([await ask(cache, old), cache.fetches()]).to.deep.equal(["unavailable", 1]);
    await cache.passTime(1);
    expect([await ask(cache, old), cache.fetches()]).to.deep.equal(["found", 2]);
  });

  it("that are unknown are not refused while the provider cannot be asked", async () => {
    const cache = openCache(old);
    await ask(cache, old);
    cache.goDown();

    expect(await ask(cache, next)).to.equal("unavailable");
    expect(await ask(cache, old)).to.equal("found");
  });

  it("say when to try again when they cannot be had", async () => {
    const cache = openCache(old);
    cache.goDown();
    await ask(cache, old);
    await cache.passTime(1_000);

    const error = await cache.keys.find({ alg: "ES256", kid: "old" }, { payload: "", signature: "" }).catch((thrown: unknown) => thrown);

    expect(error).to.be.instanceOf(SallyportError);
    expect((error as SallyportError).retryAfterMs).to.equal(COOL_DOWN_MS - 1_000);
  });
});

function fail(): never {
  throw new Error("nobody asked");
}
