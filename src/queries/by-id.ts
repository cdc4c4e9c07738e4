import { noKey } from "../domain/id-shapes.ts";

/** What is known of ids; by their keys (see `readCountedIds`) where they have one. */
export class ById<T> {
  readonly #byKey = new Map<number, T>();
  readonly #byText = new Map<string | null, T>();

  get(id: string | null, key: number): T | undefined {
    return key === noKey ? this.#byText.get(id) : this.#byKey.get(key);
  }

  set(id: string | null, key: number, known: T): void {
    if (key === noKey) this.#byText.set(id, known);
    else this.#byKey.set(key, known);
  }

  clear(): void {
    this.#byKey.clear();
    this.#byText.clear();
  }
}
