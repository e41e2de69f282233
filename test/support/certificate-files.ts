import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, type Issued, makeAuthority } from "./certificates.ts";

/** A server's certificate and key as files that change the way certificates do on machines: by another file's name, or by a link that points elsewhere. */
export class CertificateFiles implements AsyncDisposable {
  readonly authority: Authority;
  readonly directory: string;
  #generation = 0;

  private constructor(authority: Authority, directory: string) {
    this.authority = authority;
    this.directory = directory;
  }

  /** Makes an authority and a first certificate for this machine. */
  static async create(): Promise<CertificateFiles> {
    const files = new CertificateFiles(await makeAuthority(), await mkdtemp(join(tmpdir(), "sallyport-tls-")));
    await files.replace(await files.issue());
    return files;
  }

  get env(): { GATEWAY_TLS_CERT_FILE: string; GATEWAY_TLS_KEY_FILE: string } {
    return { GATEWAY_TLS_CERT_FILE: join(this.directory, "cert.pem"), GATEWAY_TLS_KEY_FILE: join(this.directory, "key.pem") };
  }

  async issue(days = 30): Promise<Issued> {
    return this.authority.issue({ commonName: "gateway", dns: ["localhost"], ips: ["127.0.0.1", "::1"], days });
  }

  /** Each file atomically, the key first. */
  async replace({ cert, key }: Issued): Promise<void> {
    for (const [name, text] of Object.entries({ "key.pem": key, "cert.pem": cert })) {
      await writeFile(join(this.directory, `${name}.new`), text);
      await rename(join(this.directory, `${name}.new`), join(this.directory, name));
    }
  }

  /** Both at once, as Kubernetes does with the files of a secret: `cert.pem` is a link into a linked directory that is swapped. */
  async swapLink({ cert, key }: Issued): Promise<void> {
    this.#generation += 1;
    const name = `generation-${this.#generation}`;
    await mkdir(join(this.directory, name));
    await Promise.all(
      Object.entries({ "cert.pem": cert, "key.pem": key }).map(([file, text]) => writeFile(join(this.directory, name, file), text)),
    );
    await this.#link(name, "..data");
    await this.#link(join("..data", "key.pem"), "key.pem");
    await this.#link(join("..data", "cert.pem"), "cert.pem");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async #link(target: string, name: string): Promise<void> {
    await symlink(target, join(this.directory, `${name}.new`));
    await rename(join(this.directory, `${name}.new`), join(this.directory, name));
  }
}
