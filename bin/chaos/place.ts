import { connect } from "node:net";
import { join } from "node:path";
import type { Disposables } from "../../platform/lifecycle.ts";
import { lastingPorts } from "../process/lasting-ports.ts";
import { FaultProxy } from "./fault-proxy.ts";
import { MEMBER_KINDS, type MemberKind } from "./member.ts";

/** Where one process of a layout lives, again after each death: its ports, the proxy before it, its files. */
export interface Place {
  /** Kind and number, from 0: "chat 1". */
  readonly name: string;
  readonly kind: MemberKind;
  readonly index: number;
  /** Where the process itself listens. */
  readonly port: number;
  /** A gateway's listener for operators. */
  readonly adminPort: number;
  readonly proxy: FaultProxy;
  readonly logFile: string;
}

const PORTS_OF_ONE = 3;

/** Makes the places for so many processes of each kind, their proxies up. */
export async function openPlaces(
  counts: Readonly<Record<MemberKind, number>>,
  directory: string,
  owner: Disposables,
): Promise<readonly Place[]> {
  const wanted = MEMBER_KINDS.flatMap((kind) => Array.from({ length: counts[kind] }, (_, index) => ({ kind, index })));
  const ports = await lastingPorts(wanted.length * PORTS_OF_ONE);
  return Promise.all(
    wanted.map(async ({ kind, index }, place) => {
      const [port = 0, adminPort = 0, proxyPort = 0] = ports.slice(place * PORTS_OF_ONE);
      const proxy = owner.use(
        await FaultProxy.start(proxyPort, () => connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })),
      );
      return { name: `${kind} ${index}`, kind, index, port, adminPort, proxy, logFile: join(directory, "log", `${kind}-${index}.log`) };
    }),
  );
}
