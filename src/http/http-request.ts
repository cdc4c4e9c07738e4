import { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/**
 * A request as node:http makes it, whose body can be had whole, past the stream that it is: to flow, to end and to close takes that
 * five ticks and as many objects, and a short body comes with its head.
 */
export class HttpRequest extends IncomingMessage {
  private takeBody: ((body: Buffer) => void) | null = null;
  private parts: Buffer | null = null;
  private isTaken = false;

  static {
    // node:http holds on to a request until its stream has ended. (By its types this is a field, which no accessor may replace.)
    const ofStream = Object.getOwnPropertyDescriptor(Readable.prototype, "readableEnded")?.get;
    Object.defineProperty(HttpRequest.prototype, "readableEnded", {
      get(this: HttpRequest): boolean {
        return this.isTaken || ofStream?.call(this);
      },
    });
  }

  /** The body, where it was taken whole and all of it is there. */
  get wholeBody(): Buffer | null {
    return this.isTaken ? this.parts : null;
  }

  /** Gives a short body when all of it is there: never, where the connection goes before. Nothing may have been read of it. */
  takeWhole(take: (body: Buffer) => void): void {
    this.takeBody = take;
    // Says that it is read: what nobody reads node:http fetches itself at the end of the answer, to throw it away.
    this.read(0);
  }

  /** Called by the parser: with a part of the body, and with null at its end. */
  override push(part: Buffer | null, encoding?: BufferEncoding): boolean {
    if (this.takeBody === null) return super.push(part, encoding);
    if (part !== null) this.parts = this.parts === null ? part : Buffer.concat([this.parts, part]);
    else if (this.parts !== null) {
      this.isTaken = true;
      this.takeBody(this.parts);
    }
    return true;
  }
}
