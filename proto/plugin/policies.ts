import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";

/** Bounds of a number or a length, both included. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

/** sallyport.options.v1.FieldRules. */
export interface FieldRules {
  readonly free: boolean;
  readonly required: boolean;
  readonly uuid: boolean;
  readonly codePoints?: Range;
  readonly bytes?: Range;
  readonly items?: Range;
  readonly value?: Range;
  readonly declared: boolean;
}

/** sallyport.options.v1.MethodPolicy, its enums as words. */
export interface MethodWords {
  readonly audience: string;
  readonly credential: string;
  readonly limiter: string;
  readonly retry: string;
  readonly route: string;
  readonly peer: string;
  readonly affinityField: number;
}

/** Everything that the generators print from. */
export interface Policies {
  readonly files: readonly DescFile[];
  readonly services: readonly DescService[];
  readonly messages: readonly DescMessage[];
  readonly method: (method: DescMethod) => MethodWords;
  readonly field: (field: DescField) => FieldRules;
  readonly oneofRequired: (oneof: DescOneof) => boolean;
}

/** Reads the options of all of Sallyport's protos. @throws Error naming every method, field and oneof without policy. */
export function readPolicies(allFiles: readonly DescFile[]): Policies {
  const options = allFiles.find((file) => file.proto.package === "sallyport.options.v1");
  if (options === undefined) {
    throw new Error("sallyport/options/v1/policy.proto is missing");
  }
  const [policy, rules, choice] = ["policy", "rules", "choice"].map((name) => findExtension(options, name)) as [
    DescExtension,
    DescExtension,
    DescExtension,
  ];
  const files = allFiles.filter((file) => file.proto.package.startsWith("sallyport.") && file !== options);
  const services = files.flatMap((file) => file.services);
  const messages = files.flatMap((file) => file.messages);
  refuseGaps([
    ...services.flatMap((service) => service.methods).filter((method) => !hasOption(method, policy)),
    ...messages.flatMap((message) => message.fields).filter((field) => !hasOption(field, rules)),
    ...messages.flatMap((message) => message.oneofs).filter((oneof) => !hasOption(oneof, choice)),
    ...messages.flatMap((message) => [...message.nestedMessages].filter((nested) => !isMapEntry(nested))),
  ]);
  const enums = new Map(options.enums.map((desc) => [desc.name, desc]));
  return {
    files,
    services,
    messages,
    method: (method) => readMethod(method, getOption(method, policy) as Record<string, unknown>, enums),
    field: (field) => getOption(field, rules) as FieldRules,
    oneofRequired: (oneof) => (getOption(oneof, choice) as { required: boolean }).required,
  };
}

function findExtension(file: DescFile, name: string): DescExtension {
  const extension = file.extensions.find((candidate) => candidate.name === name);
  if (extension === undefined) {
    throw new Error(`the option ${name} is missing`);
  }
  return extension;
}

function isMapEntry(message: DescMessage): boolean {
  return message.proto.options?.mapEntry === true;
}

function refuseGaps(gaps: readonly (DescMethod | DescField | DescOneof | DescMessage)[]): void {
  if (gaps.length > 0) {
    throw new Error(`without policy:\n${gaps.map((gap) => `  ${gap.toString()}`).join("\n")}`);
  }
}

function readMethod(method: DescMethod, policy: Record<string, unknown>, enums: ReadonlyMap<string, DescEnum>): MethodWords {
  const word = (name: string): string => {
    const value = enums.get(name)?.value[policy[name.toLowerCase()] as number];
    if (value === undefined || value.number === 0) {
      throw new Error(`${method.toString()}: ${name.toLowerCase()} is not said`);
    }
    return value.localName.toLowerCase();
  };
  const affinity = policy["affinity"] as string;
  const affinityField = affinity === "" ? 0 : method.input.fields.find((field) => field.name === affinity)?.number;
  if (affinityField === undefined) {
    throw new Error(`${method.toString()}: the affinity field ${affinity} is missing`);
  }
  return {
    audience: word("Audience"),
    credential: word("Credential"),
    limiter: word("Limiter"),
    retry: word("Retry"),
    route: word("Route"),
    // Most are called by gateways.
    peer: policy["peer"] === 0 ? "gateway" : word("Peer"),
    affinityField,
  };
}
