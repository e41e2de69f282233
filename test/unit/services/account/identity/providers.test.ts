import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { exportSPKI, importJWK, type JWTPayload } from "jose";
import { SallyportError } from "../../../../../platform/errors.ts";
import type { IdentityProviders } from "../../../../../services/account/identity/providers.ts";
import type { ProviderSettings } from "../../../../../services/account/identity/settings.ts";
import { type Claims, claimsWith, makeKey, NONCE, NOW, NOW_S, type ProviderKey, publish, SETTINGS, sign } from "./fake-provider.ts";

const HOUR_S = 3600;
const sha256 = (text: string, form: "hex" | "base64url"): string => createHash("sha256").update(text).digest(form);

const GOOD: Readonly<Record<string, { claims?: Claims; header?: Record<string, unknown>; settings?: Partial<ProviderSettings> }>> = {
  "with nothing but what is needed": {},
  "for several of our apps, made for one of them": { claims: { aud: ["app", "other-app"], azp: "other-app" } },
  "for one audience, as a list": { claims: { aud: ["other-app"] } },
  "that names our app as its authorized party": { claims: { azp: "app" } },
  "that says that it is a JWT": { header: { typ: "JWT" } },
  "that says so in full": { header: { typ: "application/jwt" } },
  "that expired within the skew of clocks": { claims: { exp: NOW_S - 29 } },
  "issued ahead within the skew of clocks": { claims: { iat: NOW_S + 30 } },
  "issued an hour ago": { claims: { iat: NOW_S - HOUR_S } },
  "in the other spelling of the issuer": { claims: { iss: "id.example" }, settings: { otherIssuers: ["id.example"] } },
  "with the nonce's SHA-256 in hexadecimal": { claims: { nonce: sha256(NONCE, "hex") }, settings: { nonce: "sha256" } },
  "with the nonce's SHA-256 in base64url": { claims: { nonce: sha256(NONCE, "base64url") }, settings: { nonce: "sha256" } },
  "with a verified e-mail address": { claims: { email: "a@example.com", email_verified: true } },
  "with one that is verified as Apple says it": { claims: { email: "a@example.com", email_verified: "true" } },
  "with one that is not verified": { claims: { email: "a@example.com", email_verified: false } },
};

const BAD: Readonly<
  Record<string, { cause: string; claims?: Claims; header?: Record<string, unknown>; settings?: Partial<ProviderSettings> }>
> = {
  "of another issuer": { cause: "iss", claims: { iss: "https://id.example.evil" } },
  "whose issuer has a slash more": { cause: "iss", claims: { iss: "https://id.example/" } },
  "without an issuer": { cause: "iss", claims: { iss: undefined } },
  "for another audience": { cause: "aud", claims: { aud: "stranger" } },
  "without an audience": { cause: "aud", claims: { aud: undefined } },
  "for no audience": { cause: "aud", claims: { aud: [] } },
  "for an audience besides that is none of our apps": { cause: "aud", claims: { aud: ["app", "stranger"], azp: "app" } },
  "for several audiences without an authorized party": { cause: "azp", claims: { aud: ["app", "other-app"] } },
  "made for somebody else's app": { cause: "azp", claims: { azp: "stranger" } },
  "whose authorized party is no text": { cause: "azp", claims: { azp: ["app"] } },
  "that is expired": { cause: "expired", claims: { iat: NOW_S - 700, exp: NOW_S - 31 } },
  "that never expires": { cause: "exp", claims: { exp: undefined } },
  "whose expiry is no number": { cause: "exp", claims: { exp: "2100-01-01" } },
  "issued in the future": { cause: "iat", claims: { iat: NOW_S + 31 } },
  "issued too long ago": { cause: "expired", claims: { iat: NOW_S - HOUR_S - 31 } },
  "that does not say when it was issued": { cause: "iat", claims: { iat: undefined } },
  "that is not valid yet": { cause: "nbf", claims: { nbf: NOW_S + 31 } },
  "with another nonce": { cause: "nonce", claims: { nonce: `${NONCE}x` } },
  "without a nonce": { cause: "nonce", claims: { nonce: undefined } },
  "with an empty nonce": { cause: "nonce", claims: { nonce: "" } },
  "whose nonce is no text": { cause: "nonce", claims: { nonce: [NONCE] } },
  "with the hashed nonce where the plain one is due": { cause: "nonce", claims: { nonce: sha256(NONCE, "hex") } },
  "with the plain nonce where the hashed one is due": { cause: "nonce", settings: { nonce: "sha256" } },
  "with the hash of another nonce": {
    cause: "nonce",
    claims: { nonce: sha256("another", "hex") },
    settings: { nonce: "sha256" },
  },
  "without a subject": { cause: "sub", claims: { sub: undefined } },
  "with an empty subject": { cause: "sub", claims: { sub: "" } },
  "with a subject that is too long": { cause: "sub", claims: { sub: "s".repeat(256) } },
  "with a subject that is no text": { cause: "sub", claims: { sub: 7 } },
  "of another kind": { cause: "type", header: { typ: "logout+jwt" } },
  "with a key that the provider does not have": { cause: "key", header: { kid: "unknown" } },
  "with a demand that nobody knows": { cause: "malformed", header: { crit: ["exotic"], exotic: true } },
};

