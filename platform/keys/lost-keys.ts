import { list, type Variable } from "../env.ts";
import { isKeyKind } from "./kind.ts";

/** `SALLYPORT_LOST_KEYS`: keys that a start does without though data needs them, `<kind>:<kid>`. */
export const lostKeysVariable: Variable<readonly string[]> = {
  default: "",
  meaning: "keys that are lost for good, a comma list of <kind>:<kid>: a start goes on without them, and without what they made",
  parse: (text) => {
    const names = list(text);
    if (!names.every((name) => /:[0-9a-f]{16}$/.test(name) && isKeyKind(name.slice(0, -17)))) {
      throw new Error("expected a comma list of <kind>:<kid>");
    }
    return names;
  },
};
