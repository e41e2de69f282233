import { beginFamily, confirm, type Family, present } from "../../../../../services/account/tokens/family.ts";
import type { Rules } from "./history.ts";

/** Mints another successor every time that the current token is presented. */
export const mintsOnEveryRepeat: Rules = {
  confirm,
  present: (family, token, moment) => {
    const { next, ...forgetful } = family;
    return next !== undefined && token.generation === family.generation
      ? present(forgetful, token, moment)
      : present(family, token, moment);
  },
};

/** Retires a token as soon as it is presented, before anybody holds its successor. */
export const confirmsOnPresentation: Rules = {
  confirm,
  present: (family, token, moment) => {
    const judgement = present(family, token, moment);
    const { next } = judgement.family;
    return next === undefined ? judgement : { ...judgement, family: confirm(judgement.family, next.generation, moment) };
  },
};

/** Takes a token for stolen that was retired a moment ago. */
export const hasNoGrace: Rules = {
  confirm,
  present: (family, token, moment) => present(family, token, { ...moment, graceMs: 0 }),
};

/** Repeats something else than the successor that it knows. */
export const forgetsTheSeal: Rules = {
  confirm,
  present: (family, token, moment) => {
    const { family: after, outcome } = present(family, token, moment);
    return { family: after, outcome: outcome.kind === "repeated" ? { ...outcome, sealed: token.fresh.sealed } : outcome };
  },
};

/** Takes any token of the right generation, and gives a new successor to each who asks. */
export const ignoresDigests: Rules = {
  confirm,
  present: (family, token, moment) => {
    const known: Family | undefined = [family, family.next].find((one) => one?.generation === token.generation) as Family | undefined;
    const { next, ...forgetful } = family;
    const believed = next !== undefined && token.generation === family.generation ? forgetful : family;
    return present(believed, known === undefined ? token : { ...token, digest: known.digest }, moment);
  },
};

/** Refuses old tokens without drawing a conclusion. */
export const forgivesTheft: Rules = {
  confirm,
  present: (family, token, moment) => {
    const judgement = present(family, token, moment);
    return judgement.outcome.kind === "reused" ? { ...judgement, outcome: { kind: "justRetired" } } : judgement;
  },
};

/** Takes whoever comes with an old token for a client at its first login. */
export const beginsAgain: Rules = {
  confirm,
  present: (family, token, moment) =>
    present(
      token.generation < family.generation ? { ...beginFamily(token.digest, moment.now), generation: token.generation } : family,
      token,
      moment,
    ),
};
