export class Feed {
  head = 0;
}
