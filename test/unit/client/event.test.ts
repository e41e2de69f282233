import { expect } from "chai";
import { parseEvent } from "../../../client/event.ts";

describe("the events of a server", () => {
  it("are read from proto3 JSON", () => {
    expect(parseEvent('{"draining":{"reconnectAfterMs":1200}}')).to.deep.equal({ type: "draining", reconnectAfterMs: 1200 });
    expect(parseEvent('{"queueEmpty":{}}')).to.deep.equal({ type: "queueEmpty" });
  });

  it("may leave out fields that have their default", () => {
    expect(parseEvent('{"draining":{}}')).to.deep.equal({ type: "draining", reconnectAfterMs: 0 });
  });

  for (const text of ["", "{", "null", "[]", "{}", "7", '{"message":null}', '{"constructor":{}}', '{"message":{"body":"*"}}']) {
    it(`leave out ${JSON.stringify(text)}`, () => {
      expect(parseEvent(text)).to.equal(undefined);
    });
  }
});
