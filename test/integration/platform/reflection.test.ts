import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pino } from "pino";
import { Disposables } from "../../../platform/lifecycle.ts";
import { implement } from "../../../platform/rpc/call.ts";
import { Channel } from "../../../platform/rpc/channel.ts";
import { startRpcServer } from "../../../platform/rpc/server.ts";
import { directoryService } from "../../../proto/gen/policy/services.ts";

// grpc.reflection.v1.ServerReflectionRequest { list_services = 7 }
const LIST_SERVICES = Buffer.from([0x3a, 0x00]);

async function listServices(channel: Channel, version: string): Promise<string> {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const stream = channel.grpc.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs, {});
  stream.write(LIST_SERVICES);
  try {
    const [answer] = (await once(stream, "data")) as [Buffer];
    return answer.toString("latin1");
  } finally {
    stream.on("error", () => undefined);
    stream.cancel();
  }
}

async function openServer(parts: Disposables, reflects: boolean): Promise<Channel> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-reflection-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const implementations = implement(directoryService, { filterAccounts: () => ({ accountIds: [] }) });
  const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
  const listen = `unix:${join(folder, "server")}`;
  parts.use(await startRpcServer({ listen, implementations, observer, reflects }, pino({ level: "silent" })));
  const channel = new Channel(listen);
  parts.defer(() => channel[Symbol.dispose]());
  return channel;
}

describe("the reflection of a gRPC server", () => {
  it("names the services that it offers, and no others", async () => {
    await using parts = new Disposables();
    const channel = await openServer(parts, true);

    for (const version of ["v1", "v1alpha"]) {
      const named = await listServices(channel, version);

      expect(named).to.contain("sallyport.account.v1.DirectoryService");
      expect(named).to.not.contain("sallyport.chat.v1.ChatService");
    }
  });

  it("is not there where it is not asked for", async () => {
    await using parts = new Disposables();
    const channel = await openServer(parts, false);

    const error = await listServices(channel, "v1").catch((refused: { code: number }) => refused);

    expect(error).to.include({ code: 12 });
  });
});
