import { randomBytes } from "node:crypto";
import { expect } from "chai";
import {
  ACCESS_RANDOM_BYTES,
  type Grant,
  isOurAccessToken,
  judgeGrant,
  makeAccessToken,
  type Showing,
} from "../../../../../services/account/tokens/access-token.ts";

const grant: Grant = {
  service: "chat",
  accountId: "a",
  sessionId: "s",
  generation: 2,
  socket: { address: "192.0.2.1", incarnation: "i", connection: 1 },
};
const showing: Showing = {
  service: "chat",
  address: "192.0.2.1",
  isSessionLive: true,
  isLeaseHeld: true,
  isSettling: false,
  debug: false,
};

describe("an access token", () => {
  it("is valid for its service, from its socket's address, while session and socket live", () => {
    expect(judgeGrant(grant, showing)).to.equal("valid");
  });

  it("is of another service only where it is valid otherwise", () => {
    expect(judgeGrant(grant, { ...showing, service: "account" })).to.equal("otherService");
    expect(judgeGrant(grant, { ...showing, service: "account", address: "192.0.2.2" })).to.equal("refused");
    expect(judgeGrant(grant, { ...showing, service: "account", isSessionLive: false })).to.equal("refused");
    expect(judgeGrant(grant, { ...showing, service: "account", isLeaseHeld: false })).to.equal("refused");
  });

  it("is refused from another address", () => {
    expect(judgeGrant(grant, { ...showing, address: "192.0.2.2" })).to.equal("refused");
  });

  it("is refused when its session has ended, in debug mode too", () => {
    expect(judgeGrant(grant, { ...showing, isSessionLive: false })).to.equal("refused");
    expect(judgeGrant(grant, { ...showing, isSessionLive: false, debug: true })).to.equal("refused");
  });

  it("is refused when its gateway's lease has lapsed, but not judged while gateways may not have renewed yet", () => {
    expect(judgeGrant(grant, { ...showing, isLeaseHeld: false })).to.equal("refused");
    expect(judgeGrant(grant, { ...showing, isLeaseHeld: false, isSettling: true })).to.equal("unsettled");
    expect(judgeGrant(grant, { ...showing, isSettling: true })).to.equal("valid");
  });

  it("needs neither socket nor address in debug mode, and a socket outside of it", () => {
    const { socket, ...socketless } = grant;

    expect(socket).to.not.equal(undefined);
    expect(judgeGrant(socketless, { ...showing, debug: true })).to.equal("valid");
    expect(judgeGrant(socketless, showing)).to.equal("refused");
    expect(judgeGrant(grant, { ...showing, debug: true, isLeaseHeld: false, address: "::1" })).to.equal("valid");
    expect(judgeGrant(grant, { ...showing, debug: true, service: "account" })).to.equal("otherService");
  });
});

describe("the bytes of an access token", () => {
  const [older, newer] = [randomBytes(32), randomBytes(32)];

  it("are random bytes and 12 of their MAC, to the byte", () => {
    const token = makeAccessToken(Buffer.alloc(ACCESS_RANDOM_BYTES, 0xa5), Buffer.alloc(32, 7));

    expect(token.toString("hex")).to.equal("a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5b48ea22eae9437dc80c0668e");
  });

  it("are known as ours under any of the keys", () => {
    const token = makeAccessToken(randomBytes(ACCESS_RANDOM_BYTES), older);

    expect(token).to.have.length(32);
    expect(isOurAccessToken(token, [newer, older])).to.equal(true);
  });

  it("are foreign under another key, with any bit changed, of another length, and when random", () => {
    const token = makeAccessToken(randomBytes(ACCESS_RANDOM_BYTES), older);
    const changed = Array.from({ length: token.length }, (_, at) => {
      const copy = Buffer.from(token);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    });

    const foreign = [...changed, token.subarray(0, 31), Buffer.concat([token, Buffer.alloc(1)]), Buffer.alloc(0), randomBytes(32)];
    expect(foreign.filter((bytes) => isOurAccessToken(bytes, [older]))).to.deep.equal([]);
    expect(isOurAccessToken(token, [newer])).to.equal(false);
  });
});
