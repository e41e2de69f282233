import type { GatewayContext } from "./context.ts";
import { type AddRoutes, type Listener, listen } from "./listener.ts";
import { readCertificate } from "./tls-certificate.ts";
import { listenTls } from "./tls-listener.ts";
import { CertificateWatch } from "./tls-watch.ts";

/**
 * Opens the listener for clients, with TLS where it is configured; its certificate is looked at every so many milliseconds, and taken when it has changed.
 * @throws ConfigError when the certificate cannot be used, Error when the address cannot be listened on.
 */
export async function listenForClients(
  { config, events }: Pick<GatewayContext, "config" | "events">,
  certificateEveryMs: number,
  addRoutes: AddRoutes,
): Promise<Listener> {
  const { host, port, tls } = config;
  const place = { host, port, variable: "GATEWAY_PORT" } as const;
  if (tls === undefined) {
    return listen(place, addRoutes);
  }
  const certificate = await readCertificate(tls);
  const listener = listenTls(place, tls, addRoutes);
  events.certificateTaken(certificate.validTo);
  const watch = new CertificateWatch(tls, certificate, certificateEveryMs, {
    take: ({ validTo }) => {
      listener.reload();
      events.certificateTaken(validTo);
    },
    refuse: (problems) => events.certificateRefused(problems),
  });
  return {
    ...listener,
    stopListening: () => {
      watch[Symbol.dispose]();
      listener.stopListening();
    },
  };
}
