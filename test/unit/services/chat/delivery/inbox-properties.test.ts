import { expect } from "chai";
import fc from "fast-check";
import { stepInbox } from "../../../../../services/chat/delivery/inbox.ts";
import type { Effect, InboxState, Input } from "../../../../../services/chat/delivery/inbox-state.ts";
import { acceptedAs } from "./inbox-scenario.ts";
import { type Fate, type Happening, InboxSimulation } from "./inbox-simulation.ts";

const RUNS = { numRuns: 1_500, seed: 20_260_101 };

const number = fc.nat({ max: 20 });
const fate = fc.constantFrom<Fate>("done", "done", "done", "done", "notDone", "doneUntold", "halfDone");
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("send" as const), sender: number, size: fc.constantFrom(1, 1, 1, 200_000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("apply" as const), pick: number, fate }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("report" as const), pick: number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("linger" as const), pick: number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("later" as const), pick: number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("attach" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("activate" as const), pick: number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("detach" as const), pick: number }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("acknowledge" as const), pick: number, count: number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("acknowledgeByCall" as const), pick: number, count: number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("credit" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abandon" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const) }) },
);
const history = fc.array(happening, { maxLength: 120, size: "max" });

describe("the inbox core under random histories", function () {
  this.timeout(60_000);

  it("loses nothing, brings nothing twice on a socket and keeps the order, through crashes and outages", () => {
    fc.assert(
      fc.property(history, (happenings) => live(stepInbox, happenings, false)),
      RUNS,
    );
  });

  it("keeps the order also of senders that do not wait for their answers", () => {
    fc.assert(
      fc.property(history, (happenings) => live(stepInbox, happenings, true)),
      RUNS,
    );
  });

  for (const { flaw, step, complaint } of flaws()) {
    it(`would be seen to be wrong if it ${flaw}`, () => {
      const checks = [false, true].map((isPipelined) =>
        fc.check(
          fc.property(history, (happenings) => live(step, happenings, isPipelined)),
          { ...RUNS, endOnFailure: true },
        ),
      );

      const errors = checks.map(({ errorInstance }) => (errorInstance instanceof Error ? errorInstance.message : ""));
      expect(errors.join("; ")).to.match(complaint);
    });
  }
});

function live(step: typeof stepInbox, happenings: readonly Happening[], isPipelined: boolean): void {
  const simulation = new InboxSimulation(step, isPipelined);
  for (const one of happenings) {
    simulation.happen(one);
  }
  simulation.settle();
}

function flaws(): readonly { flaw: string; step: typeof stepInbox; complaint: RegExp }[] {
  return [
    { flaw: "answered before the database did", step: answerEarly, complaint: /neither pending nor delivered/ },
    { flaw: "wrote down as delivered what was only pushed", step: recordUnasked, complaint: /without an acknowledgement/ },
    { flaw: "forgot what is in flight", step: forgetInFlight, complaint: /pushed twice/ },
    { flaw: "pushed at once before the backlog", step: overtakeBacklog, complaint: /out of order/ },
    { flaw: "believed a gateway what is in flight", step: believeGateway, complaint: /takes up room/ },
    { flaw: "gave a new socket only what comes next", step: skipBacklog, complaint: /never brought|come to rest/ },
  ];
}

function answerEarly(state: InboxState, input: Input): ReturnType<typeof stepInbox> {
  const [next, effects] = stepInbox(state, input);
  const early = effects.flatMap((effect): readonly Effect[] =>
    effect.kind === "store" ? [effect, { kind: "answer", id: effect.message.id, accepted: acceptedAs("stored") }] : [effect],
  );
  return [next, early];
}

function recordUnasked(state: InboxState, input: Input): ReturnType<typeof stepInbox> {
  return stepInbox(state, input.kind === "lingered" ? { kind: "acknowledged", ids: [input.id] } : input);
}

function forgetInFlight(state: InboxState, input: Input): ReturnType<typeof stepInbox> {
  const { current } = state;
  return stepInbox(current === undefined ? state : { ...state, current: { ...current, inFlight: new Set() } }, input);
}

function overtakeBacklog(state: InboxState, input: Input): ReturnType<typeof stepInbox> {
  const { current } = state;
  const isEager = input.kind === "offered" && current?.backlog.kind === "reading";
  return stepInbox(isEager ? { ...state, current: { ...current, backlog: { kind: "drained" } } } : state, input);
}

function believeGateway(state: InboxState, input: Input): ReturnType<typeof stepInbox> {
  return input.kind === "gone" ? [state, []] : stepInbox(state, input);
}

function skipBacklog(state: InboxState, input: Input): ReturnType<typeof stepInbox> {
  return stepInbox(state, input.kind === "pageRead" ? { ...input, messages: [], exhausted: true } : input);
}
