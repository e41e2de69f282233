import type { HttpRequest, HttpResponse, TemplatedApp } from "uWebSockets.js";
import type { Metrics } from "../../platform/metrics.ts";
import { BodyRoom } from "../body-room.ts";
import { containFault } from "../contained-fault.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayEvents } from "../events.ts";
import { type HttpRequests, serveHttp } from "../http.ts";
import { deliveryFor, respond } from "../http-answer.ts";
import { isFramedClearly, refuseUnclear } from "../http-framing.ts";
import { type Listener, listen } from "../listener.ts";
import { findReadiness } from "../readiness.ts";
import { DIRECT } from "../transport.ts";
import { EXPOSITION_TYPE } from "./exposition.ts";
import { operatorFront } from "./front.ts";
import { Scrape } from "./scrape.ts";
import type { OperatorToken } from "./token.ts";

/** The operator's listener, and the calls that it is answering. */
export interface OperatorListener {
  readonly listener: Listener;
  readonly requests: HttpRequests;
}

const BODY_ROOM_BYTES = 32 * 1024 * 1024;

/** Starts the operator's listener: probes, metrics, and the methods for operators. @throws Error when the address cannot be listened on. */
export function listenForOperators(context: GatewayContext, token: OperatorToken, metrics: Metrics): OperatorListener {
  const { config, services, hub, events } = context;
  const scrape = new Scrape(metrics, services);
  const room = new BodyRoom(BODY_ROOM_BYTES, BODY_ROOM_BYTES);
  const requests = serveHttp(context, operatorFront(token, events), { anonymous: room, identified: room });
  const place = { host: config.adminHost, port: config.adminPort, variable: "GATEWAY_ADMIN_PORT" } as const;
  const listener = listen(place, (app) => {
    const page = (path: string, make: () => Promise<Page>): void => servePage(app, path, make, events);
    page("/livez", async () => json(200, { status: "live" }));
    page("/readyz", async () => {
      const { isReady, failing } = await findReadiness(services, hub.isDraining);
      return json(isReady ? 200 : 503, { status: isReady ? "ready" : "not ready", ...(failing.length > 0 ? { failing } : {}) });
    });
    page("/metrics", async () => ({ status: 200, type: EXPOSITION_TYPE, body: await scrape.read() }));
    requests.addRoutes(app);
  });
  return { listener, requests };
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function json(status: number, body: unknown): Page {
  return { status, type: "application/json", body: JSON.stringify(body) };
}

/** Serves GET and HEAD of a path, for which nobody has to show who they are. */
function servePage(app: TemplatedApp, path: string, make: () => Promise<Page>, events: Pick<GatewayEvents, "handlingFailed">): void {
  const serve = (response: HttpResponse, request: HttpRequest): void => {
    if (!isFramedClearly(request)) {
      refuseUnclear(response, deliveryFor(request, DIRECT));
      return;
    }
    const delivery = deliveryFor(request, DIRECT);
    let isGone = false;
    response.onAborted(() => {
      isGone = true;
    });
    const failed = (error: unknown): Page => {
      events.handlingFailed("http", error);
      return json(500, { code: "internal", message: "internal error" });
    };
    void make()
      .catch(failed)
      .then(({ status, type, body }) => {
        if (!isGone) {
          respond(response, status, new Headers({ "content-type": type }), body, delivery);
        }
      });
  };
  const handle = (response: HttpResponse, request: HttpRequest): void =>
    containFault(events, "http", response, () => serve(response, request));
  app.get(path, handle);
  app.head(path, handle);
}
