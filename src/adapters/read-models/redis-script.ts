import { createHash } from "node:crypto";
import { Command } from "ioredis";
import { encodeRequest } from "./redis-request.ts";

/** Runs of a Lua script with their keys and arguments. */
export type ScriptRun = (keys: readonly string[], args: readonly (string | Buffer)[]) => Command;

/**
 * A script's runs, to be queued in pipelines. A connection is sent the text of it once, then its name; a server that has forgotten it
 * says NOSCRIPT, and the run that follows says it anew. Their arguments are written at once into what is sent: what a `Command` of ioredis does
 * with each of hundreds takes three times as long. Replies are texts.
 */
export function createScript(lua: string): ScriptRun {
  const sha = createHash("sha1").update(lua).digest("hex");
  const known = new WeakSet<object>();

  class Run extends Command {
    readonly #rest: readonly (string | Buffer)[];

    constructor(keys: readonly string[], args: readonly (string | Buffer)[]) {
      super("evalsha", [sha], { replyEncoding: "utf8" });
      this.#rest = [String(keys.length), ...keys, ...args];
    }

    override toWritable(socket: object): Buffer {
      const { reject } = this;
      this.reject = (error) => {
        if (error.message.startsWith("NOSCRIPT")) known.delete(socket);
        reject(error);
      };
      const start = known.has(socket) ? ["evalsha", sha] : ["eval", lua];
      known.add(socket);
      return encodeRequest(start, this.#rest);
    }
  }
  return (keys, args) => new Run(keys, args);
}
