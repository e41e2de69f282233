import { expect } from "chai";
import { Leases } from "../../../gateway/leases.ts";
import type { Copy, ServiceCopies, Services } from "../../../gateway/relay.ts";

/** Two services whose copies note what is asked, and renew when a test says so. */
function startServices(): { services: Services; copies: Copy[]; log: string[]; answer: () => void } {
  const log: string[] = [];
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const serve = (service: "account" | "chat"): Copy => {
    const leases = {
      renewLease: async () => {
        await answered;
        log.push(`${service} renewed`);
        return {};
      },
      endLease: async () => {
        log.push(`${service} ended`);
        return {};
      },
    };
    return { service, relay: { isConnected: true }, leases } as unknown as Copy;
  };
  const copies = [serve("account"), serve("chat")];
  const known = copies.map((copy) => ({ service: copy.service, pick: () => copy }) as unknown as ServiceCopies);
  return {
    services: Object.fromEntries(known.map((one) => [one.service, one])) as unknown as Services,
    copies,
    log,
    answer: () => answer(),
  };
}

describe("the lease of a gateway that stops", () => {
  it("is ended after the renewals that are under way, and at once where none is", async () => {
    const { services, copies, log, answer } = startServices();
    const leases = new Leases(() => services, "incarnation");
    const renewal = leases.renewAt(copies[1] as Copy);

    const ended = leases.end();
    await new Promise(setImmediate);
    const whileRenewed = [...log];
    answer();
    await Promise.all([renewal, ended]);

    expect(whileRenewed).to.deep.equal(["account ended"]);
    expect(log).to.deep.equal(["account ended", "chat renewed", "chat ended"]);
  });

  it("is ended although a renewal hangs", async () => {
    const { services, copies, log } = startServices();
    const leases = new Leases(() => services, "incarnation");
    void leases.renewAt(copies[1] as Copy);

    await leases.end();

    expect(log).to.deep.equal(["account ended", "chat ended"]);
  });
});
