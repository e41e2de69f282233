import { expect } from "chai";
import { internalTlsFiles, internalTlsProblems } from "../../../platform/internal-tls.ts";

const NONE = { INTERNAL_TLS_CA_FILE: "", INTERNAL_TLS_CERT_FILE: "", INTERNAL_TLS_KEY_FILE: "" };
const ALL = { INTERNAL_TLS_CA_FILE: "ca", INTERNAL_TLS_CERT_FILE: "cert", INTERNAL_TLS_KEY_FILE: "key" };

describe("the configuration of mutual TLS", () => {
  it("is three files or none", () => {
    expect(internalTlsFiles(ALL)).to.deep.equal({ caFile: "ca", certFile: "cert", keyFile: "key" });
    expect(internalTlsFiles(NONE)).to.equal(undefined);
    expect(namesOf(internalTlsProblems({ ...ALL, INTERNAL_TLS_CA_FILE: "" }, {}))).to.deep.equal(["INTERNAL_TLS_CA_FILE"]);
    expect(namesOf(internalTlsProblems({ ...NONE, INTERNAL_TLS_CA_FILE: "ca" }, {}))).to.deep.equal([
      "INTERNAL_TLS_CERT_FILE",
      "INTERNAL_TLS_KEY_FILE",
    ]);
  });

  it("is needed as soon as one address is of another machine, and every such variable is named", () => {
    const addresses = { A_LISTEN: "0.0.0.0:1", B_LISTEN: "unix:/b", C_TARGETS: ["127.0.0.1:1", "c.example:1"], D_TARGETS: ["localhost:1"] };

    expect(namesOf(internalTlsProblems(NONE, addresses))).to.deep.equal(["A_LISTEN", "C_TARGETS"]);
    expect(internalTlsProblems(NONE, { A_LISTEN: "0.0.0.0:1" })[0]).to.contain("INTERNAL_TLS_CA_FILE, INTERNAL_TLS_CERT_FILE");
    expect(internalTlsProblems(ALL, addresses)).to.deep.equal([]);
  });
});

function namesOf(problems: readonly string[]): readonly string[] {
  return problems.map((problem) => problem.slice(0, problem.indexOf(":")));
}
