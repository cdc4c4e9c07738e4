import { render } from "preact";
import { App } from "./app.tsx";
import { keyIn } from "./model/place.ts";
import { keptKey } from "./parts/session.ts";
import "./styles.css";

// A link may bring the key. It goes out of the address bar, and out of the history, before anything else happens.
function takeKey(): boolean {
  const given = keyIn(location.hash);
  if (given === null) return false;
  history.replaceState(null, "", `${location.pathname}${given.rest === "" ? "" : `#${given.rest}`}`);
  keptKey.write(given.key);
  return true;
}
takeKey();
// Such a link, opened in this very tab, only changes what stands behind the #.
addEventListener("hashchange", () => {
  if (takeKey()) location.reload();
});

const place = document.getElementById("app");
if (place !== null) render(<App />, place);
