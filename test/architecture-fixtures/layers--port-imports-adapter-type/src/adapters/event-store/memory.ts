export interface Memory {
  head: number;
}
