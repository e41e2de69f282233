import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";
import type { FileRegistry } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { SallyportError, type StatusName, toSallyportError } from "../platform/errors.ts";
import { refusingComplexFields, refusingComplexText, refusingMalformedText } from "./body-checks.ts";
import type { Room } from "./body-room.ts";
import { connectError } from "./connect-error.ts";
import { clientKey, connectHandlers, takenKey } from "./connect-router.ts";
import { containFault } from "./contained-fault.ts";
import type { GatewayContext } from "./context.ts";
import { servedMethod } from "./forward.ts";
import type { Front } from "./front.ts";
import { type Delivery, deliveryFor, refuse, respond } from "./http-answer.ts";
import { clientAddress } from "./http-client.ts";
import { refuseWith } from "./http-error.ts";
import { isFramedClearly, refuseUnclear } from "./http-framing.ts";
import { explainFault } from "./library-fault.ts";
import { RequestBody } from "./request-body.ts";

/** The requests that are being answered. */
export interface HttpRequests {
  readonly inFlight: number;
}

/** Where bodies gather: those of callers who need not show who they are have a room of their own, so that they keep nobody else out. */
export interface BodyRooms {
  readonly anonymous: Room;
  readonly identified: Room;
}

/** The methods of a front, for any number of apps. */
export interface HttpService extends HttpRequests {
  addRoutes(app: TemplatedApp): void;
}

/** Serves the methods of a front over HTTP (docs/protocol.md, calls over HTTP). */
export function serveHttp(context: GatewayContext, front: Front, rooms: BodyRooms): HttpService {
  const { registry } = context;
  const handlers = connectHandlers(context, registry, front);
  const { transport } = front;
  // A gateway that stops tells those who keep their connections.
  const delivery = (): Delivery => ({ ...transport, isLast: context.hub.isDraining });
  const requests = { inFlight: 0 };
  const serve = (response: HttpResponse, request: HttpRequest): void => {
    if (!isFramedClearly(request)) {
      refuseUnclear(response, deliveryFor(request, transport));
      return;
    }
    const handler = handlers.get(request.getUrl());
    if (handler === undefined) {
      refuse(response, 404, "unimplemented", "no such path", deliveryFor(request, delivery()));
      return;
    }
    if (request.getCaseSensitiveMethod() !== "POST") {
      respond(response, 405, new Headers({ allow: "POST" }), "", deliveryFor(request, delivery()));
      return;
    }
    const headers = readHeaders(request);
    if (headers === undefined || !handler.supportedContentType(headers.get("content-type") ?? "")) {
      respond(response, 415, new Headers({ "accept-post": "application/json, application/proto" }), "", delivery());
      return;
    }
    const address = clientAddress(response, request, transport.trustedProxies);
    if (address instanceof SallyportError) {
      refuseWith(response, registry, address, delivery());
      return;
    }
    requests.inFlight += 1;
    const { credential } = servedMethod(handler.requestPath, front.audience);
    const requestBody = new RequestBody(response, credential === "none" ? rooms.anonymous : rooms.identified, address);
    void answer(context, { handler, header: headers, response, requestBody, address, delivery }).finally(() => {
      requestBody[Symbol.dispose]();
      requests.inFlight -= 1;
    });
  };
  const addRoutes = (app: TemplatedApp): void => {
    app.any("/*", (response, request) => containFault(context.events, "http", response, () => serve(response, request)));
  };
  return Object.assign(requests, { addRoutes });
}

/** A call on its way through the Connect library. */
interface HttpCall {
  readonly handler: UniversalHandler;
  readonly header: Headers;
  readonly response: HttpResponse;
  readonly requestBody: RequestBody;
  /** The client's, canonical. */
  readonly address: string;
  readonly delivery: () => Delivery;
}

async function answer(context: GatewayContext, call: HttpCall): Promise<void> {
  const { handler, header, response, requestBody, address, delivery } = call;
  const startedAt = performance.now();
  const leaving = new AbortController();
  response.onData((chunk, isLast) => {
    // uWebSockets takes this buffer back as soon as the handler returns.
    requestBody.add(new Uint8Array(chunk.slice(0)), isLast);
  });
  response.onAborted(() => {
    requestBody.abort();
    leaving.abort();
  });
  const isBinary = header.get("content-type")?.toLowerCase().startsWith("application/proto") === true;
  const contextValues = createContextValues().set(clientKey, { address, gone: leaving.signal });
  const checked = isBinary
    ? refusingComplexFields(handler.method.input, requestBody)
    : refusingComplexText(refusingMalformedText(requestBody));
  const body = reading(context.registry, checked, () => contextValues.get(takenKey).giveBack());
  const url = `http://gateway${handler.requestPath}`;
  try {
    const answered = await handler({ httpVersion: "1.1", url, method: "POST", header, body, signal: leaving.signal, contextValues });
    const outcome = await send(context.registry, call, answered, leaving.signal);
    context.events.callAnswered("http", handler.requestPath, outcome, startedAt);
  } catch (error) {
    context.events.handlingFailed("http", error);
    context.events.callAnswered("http", handler.requestPath, "INTERNAL", startedAt);
    if (!leaving.signal.aborted) {
      requestBody.drop();
      refuse(response, 500, "internal", "internal error", delivery());
    }
  }
}

/** Answers with what the call came to. */
async function send(
  registry: FileRegistry,
  { response, requestBody, delivery }: HttpCall,
  answered: UniversalServerResponse,
  gone: AbortSignal,
): Promise<StatusName> {
  const headers = answered.header ?? new Headers();
  const plain = { status: answered.status, body: await collect(answered.body) };
  const isFault = plain.status !== 200 && headers.get("content-type") === "application/json";
  const { status, body, fault } = isFault ? explainFault(registry, plain) : { ...plain, fault: "OK" as const };
  // A client that is gone has no response to write to.
  if (!gone.aborted) {
    requestBody.drop();
    respond(response, status, headers, body, delivery());
  }
  return fault;
}

/** The body as the Connect library reads it: what fails is said the way Connect does. A call that is refused for too much takes nothing. */
async function* reading(registry: FileRegistry, body: AsyncIterable<Uint8Array>, giveBack: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    const error = toSallyportError(thrown);
    if (error.status === "RESOURCE_EXHAUSTED") {
      giveBack();
    }
    throw connectError(registry, error);
  }
}

async function collect(body: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** All headers, repeated ones joined; undefined when one is none that HTTP allows. */
function readHeaders(request: HttpRequest): Headers | undefined {
  const headers = new Headers();
  try {
    // `getHeader` would hide all but the first of repeated ones.
    request.forEach((name, value) => {
      headers.append(name, value);
    });
    return headers;
  } catch {
    return undefined;
  }
}
