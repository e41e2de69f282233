/** A rule that a message breaks: the path of the field in lowerCamelCase, and what is expected there. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/** Between a message and its bytes (protobuf encoding). `decode` throws on malformed bytes. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** A message: its encoding, and the rules that one breaks. */
export interface MessageType<T> {
  readonly codec: Codec<T>;
  readonly validate: (message: T) => readonly Violation[];
}

/** The services that clients hold tokens of. */
export type ServiceName = "account" | "chat";

/** What the protos say of a method (sallyport.options.v1.MethodPolicy). */
export interface MethodPolicy {
  /** "/package.Service/Method". */
  readonly path: string;
  /** The second part of the package: the service that owns the method, or "relay" for what every service offers. */
  readonly owner: ServiceName | "relay";
  readonly audience: "public" | "internal" | "operator";
  readonly credential: "none" | ServiceName | "operator";
  readonly limiter: "none" | "login" | "message" | "call" | "report";
  readonly retry: "safe" | "never";
  readonly route: "relay" | "unary";
  /** The process that may call, where certificates name roles. */
  readonly peer: "gateway" | ServiceName;
  /** The number of the string field of the request that picks the service copy; 0: the calling account picks it. */
  readonly affinityField: number;
}

/** A unary method: its policy, its messages, its rules. */
export interface Method<Request, Response> extends MethodPolicy {
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  /** The rules that a request breaks. */
  readonly validate: (request: Request) => readonly Violation[];
}

/** A service as one type: the method names of its interface, each with its request and response. */
export type Rpcs = Record<string, { request: unknown; response: unknown }>;

/** The unary methods of a service, by their names in lowerCamelCase. */
export interface Service<R extends Rpcs> {
  /** "package.Service". */
  readonly name: string;
  readonly methods: { readonly [K in keyof R]: Method<R[K]["request"], R[K]["response"]> };
}
