export interface Feed {
  head(): Promise<number>;
}
