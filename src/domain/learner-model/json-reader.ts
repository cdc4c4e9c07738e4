/** Reads a flat JSON array element by element; throws an Error that names the element that is not what was written. */
export class JsonReader {
  #next = 0;
  readonly #what: string;
  readonly #values: readonly unknown[];

  constructor(json: unknown, what: string) {
    if (!Array.isArray(json)) throw new Error(`${what} is not an array`);
    this.#what = what;
    this.#values = json;
  }
  get more(): boolean {
    return this.#next < this.#values.length;
  }
  integer(): number {
    const value = this.#values[this.#next++];
    if (!Number.isSafeInteger(value)) this.#refuse("a whole number");
    return value as number;
  }
  text(): string {
    const value = this.#values[this.#next++];
    if (typeof value !== "string") this.#refuse("a string");
    return value as string;
  }
  textOrNull(): string | null {
    if (this.#values[this.#next] !== null) return this.text();
    this.#next++;
    return null;
  }
  texts(): string[] {
    const inner = this.array();
    const texts: string[] = [];
    while (inner.more) texts.push(inner.text());
    return texts;
  }
  array(): JsonReader {
    const at = this.#next++;
    return new JsonReader(this.#values[at], `${this.#what}[${at}]`);
  }
  end(): void {
    if (this.more) throw new Error(`${this.#what} has ${this.#values.length} elements, expected ${this.#next}`);
  }
  #refuse(expected: string): never {
    throw new Error(`${this.#what}[${this.#next - 1}] is not ${expected}`);
  }
}
