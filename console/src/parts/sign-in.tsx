import { useState } from "preact/hooks";

/** Asks for a key. It is kept for as long as the tab is open, and sent to this server only. */
export function SignIn({ refused, onKey }: { readonly refused: boolean; readonly onKey: (key: string) => void }) {
  const [text, setText] = useState("");
  return (
    <main class="narrow">
      <h1>Proximal</h1>
      {refused && (
        <p role="alert" class="notice bad">
          This key is unknown, revoked or expired.
        </p>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const key = text.trim();
          setText("");
          if (key !== "") onKey(key);
        }}
      >
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          autocomplete="off"
          spellcheck={false}
          placeholder="pxl_…"
          required
        />
        <button type="submit">Sign in</button>
      </form>
      <p>
        <code>npm start</code> prints a link that has it. Another:{" "}
        <code>npx proximal keys create --name me --scope operator</code>. It is kept until this tab is closed.
      </p>
    </main>
  );
}
