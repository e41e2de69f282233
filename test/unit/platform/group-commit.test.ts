import { expect } from "chai";
import { unavailable } from "../../../platform/errors.ts";
import { GroupCommit } from "../../../platform/group-commit.ts";

describe("GroupCommit", () => {
  it("commits together what gathers while a batch is under way, and answers each item its own result", async () => {
    const batches: number[][] = [];
    const group = new GroupCommit<number, number>(async (items) => {
      batches.push([...items]);
      await new Promise(setImmediate);
      return items.map((item) => item * 10);
    });

    const first = [group.add(1), group.add(2)];
    await new Promise(process.nextTick);
    const second = [group.add(3), group.add(4), group.add(5)];

    expect(await Promise.all([...first, ...second])).to.deep.equal([10, 20, 30, 40, 50]);
    expect(batches).to.deep.equal([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  it("takes at most so many items at once", async () => {
    const sizes: number[] = [];
    const group = new GroupCommit<number, void>(async (items) => {
      sizes.push(items.length);
      return items.map(() => undefined);
    }, 2);

    await Promise.all([1, 2, 3, 4, 5].map((item) => group.add(item)));

    expect(sizes).to.deep.equal([2, 2, 1]);
  });

  it("tells how large each batch is, those that fail too", async () => {
    const sizes: number[] = [];
    const fail = (): Promise<readonly undefined[]> => Promise.reject(new Error("failed"));
    const group = new GroupCommit<number, undefined>(fail, 2, (items) => sizes.push(items));

    await Promise.allSettled([group.add(1), group.add(2), group.add(3)]);

    expect(sizes).to.deep.equal([2, 1]);
  });

  it("rejects the items of a failed batch and goes on with the next", async () => {
    let failures = 1;
    const group = new GroupCommit<string, string>(async (items) => {
      if (failures-- > 0) {
        throw new Error("no primary");
      }
      return items;
    }, 1);

    const results = await Promise.allSettled([group.add("a"), group.add("b")]);

    expect(results.map(({ status }) => status)).to.deep.equal(["rejected", "fulfilled"]);
  });

  it("does not make those wait for a database that cannot be asked who waited behind a batch that did", async () => {
    let commits = 0;
    const group = new GroupCommit<string, string>(async () => {
      commits += 1;
      throw unavailable("the database cannot be asked", "DATABASE_UNAVAILABLE");
    }, 1);

    const results = await Promise.allSettled([group.add("a"), group.add("b"), group.add("c")]);

    expect(results.map(({ status }) => status)).to.deep.equal(["rejected", "rejected", "rejected"]);
    expect(commits).to.equal(1);
  });
});
