import { expect } from "chai";
import { browserTokenStore } from "../../../client/browser-token-store.ts";
import { fakeBrowser } from "./fake-browser.ts";
import { refreshToken } from "./tokens.ts";

describe("the token store of a browser", () => {
  it("holds nothing at first", async () => {
    expect(await browserTokenStore("app", fakeBrowser()).load("chat")).to.equal(undefined);
  });

  it("has saved a token only when the browser says that it is on the disk", async () => {
    const browser = fakeBrowser();
    const store = browserTokenStore("app", browser);
    let saved = false;
    const save = store.save("chat", refreshToken(1)).then(() => {
      saved = true;
    });
    await browser.writing;
    expect(saved).to.equal(false);

    browser.settleWrite("complete");
    await save;

    expect(browser.durabilities).to.deep.equal(["strict"]);
    expect(await store.load("chat")).to.deep.equal(refreshToken(1));
  });

  it("hands a failed write on", async () => {
    const browser = fakeBrowser();
    const save = browserTokenStore("app", browser)
      .save("chat", refreshToken(1))
      .catch((error: Error) => error.message);
    await browser.writing;

    browser.settleWrite("abort");

    expect(await save).to.equal("the disk is full");
  });

  it("takes turns by a Web Lock of its name", async () => {
    const browser = fakeBrowser();

    const outcome = await browserTokenStore("app", browser).exclusive(async () => "mine");

    expect([outcome, browser.locksAskedFor]).to.deep.equal(["mine", ["sallyport:app"]]);
  });
});
