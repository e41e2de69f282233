import type { MethodDefinition } from "@grpc/grpc-js";
import { RelayRequest, RelayResponse } from "../../proto/gen/sallyport/relay/v1/relay.ts";

/** sallyport.relay.v1.RelayService: the one stream between a gateway and a service copy, as grpc-js wants it described. */
export const relayService: { readonly relay: MethodDefinition<RelayRequest, RelayResponse> } = {
  relay: {
    path: "/sallyport.relay.v1.RelayService/Relay",
    requestStream: true,
    responseStream: true,
    requestSerialize: (request) => Buffer.from(RelayRequest.encode(request).finish()),
    requestDeserialize: (bytes) => RelayRequest.decode(bytes),
    responseSerialize: (response) => Buffer.from(RelayResponse.encode(response).finish()),
    responseDeserialize: (bytes) => RelayResponse.decode(bytes),
  },
};
