import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { ConfigError } from "../platform/env.ts";
import { type AddRoutes, type Listener, listen, openListenSocket, type Place, SHARED_PORT } from "./listener.ts";
import type { CertificateFiles } from "./tls-certificate.ts";
import { loadUws } from "./uws.ts";

/** A public listener that speaks TLS 1.2 or later. */
export interface TlsListener extends Listener {
  /**
   * Has new connections meet what the certificate's files hold now; those that are open stay on what they met.
   * @throws ConfigError when the files cannot be used, Error when the port cannot be listened on again; the old certificate is then kept.
   */
  reload(): void;
}

/** For TLS 1.2: forward secrecy and authenticated encryption only. uWebSockets refuses older versions; those of TLS 1.3 are all of that kind. */
const CIPHERS = ["ECDSA", "RSA"]
  .flatMap((kind) => ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map((cipher) => `ECDHE-${kind}-${cipher}`))
  .join(":");

/**
 * Listens with TLS. uWebSockets cannot change the certificate of an app, so a reload listens with another app on the same port and then
 * closes the older listen socket. @throws ConfigError or Error as `reload`, also when somebody else listens on the port already.
 */
export function listenTls(place: Place, files: CertificateFiles, addRoutes: AddRoutes): TlsListener {
  const uws = loadUws();
  const apps: TemplatedApp[] = [];
  const open = new Set<us_listen_socket>();
  const close = (socket: us_listen_socket): void => {
    if (open.delete(socket)) {
      uws.us_listen_socket_close(socket);
    }
  };
  const own = { ...place, port: claimPort(place) };
  const reload = (): void => {
    const older = [...open];
    const app = createApp(files);
    addRoutes(app);
    open.add(openListenSocket(app, own, SHARED_PORT));
    apps.push(app);
    // What waits for the older ones when they close is reset, so the loop accepts it first: a whole turn from now.
    setImmediate(() => setImmediate(() => older.forEach(close)));
  };
  reload();
  return {
    port: own.port,
    reload,
    stopListening: () => [...open].forEach(close),
    close: () => {
      for (const app of apps) {
        app.close();
      }
    },
  };
}

/** A port that can be listened on again may be shared with anybody, unnoticed: so it is taken alone before. */
function claimPort(place: Place): number {
  const claim = listen(place, () => undefined);
  claim.stopListening();
  claim.close();
  return claim.port;
}

function createApp({ certFile, keyFile }: CertificateFiles): TemplatedApp {
  const options = { cert_file_name: certFile, key_file_name: keyFile, ssl_ciphers: CIPHERS, ssl_prefer_low_memory_usage: true };
  try {
    return loadUws().SSLApp(options);
  } catch {
    throw new ConfigError(["GATEWAY_TLS_CERT_FILE: cannot be used with GATEWAY_TLS_KEY_FILE"]);
  }
}
