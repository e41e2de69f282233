import type { PeerCertificate } from "node:tls";
import type { MethodPolicy } from "../../proto/method.ts";
import { SallyportError } from "../errors.ts";

/** A process that may call: what certificates name by the URI `sallyport:role:<role>`. */
export type PeerRole = MethodPolicy["peer"];

/** The other end of a connection, by its certificate. */
export interface Peer {
  mayBe(role: PeerRole): boolean;
}

/** Who connects without TLS: a process of this machine, which may be any. */
export const localPeer: Peer = { mayBe: () => true };

const NAMESPACE = "sallyport:role:";

/** A certificate that names roles is held to them; one that names none may be any. Without a certificate a peer is nobody. */
export function readPeer(certificate: Pick<PeerCertificate, "subjectaltname"> | undefined): Peer {
  if (certificate === undefined) {
    return { mayBe: () => false };
  }
  const roles = readUris(certificate.subjectaltname ?? "").filter((uri) => uri.startsWith(NAMESPACE));
  return { mayBe: (role) => roles.length === 0 || roles.includes(`${NAMESPACE}${role}`) };
}

/** The error of a process that calls what another one may. */
export function peerNotAllowed(): SallyportError {
  return new SallyportError("PERMISSION_DENIED", "the peer's certificate is of another role", { reason: "PEER_NOT_ALLOWED" });
}

/** The URIs in Node's text of alternative names: `DNS:a, URI:b`, where what holds a comma or a quote is in quotes, as JSON. */
function readUris(names: string): readonly string[] {
  return [...names.matchAll(/(?:^|, )([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)].flatMap(([, type, value]) =>
    type === "URI" && value !== undefined ? [value] : [],
  );
}
