import { expect } from "chai";
import { localPeer, type PeerRole, readPeer } from "../../../platform/rpc/peer.ts";

const ROLES: readonly PeerRole[] = ["gateway", "account", "chat"];

function rolesOf(subjectaltname: string): readonly PeerRole[] {
  return ROLES.filter((role) => readPeer({ subjectaltname }).mayBe(role));
}

describe("the roles that a peer's certificate names", () => {
  it("are those of its URIs in sallyport:role, wherever they stand", () => {
    expect(rolesOf("URI:sallyport:role:gateway")).to.deep.equal(["gateway"]);
    expect(rolesOf("DNS:a.example, URI:sallyport:role:chat, IP Address:10.0.0.1, URI:sallyport:role:account")).to.deep.equal([
      "account",
      "chat",
    ]);
  });

  it("are any where none is named", () => {
    expect(rolesOf("")).to.deep.equal(ROLES);
    expect(rolesOf("DNS:sallyport:role:chat, URI:https://sallyport/role:chat")).to.deep.equal(ROLES);
  });

  it("are none where only others are named", () => {
    expect(rolesOf("URI:sallyport:role:auditor")).to.deep.equal([]);
    expect(rolesOf("URI:sallyport:role:Gateway, URI:sallyport:role:")).to.deep.equal([]);
  });

  it("are not read out of the text of another name", () => {
    expect(rolesOf('DNS:"x, URI:sallyport:role:gateway, y", URI:sallyport:role:chat')).to.deep.equal(["chat"]);
    expect(rolesOf(String.raw`DNS:"x\", URI:sallyport:role:gateway, \"y", URI:sallyport:role:chat`)).to.deep.equal(["chat"]);
    expect(rolesOf('URI:"sallyport:role:gateway, x", URI:sallyport:role:chat')).to.deep.equal(["chat"]);
  });

  it("are none without a certificate, and any on a plain connection of this machine", () => {
    expect(ROLES.filter((role) => readPeer(undefined).mayBe(role))).to.deep.equal([]);
    expect(ROLES.filter((role) => localPeer.mayBe(role))).to.deep.equal(ROLES);
  });
});
