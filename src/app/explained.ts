/** A failure whose message says what to do: shown as it is, without a stack. */
export class Explained extends Error {
  override readonly name: string = "Explained";
}
