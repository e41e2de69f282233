import { expect } from "chai";
import { DocumentUnavailable, type Fetch } from "../../../../../services/account/identity/fetch-document.ts";
import { keySource } from "../../../../../services/account/identity/key-source.ts";
import { makeKey } from "./fake-provider.ts";

const ISSUER = "https://id.example/tenant";
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const JWKS = "https://keys.example/jwks";

type Pages = Readonly<Record<string, () => Response>>;

/** Serves these pages, and says which were asked for. */
function serve(pages: Pages): { readonly fetch: Fetch; readonly asked: string[] } {
  const asked: string[] = [];
  const fetch: Fetch = (url) => {
    asked.push(url);
    const page = pages[url];
    return page === undefined ? Promise.reject(new TypeError("fetch failed")) : Promise.resolve(page());
  };
  return { fetch, asked };
}

async function faultOf(pages: Pages, issuer: string = ISSUER, jwksUri?: string): Promise<string> {
  try {
    await keySource({ issuer, jwksUri }, serve(pages).fetch)();
    return "none";
  } catch (error) {
    return error instanceof DocumentUnavailable ? error.fault : String(error);
  }
}

function discoveryOf(issuer: string, jwksUri: unknown): Pages {
  return { [`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`]: () => Response.json({ issuer, jwks_uri: jwksUri }) };
}

describe("where keys come from", () => {
  it("is the address in the settings, for as long as its headers say", async () => {
    const { jwk } = await makeKey("first", "ES256");
    const { fetch, asked } = serve({ [JWKS]: () => Response.json({ keys: [jwk] }, { headers: { "cache-control": "max-age=120" } }) });

    const { keys, lifetimeMs } = await keySource({ issuer: ISSUER, jwksUri: JWKS }, fetch)();

    expect(keys.jwks().keys.map(({ kid }) => kid)).to.deep.equal(["first"]);
    expect([lifetimeMs, asked]).to.deep.equal([120_000, [JWKS]]);
  });

  for (const issuer of [ISSUER, `${ISSUER}/`]) {
    it(`is what the discovery document of ${issuer} says`, async () => {
      const { jwk } = await makeKey("first", "ES256");
      const { fetch, asked } = serve({ ...discoveryOf(issuer, JWKS), [JWKS]: () => Response.json({ keys: [jwk] }) });

      await keySource({ issuer, jwksUri: undefined }, fetch)();

      expect(asked).to.deep.equal([DISCOVERY, JWKS]);
    });
  }

  it("is not a place that something else than the provider redirects to", async () => {
    const redirects: string[] = [];
    const fetch: Fetch = (_, { redirect }) => {
      redirects.push(redirect);
      return Promise.resolve(Response.json({ keys: [{ kty: "EC" }] }));
    };

    await keySource({ issuer: ISSUER, jwksUri: JWKS }, fetch)();

    expect(redirects).to.deep.equal(["error"]);
  });

  it("is no document of another issuer", async () => {
    const other = { [DISCOVERY]: () => Response.json({ issuer: "https://id.example", jwks_uri: JWKS }) };
    const slashed = { [DISCOVERY]: () => Response.json({ issuer: `${ISSUER}/`, jwks_uri: JWKS }) };

    expect(await Promise.all([faultOf(other), faultOf(slashed)])).to.deep.equal(["wrong-issuer", "wrong-issuer"]);
  });

  it("is no address that is not safe", async () => {
    const addresses = [
      "http://keys.example/jwks",
      "http://127.0.0.1/jwks",
      "file:///etc/passwd",
      "https://a:b@keys.example/",
      7,
      undefined,
    ];

    const faults = await Promise.all(addresses.map((address) => faultOf(discoveryOf(ISSUER, address))));

    expect(faults).to.deep.equal(addresses.map(() => "wrong-address"));
  });

  it("may be this machine for a provider on this machine", async () => {
    const issuer = "http://127.0.0.1:4000";
    const pages = { ...discoveryOf(issuer, `${issuer}/jwks`), [`${issuer}/jwks`]: () => Response.json({ keys: [{ kty: "EC" }] }) };

    expect(await faultOf(pages, issuer)).to.equal("none");
  });

  const WRONG: readonly [what: string, page: () => Response, fault: string][] = [
    ["an error page", () => new Response("oops", { status: 503 }), "status"],
    ["a page without content", () => new Response(null, { status: 204 }), "status"],
    ["no JSON", () => new Response("<html>"), "malformed"],
    ["no object", () => Response.json([]), "malformed"],
    ["nothing", () => new Response(""), "malformed"],
    ["no keys", () => Response.json({ keys: [] }), "no-keys"],
    ["keys that are no list", () => Response.json({ keys: {} }), "no-keys"],
    ["keys that are no objects", () => Response.json({ keys: ["key"] }), "malformed"],
    ["more than any provider publishes", () => Response.json({ keys: [{ kty: "x".repeat(300_000) }] }), "too-large"],
  ];
  for (const [what, page, fault] of WRONG) {
    it(`is not taken for good when it answers ${what}`, async () => {
      expect(await faultOf({ [JWKS]: page }, ISSUER, JWKS)).to.equal(fault);
      expect(await faultOf({ ...discoveryOf(ISSUER, JWKS), [JWKS]: page })).to.equal(fault);
    });
  }

  it("is left when it sends without end", async () => {
    let sent = 0;
    let isLeft = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
      cancel: () => {
        isLeft = true;
      },
    });

    const fault = await faultOf({ [JWKS]: () => new Response(endless) }, ISSUER, JWKS);

    expect([fault, isLeft]).to.deep.equal(["too-large", true]);
    expect(sent).to.be.lessThan(10);
  });

  it("is unreachable when the connection fails, also in the middle", async () => {
    const cut = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new TypeError("terminated")) });

    expect(await faultOf({})).to.equal("unreachable");
    expect(await faultOf({ [JWKS]: () => new Response(cut) }, ISSUER, JWKS)).to.equal("unreachable");
  });
});
