import type { Server } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { image } from "../../proto/gen/policy/image.ts";

/** Lets a gRPC server say which of our services it offers, and their messages (grpc.reflection.v1 and v1alpha): what grpcurl asks. */
export function addReflection(server: Server, services: readonly string[]): void {
  const packages = loadFileDescriptorSetFromBuffer(Buffer.from(image, "base64"));
  new ReflectionService(packages, { services: [...services] }).addToServer(server);
}
