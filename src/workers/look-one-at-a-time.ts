/** Looks one after another; those asked for while one waits for its turn are one. What is returned resolves with the look that was asked for. */
export function lookOneAtATime(lookOnce: () => Promise<void>): () => Promise<void> {
  let latest: Promise<void> = Promise.resolve();
  let waiting = false;
  return () => {
    if (waiting) return latest;
    waiting = true;
    latest = latest
      .catch(() => undefined)
      .then(() => {
        waiting = false;
        return lookOnce();
      });
    return latest;
  };
}
