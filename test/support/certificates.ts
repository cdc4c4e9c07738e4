import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Certificates {
  /** Path of a PEM file: an authority of this test, which nobody else trusts. */
  readonly ca: string;
  /** What it signed: for a server at 127.0.0.1, and for a client. */
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** Made by openssl in this folder, good for two days. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)("openssl", args);
  const own = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  await openssl(...own, "-subj", "/CN=authority", "-keyout", at("ca.key"), "-out", at("ca.pem"));
  const signed = async (name: string, ...more: string[]) => {
    const pair = { cert: at(`${name}.pem`), key: at(`${name}.key`) };
    const by = ["-CA", at("ca.pem"), "-CAkey", at("ca.key")];
    await openssl(...own, ...by, "-subj", `/CN=${name}`, ...more, "-keyout", pair.key, "-out", pair.cert);
    return pair;
  };
  const server = await signed("server", "-addext", "subjectAltName=IP:127.0.0.1");
  return { ca: at("ca.pem"), server, client: await signed("client") };
}
