import { randomBytes } from "node:crypto";
import type { OperatorToken } from "../../gateway/operator/token.ts";
import { newUuid } from "../../platform/ids.ts";
import type { Grants } from "../../services/account/store/grants.ts";
import { ACCESS_RANDOM_BYTES, isOurAccessToken, makeAccessToken } from "../../services/account/tokens/access-token.ts";
import { digestOf, makeRefreshToken, readRefreshToken } from "../../services/account/tokens/refresh-token.ts";
import type { Experiment } from "./experiment.ts";

const MAC_AT = 992;

/** A refresh token of ours whose MAC is wrong in its first byte, or in its last. */
export function refreshTokenMac(): Experiment {
  const secrets = [randomBytes(32)];
  const good = makeRefreshToken({ sessionId: newUuid(), generation: 7 }, randomBytes(972), secrets[0] as Buffer, "chat");
  const token = Buffer.from(good);
  return {
    title: "refresh token: the MAC wrong in its first byte, or in its last",
    prepare: (ofClass, random) => {
      good.copy(token);
      flip(token, ofClass === 0 ? MAC_AT : token.length - 1, 1 + random.below(255));
    },
    run: () => readRefreshToken(token, secrets, "chat"),
  };
}

/** An access token of ours whose MAC is wrong in its first byte, or in its last. */
export function accessTokenMac(): Experiment {
  const secrets = [randomBytes(32)];
  const good = makeAccessToken(randomBytes(ACCESS_RANDOM_BYTES), secrets[0] as Buffer);
  const token = Buffer.from(good);
  return {
    title: "access token: the MAC wrong in its first byte, or in its last",
    prepare: (ofClass, random) => {
      good.copy(token);
      flip(token, ofClass === 0 ? ACCESS_RANDOM_BYTES : token.length - 1, 1 + random.below(255));
    },
    run: () => isOurAccessToken(token, secrets),
  };
}

/** An access token that is wrong in its first byte, or in its last, looked up in the database. */
export function accessTokenLookup(grants: Grants, granted: Buffer): Experiment {
  const token = Buffer.from(granted);
  return {
    title: "access token: wrong in its first byte, or in its last, looked up in the database",
    prepare: (ofClass, random) => {
      granted.copy(token);
      flip(token, ofClass === 0 ? 0 : token.length - 1, 1 + random.below(255));
    },
    run: () => grants.find(digestOf(token).toString("hex")),
  };
}

/** An operator token that is wrong in its first character, or in its last. */
export function operatorToken(good: string, token: OperatorToken): Experiment {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  let shown = good;
  return {
    title: "operator token: wrong in its first character, or in its last",
    prepare: (ofClass, random) => {
      const wrong = letters.charAt(random.below(letters.length));
      shown = ofClass === 0 ? `${wrong}${good.slice(1)}` : `${good.slice(0, -1)}${wrong}`;
    },
    run: () => token.matches(shown),
  };
}

/** The control: the same comparison as of a MAC, but byte by byte up to the first difference. It has to be told apart. */
export function earlyExit(): Experiment {
  const good = randomBytes(1024);
  const shown = Buffer.from(good);
  return {
    title: "control: compared byte by byte up to the first difference",
    prepare: (ofClass, random) => {
      good.copy(shown);
      flip(shown, ofClass === 0 ? 0 : shown.length - 1, 1 + random.below(255));
    },
    run: () => good.every((byte, index) => byte === shown[index]),
  };
}

function flip(bytes: Buffer, at: number, by: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ by;
}
