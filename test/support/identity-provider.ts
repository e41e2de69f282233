import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { type Configuration, type JWK, Provider } from "oidc-provider";

/** A certified OpenID Connect provider on this machine, with one app. Whoever asks is logged in as the subject that is hinted at. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Goes through the authorization code flow with PKCE, as an app's browser and the app itself would. Resolves to the ID token. */
  authorize(subject: string, nonce: string): Promise<string>;
  /** Signs with a new key from here on; the old one is gone. */
  rotateKeys(): Promise<void>;
  /** Answers nothing but 503 from here on, or as it should again. */
  setDown(isDown: boolean): void;
  /** How often its keys were fetched so far. */
  keyFetches(): number;
}

/** The app's id at the provider. */
export const CLIENT_ID = "sallyport-app";
const REDIRECT_URI = "http://127.0.0.1/signed-in";

/** Starts a provider on a port of its own. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  parseUrlsAsNode22();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let provider = await makeProvider(issuer);
  let isDown = false;
  let keyFetches = 0;
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    keyFetches += request.url === "/jwks" ? 1 : 0;
    if (isDown) {
      response.writeHead(503).end();
    } else {
      void answer(provider, request, response);
    }
  });
  return {
    issuer,
    authorize: (subject, nonce) => authorize(issuer, subject, nonce),
    rotateKeys: async () => {
      provider = await makeProvider(issuer);
    },
    setDown: (down) => {
      isDown = down;
    },
    keyFetches: () => keyFetches,
    [Symbol.asyncDispose]: () => stop(server),
  };
}

async function makeProvider(issuer: string): Promise<Provider> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: randomUUID(), use: "sig", alg: "RS256" } as JWK;
  const configuration: Configuration = {
    clients: [{ client_id: CLIENT_ID, redirect_uris: [REDIRECT_URI], application_type: "native", token_endpoint_auth_method: "none" }],
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // Everybody has one address: nothing may be found by it.
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: "everybody@example.com", email_verified: true }) }),
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  };
  return new Provider(issuer, configuration);
}

async function answer(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!request.url?.startsWith("/interaction/")) {
    await provider.callback()(request, response);
    return;
  }
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: String(params["login_hint"]) } });
    return;
  }
  const grant = new provider.Grant({ clientId: CLIENT_ID, ...(session && { accountId: session.accountId }) });
  grant.addOIDCScope("openid email");
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function authorize(issuer: string, subject: string, nonce: string): Promise<string> {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    scope: "openid email",
    state: randomUUID(),
    nonce,
    login_hint: subject,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const redirect = await browse(`${issuer}/auth?${query}`);
  const code = redirect.searchParams.get("code");
  if (code === null || redirect.searchParams.get("state") !== query.get("state")) {
    throw new Error(`the provider answered ${redirect.search}`);
  }
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: CLIENT_ID,
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    }),
  });
  const { id_token: idToken } = (await response.json()) as { id_token?: string };
  if (idToken === undefined) {
    throw new Error(`the token endpoint answered ${response.status}`);
  }
  return idToken;
}

/** Follows redirects with cookies, as a browser does, up to the one to the app. */
async function browse(start: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  while (!url.href.startsWith(REDIRECT_URI)) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    await response.body?.cancel();
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) {
      throw new Error(`${url.pathname} answered ${response.status}`);
    }
    url = new URL(location, url);
  }
  return url;
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

// oidc-provider is written for Node 22, where URL.parse is; all else that it uses is in Node 20.
function parseUrlsAsNode22(): void {
  if (!("parse" in URL)) {
    Object.assign(URL, { parse: (url: string, base?: string) => (URL.canParse(url, base) ? new URL(url, base) : null) });
  }
}
