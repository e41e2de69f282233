import { ConfigError } from "../platform/env.ts";
import { type Certificate, type CertificateFiles, readCertificate } from "./tls-certificate.ts";

/** What is told of a certificate's files that change. */
export interface CertificateChanges {
  /** Another good certificate is there. Throws when it cannot be taken. */
  readonly take: (certificate: Certificate) => void;
  /** What is there cannot be taken; said once for each cause. */
  readonly refuse: (problems: readonly string[]) => void;
}

/**
 * Looks every so often at what a certificate's files hold, whatever replaced them: a rename, a link that points elsewhere, an editor.
 * What is wrong only once is passed over: the two files are seldom written at one moment.
 */
export class CertificateWatch implements Disposable {
  readonly #files: CertificateFiles;
  readonly #changes: CertificateChanges;
  readonly #timer: NodeJS.Timeout;
  #taken: Certificate;
  #wrong = { what: "", times: 0 };
  #isLooking = false;
  #isOver = false;

  constructor(files: CertificateFiles, taken: Certificate, everyMs: number, changes: CertificateChanges) {
    this.#files = files;
    this.#taken = taken;
    this.#changes = changes;
    this.#timer = setInterval(() => void this.#look(), everyMs);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) {
      return;
    }
    this.#isLooking = true;
    try {
      const found = await readCertificate(this.#files);
      if (!this.#isOver && (found.cert !== this.#taken.cert || found.key !== this.#taken.key)) {
        this.#take(found);
      }
      this.#wrong = { what: "", times: 0 };
    } catch (error) {
      this.#note(error instanceof ConfigError ? error.problems : [String(error)]);
    } finally {
      this.#isLooking = false;
    }
  }

  #take(found: Certificate): void {
    if (found.validTo.getTime() <= Date.now()) {
      throw new ConfigError(["GATEWAY_TLS_CERT_FILE: holds a certificate that has expired"]);
    }
    this.#changes.take(found);
    this.#taken = found;
  }

  #note(problems: readonly string[]): void {
    const what = problems.join("\n");
    this.#wrong = { what, times: what === this.#wrong.what ? this.#wrong.times + 1 : 1 };
    if (this.#wrong.times === 2 && !this.#isOver) {
      this.#changes.refuse(problems);
    }
  }
}
