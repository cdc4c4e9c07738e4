import { useState } from "preact/hooks";

/** Which learner: a field and a button. */
export function LearnerChoice(props: { readonly learnerId: string; readonly onChoose: (learnerId: string) => void }) {
  const [text, setText] = useState(props.learnerId);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const learnerId = text.trim();
        if (learnerId !== "") props.onChoose(learnerId);
      }}
    >
      <label for="learner">Learner</label>
      <input
        id="learner"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        placeholder="ada"
        autocomplete="off"
        maxLength={200}
        required
      />
      <button type="submit">Show</button>
    </form>
  );
}