describe("ID tokens", () => {
  let key: ProviderKey;
  let second: ProviderKey;
  let elliptic: ProviderKey;

  before(async () => {
    [key, second, elliptic] = await Promise.all([makeKey("first"), makeKey("second"), makeKey("elliptic", "ES256")]);
  });

  for (const [what, { claims, header, settings }] of Object.entries(GOOD)) {
    it(`one ${what} is who it says`, async () => {
      const { providers, refusals } = publish([second, key], settings);
      const idToken = await sign(key, claimsWith(claims), header);

      const identity = await providers.verify({ provider: "example", idToken, nonce: NONCE });

      const loggedInAt = new Date(Number(claims?.["iat"] ?? NOW_S - 5) * 1000);
      expect(identity).to.deep.equal({ issuer: SETTINGS.issuer, subject: "somebody", loggedInAt });
      expect(refusals).to.deep.equal([]);
    });
  }

  for (const [what, { cause, claims, header, settings }] of Object.entries(BAD)) {
    it(`one ${what} is refused`, async () => {
      const { providers, refusals } = publish([second, key], settings);
      const idToken = await signAnything(key, claimsWith(claims), header);

      await expectRefusal(providers, idToken);

      expect(refusals).to.deep.equal([`example ${cause}`]);
    });
  }

  it("of a provider that signs otherwise are taken where its settings say so", async () => {
    const { providers } = publish([key, elliptic], { algorithms: ["ES256"] });

    const identity = await providers.verify({ provider: "example", idToken: await sign(elliptic, claimsWith()), nonce: NONCE });

    expect(identity.subject).to.equal("somebody");
  });

  it("signed by an algorithm that is not pinned are refused", async () => {
    const { providers, refusals } = publish([key, elliptic]);

    await expectRefusal(providers, await sign(elliptic, claimsWith()));

    expect(refusals).to.deep.equal(["example algorithm"]);
  });

  it("that name a key of another type are refused", async () => {
    const { providers, refusals } = publish([key, elliptic], { algorithms: ["RS256", "ES256"] });

    await expectRefusal(providers, await sign(key, claimsWith(), { kid: elliptic.kid }));

    expect(refusals).to.deep.equal(["example key"]);
  });

  it("signed with another key than the one that they name are refused", async () => {
    const { providers, refusals } = publish([key, second]);

    await expectRefusal(providers, await sign(key, claimsWith(), { kid: second.kid }));

    expect(refusals).to.deep.equal(["example signature"]);
  });

  it("that are not signed are refused", async () => {
    const { providers, refusals } = publish([key]);
    const header = encode({ alg: "none", kid: key.kid });

    await expectRefusal(providers, `${header}.${encode(claimsWith())}.`);

    expect(refusals).to.deep.equal(["example algorithm"]);
  });

  it("signed with the public key as a shared secret are refused", async () => {
    const { providers, refusals } = publish([key]);
    const secret = await exportSPKI((await importJWK(key.jwk, "RS256", { extractable: true })) as CryptoKey);
    const content = `${encode({ alg: "HS256", kid: key.kid })}.${encode(claimsWith())}`;

    await expectRefusal(providers, `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`);

    expect(refusals).to.deep.equal(["example algorithm"]);
  });

  it("with changed claims are refused", async () => {
    const { providers, refusals } = publish([key]);
    const [header, , signature] = (await sign(key, claimsWith())).split(".");

    await expectRefusal(providers, `${header}.${encode(claimsWith({ sub: "somebody else" }))}.${signature}`);

    expect(refusals).to.deep.equal(["example signature"]);
  });

  it("are refused when cut short anywhere", async () => {
    const { providers } = publish([key]);
    const idToken = await sign(key, claimsWith());

    for (let length = 0; length < idToken.length; length += 7) {
      await expectRefusal(providers, idToken.slice(0, length));
    }
  });

  it("are refused when they are garbage", async () => {
    const { providers, fetched } = publish([key]);

    for (const garbage of [
      ".",
      "..",
      "a.b.c",
      "null.null.null",
      "e30.e30.e30",
      `${encode({ alg: "RS256" })}.e30.e30.e30.e30`,
      "🦊.🦊.🦊",
    ]) {
      await expectRefusal(providers, garbage);
    }

    expect(fetched).to.deep.equal([]);
  });

  it("are refused when the client presents no nonce, even one that matches", async () => {
    const { providers } = publish([key]);

    await expectRefusal(providers, await sign(key, claimsWith({ nonce: "" })), "");
  });

  it("are refused with one and the same answer, which says nothing of the cause", async () => {
    const answers = await Promise.all(
      [{ nonce: "x" }, { aud: "stranger" }, { exp: NOW_S - 100 }].map(async (claims) => {
        const error = await failure(publish([key]).providers, await sign(key, claimsWith(claims)), NONCE);
        return [error.status, error.reason, error.message, error.cause];
      }),
    );

    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).to.have.length(1);
    expect(answers[0]).to.deep.equal(["UNAUTHENTICATED", "ID_TOKEN_REFUSED", "the ID token was refused", undefined]);
  });

  it("of a provider that is not configured name the field", async () => {
    const { providers, fetched } = publish([key]);
    const idToken = await sign(key, claimsWith());

    for (const provider of ["google", "Example", "__proto__", ""]) {
      const error = await providers.verify({ provider, idToken, nonce: NONCE }).catch((thrown: unknown) => thrown as SallyportError);

      expect(error).to.be.instanceOf(SallyportError);
      expect((error as SallyportError).status).to.equal("INVALID_ARGUMENT");
      expect((error as SallyportError).violations.map(({ field }) => field)).to.deep.equal(["oidc.provider"]);
    }
    expect(fetched).to.deep.equal([]);
  });

  it("are as old as the login that they name, however fresh they are themselves, and never younger than their issue", async () => {
    const { providers } = publish([key]);
    const loginTimeOf = async (authTime: unknown): Promise<number> => {
      const idToken = await sign(key, claimsWith({ auth_time: authTime }));
      return (await providers.verify({ provider: "example", idToken, nonce: NONCE })).loggedInAt.getTime() / 1000;
    };

    const times = await Promise.all([NOW_S - 86_400, NOW_S + 86_400, undefined, "yesterday"].map(loginTimeOf));

    expect(times).to.deep.equal([NOW_S - 86_400, NOW_S - 5, NOW_S - 5, NOW_S - 5]);
  });

  it("are judged by the clock that is given", async () => {
    const { providers } = publish([key]);
    const identity = await providers.verify({ provider: "example", idToken: await sign(key, claimsWith()), nonce: NONCE });

    expect(Math.abs(identity.loggedInAt.getTime() - NOW)).to.equal(5_000);
    expect(Math.abs(Date.now() - NOW)).to.be.greaterThan(HOUR_S * 1000);
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Signs also what a signer refuses to: with headers that nobody knows. */
async function signAnything(key: ProviderKey, claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  if (!("crit" in header)) {
    return sign(key, claims, header);
  }
  const content = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`;
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key.privateKey, Buffer.from(content));
  return `${content}.${Buffer.from(signature).toString("base64url")}`;
}

async function failure(providers: IdentityProviders, idToken: string, nonce: string): Promise<SallyportError> {
  try {
    await providers.verify({ provider: "example", idToken, nonce });
  } catch (error) {
    expect(error).to.be.instanceOf(SallyportError);
    return error as SallyportError;
  }
  throw new Error("the token was taken");
}

async function expectRefusal(providers: IdentityProviders, idToken: string, nonce: string = NONCE): Promise<void> {
  const { status, reason } = await failure(providers, idToken, nonce);

  expect([status, reason]).to.deep.equal(["UNAUTHENTICATED", "ID_TOKEN_REFUSED"]);
}
