export async function fold(n: number): Promise<number> {
  return n;
}
